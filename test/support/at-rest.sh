# shellcheck shell=sh
# Prints what the invariants are judged by, one `key value` a line. Reads only. Set before: BINARY, PID_FILE, STATE, WHOLE.
# STATE may be empty: what is in the program's usual folders then, on a machine with others only what names our folder.
dir=$(dirname "$BINARY")
master=$(cat "$PID_FILE" 2>/dev/null)
say() { [ -z "$2" ] || printf '%s\n' "$2" | sed "s/^/$1 /"; }

say pid-file "$master"
[ ! -e "$PID_FILE.oldbin" ] || say oldbin "$(cat "$PID_FILE.oldbin")"
say disk "$(stat -c '%d:%i' "$BINARY" 2>&1)"
say running "$(stat -L -c '%d:%i' "/proc/$master/exe" 2>&1)"
say exe "$(readlink "/proc/$master/exe")"
say kind "$(stat -c '%F' "$BINARY")"
say owner "$(stat -c '%u:%g %a' "$BINARY")"
say sha256 "$(sha256sum <"$BINARY" | cut -d' ' -f1)"
say attribute "$(getfattr -d -m - -e hex --absolute-names "$BINARY" 2>/dev/null | grep '=')"
say immutable "$(lsattr -d "$BINARY" 2>/dev/null | cut -d' ' -f1 | tr -cd ia)"
say beside "$(find "$dir" -mindepth 1 -maxdepth 1 | sort)"
name=$(basename "$(dirname "$dir")")
[ "$WHOLE" = no ] || name=
usual="/var/lib/nginx-hot-upgrade ${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/nginx-hot-upgrade"
[ -z "$STATE" ] || usual='' name=''
for state in $STATE $usual; do
  say leftover "$(find "$state" -path "*$name*" \( -name lock -o -name guard -o -name 'stage*' \) 2>/dev/null)"
done

sockets=$(for fd in "/proc/$master"/fd/*; do readlink "$fd"; done 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/ \1 /p')
listening=$(awk '$4 == "0A" { print $2, $10 }' "/proc/$master/net/tcp" "/proc/$master/net/tcp6" 2>/dev/null
  awk '$4 == "00010000" { print $8, $7 }' "/proc/$master/net/unix" 2>/dev/null)
say listener "$(printf '%s\n' "$listening" | while read -r address inode; do
  case $sockets in *" $inode "*) echo "$address $inode" ;; esac
done | sort)"

# Built-ins wherever they do: this runs after every injected fault, on machines with hundreds of processes.
# Sets parent and start; false for what is gone, a zombie or a kernel thread.
look_at() {
  fields=''
  while IFS= read -r line; do fields=$fields$line; done 2>/dev/null <"/proc/$1/stat"
  [ -n "$fields" ] || return 1
  # shellcheck disable=SC2086 # into words
  set -- $1 ${fields##*) }
  parent=$3 start=${21}
  [ "$2" != Z ] && [ "$1" != 2 ] && [ "$3" != 2 ]
}

# Ourselves and whoever started us are no leftovers.
mine=" $$ " parent=$$
while [ "${parent:-0}" -gt 1 ] && look_at "$parent"; do mine="$mine$parent "; done
for process in /proc/[0-9]*; do
  pid=${process#/proc/}
  look_at "$pid" || continue
  exe=$(readlink "$process/exe" 2>/dev/null) || continue
  { read -r name <"$process/comm" && line=$(tr '\0\n' '  ' <"$process/cmdline"); } 2>/dev/null || continue
  case $name:$exe in
    nginx:"$dir"/* | *:"$dir"/*nginx*) say nginx "$pid $parent $line" && continue ;;
  esac
  case "$mine" in *" $pid "* | *" $parent "*) continue ;; esac
  # Hosts in containers on this machine have processes of their own.
  [ "$(stat -L -c %i "$process/ns/pid" 2>/dev/null)" = "$(stat -L -c %i /proc/self/ns/pid)" ] || continue
  case $WHOLE:$name:$line in
    yes:sh:* | yes:dash:* | yes:bash:* | yes:mksh:* | yes:busybox:* | yes:dd:* | yes:sleep:* | yes:cat:* | yes:sudo:*)
      say process "$pid $start $line"
      ;;
    no:node:* | no:*" PID_FILE="*) ;; # a test, or this script at work on another instance
    *nginx-hot-upgrade* | no:*"$dir/"*) say process "$pid $start $line" ;;
  esac
done

units() { systemctl "$@" list-units --all --plain --no-legend 'nginx-hot-upgrade*' 2>/dev/null; }
[ ! -d /run/systemd/system ] || say unit "$(units; units --user)"
