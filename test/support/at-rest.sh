# shellcheck shell=sh
# Prints what the invariants are judged by, one `key value` a line. Reads only. Set before: BINARY, PID_FILE, STATE, WHOLE.
# STATE may be empty: the program's usual folders then.
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
for state in ${STATE:-/var/lib/nginx-hot-upgrade "${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/nginx-hot-upgrade"}; do
  say leftover "$(find "$state" \( -name lock -o -name guard -o -name 'stage*' \) 2>/dev/null)"
done

sockets=$(for fd in "/proc/$master"/fd/*; do readlink "$fd"; done 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/ \1 /p')
listening=$(awk '$4 == "0A" { print $2, $10 }' "/proc/$master/net/tcp" "/proc/$master/net/tcp6" 2>/dev/null
  awk '$4 == "00010000" { print $8, $7 }' "/proc/$master/net/unix" 2>/dev/null)
say listener "$(printf '%s\n' "$listening" | while read -r address inode; do
  case $sockets in *" $inode "*) echo "$address $inode" ;; esac
done | sort)"

# Ourselves and whoever started us are no leftovers.
mine=" $$ " parent=$$
while [ "${parent:-0}" -gt 1 ]; do
  parent=$(sed 's/.*) . //;s/ .*//' "/proc/$parent/stat" 2>/dev/null)
  mine="$mine$parent "
done
for process in /proc/[0-9]*; do
  pid=${process#/proc/}
  exe=$(readlink "$process/exe" 2>/dev/null) || continue
  stat=$(sed 's/.*) //' "$process/stat" 2>/dev/null)
  parent=$(echo "$stat" | cut -d' ' -f2)
  line=$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)
  name=$(cat "$process/comm" 2>/dev/null)
  case $exe in
    "$dir"/*nginx*) say nginx "$pid $parent $line" && continue ;;
    "$dir"/*) [ "$name" != nginx ] || { say nginx "$pid $parent $line" && continue; } ;;
  esac
  case "$mine" in *" $pid "* | *" $parent "*) continue ;; esac
  case $WHOLE:$name in
    yes:sh | yes:dash | yes:bash | yes:mksh | yes:busybox | yes:dd | yes:sleep | yes:cat | yes:sudo)
      say process "$pid $(echo "$stat" | cut -d' ' -f20) $line" && continue ;;
  esac
  case $name:$line in
    node:*) ;;
    *nginx-hot-upgrade* | *"$dir/"*) [ "$WHOLE:$dir" = yes:/usr/sbin ] || say process "$pid 0 $line" ;;
  esac
done

units() { systemctl "$@" list-units --all --plain --no-legend 'nginx-hot-upgrade*' 2>/dev/null; }
[ ! -d /run/systemd/system ] || say unit "$(units; units --user)"
