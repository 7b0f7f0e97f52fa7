# shellcheck shell=dash disable=SC2154,SC2013,SC2016
# Runs before the helper where the login may have to become root: root is needed unless the master meant is the login's
# own. Read from standard input to the last byte, so that whoever goes on finds the helper there. Sent within braces; every
# loop in it has an end, whatever shell runs it.
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# gate_uid PID: UID_OF is the user that it runs as.
gate_uid() {
  UID_OF=''
  while read -r key real _; do
    [ "$key" != Uid: ] || { UID_OF=$real; return 0; }
  done 2>/dev/null <"/proc/$1/status"
}

# gate_masters FILE...: masters are those whose titles begin like one's. Of what a process calls itself only so much is read that
# it cannot hold what looks like the name of the next. False where some process made that hang.
gate_masters() {
  masters='' pid=''
  [ $# -gt 0 ] || return 0
  { found=$(
    [ $# -gt 20000 ] || exec timeout -s KILL 2 head -v -c 16 "$@"
    echo "$@" | timeout -s KILL 10 xargs -n 20000 head -v -c 16
  ); } 2>/dev/null
  ended=$?
  set -f
  IFS='
'
  for line in $found; do
    case $line in
      '==> /proc/'*'/cmdline <==') pid=${line#'==> /proc/'} pid=${pid%'/cmdline <=='}; continue ;;
      'nginx: ma'* | 'angie: ma'*) masters="$masters $pid" ;;
    esac
    pid=''
  done
  unset IFS
  set +f
  [ "$ended" != 137 ]
}

# gate_owners: of masters, theirs are those of root, and of others in a service of the system; what strangers call their processes
# is of no interest. went: some ended while they were looked at. Of thousands, a program of its own tells it.
gate_owners() {
  mine='' theirs='' went=''
  # shellcheck disable=SC2086
  set -- $masters
  [ $# -le 50 ] || { gate_many_owners; return; }
  for pid in "$@"; do
    gate_uid "$pid"
    case $UID_OF in
      '') went=1 ;;
      "$me") mine="$mine $pid" ;;
      0) theirs=1 ;;
      *) ! gate_is_service "$pid" || theirs=1 ;;
    esac
  done
}

gate_is_service() {
  while IFS= read -r group; do
    case $group in *:/user.slice/*) ;; *.service*) return 0 ;; esac
  done 2>/dev/null <"/proc/$1/cgroup"
  return 1
}

gate_many_owners() {
  while read -r whose pid; do
    case $whose in mine) mine="$mine $pid" ;; theirs) theirs=1 ;; went) went=1 ;; esac
  done <<END
$(for pid in $masters; do echo "/proc/$pid/"; done | timeout -s KILL 10 awk -v ME="$me" '{
  user = ""; of = $0
  while ((getline line < (of "status")) > 0) if (split(line, w) && w[1] == "Uid:") user = w[2]
  close(of "status")
  n = split(of, p, "/")
  if (user == "") whose = "went"; else if (user == ME) whose = "mine"; else whose = user == 0 ? "theirs" : ""
  while (whose == "" && (getline line < (of "cgroup")) > 0) if (line ~ /\.service/ && line !~ /:\/user\.slice\//) whose = "theirs"
  close(of "cgroup")
  if (whose != "") print whose, p[n - 1]
}')
END
}

# gate_needs_root PIDFILE
gate_needs_root() {
  gate_uid self
  me=$UID_OF
  [ "$me" != 0 ] || return 1
  # Where others' processes are hidden (hidepid), only root can tell.
  [ -d /proc/1 ] || return 0
  gate_masters /proc/[0-9]*/cmdline || {
    # What others run does not matter where the login has a master of its own.
    own=''
    for file in /proc/[0-9]*/cmdline; do [ ! -O "$file" ] || own="$own $file"; done
    # shellcheck disable=SC2086
    gate_masters $own
  }
  # Of several, the one that the pid file names.
  case $masters in ' '*' '*)
    named=''
    if [ -n "$1" ] && [ -f "$1" ]; then
      { named=$(timeout -s KILL 2 head -c 32 "$1"); } 2>/dev/null
      named=${named%%[!0-9]*}
    fi
    case " $masters " in *" ${named:-none} "*) masters=$named ;; esac ;;
  esac
  gate_owners
  [ -z "$theirs" ] || return 0
  # With none left, only root's own books may tell of an upgrade that was begun.
  [ -n "$mine" ] || { [ -z "$went" ] && [ ! -d /var/lib/nginx-hot-upgrade ]; } || return 0
  # Its file gave it capabilities: only root may look into it.
  for pid in $mine; do [ -e "/proc/$pid/exe" ] || return 0; done
  return 1
}

IFS= read -r HELLO
marker='' sudo='' pid_file=''
set -f
IFS='	'
# shellcheck disable=SC2086
for field in $HELLO; do
  case $field in
    nhu1) ;;
    sudo=*) sudo=${field#*=} ;;
    pid_file=*) pid_file=${field#*=} ;;
    *) marker=$field ;;
  esac
done
unset IFS
set +f
if gate_needs_root "$pid_file"; then
  # Said before sudo is asked: what it answers instead of the helper is then known for its own.
  printf '@%s {"v":1,"id":0,"event":"elevating"}\n' "$marker"
  # shellcheck disable=SC2086
  exec $sudo /bin/sh -c "$NHU_START" nginx-hot-upgrade "$1" elevated
fi
eval "$NHU_START"
