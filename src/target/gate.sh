# shellcheck shell=dash disable=SC2154,SC2013
# Runs before the helper where the login may have to become root: root is needed unless the master meant is the login's
# own. Read from standard input to the last byte, so that whoever goes on finds the helper there. NHU_BYTES is its length.
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

# gate_needs_root PIDFILE
gate_needs_root() {
  gate_uid self
  me=$UID_OF
  [ "$me" != 0 ] || return 1
  # Where others' processes are hidden (hidepid), only root can tell.
  [ -d /proc/1 ] || return 0
  masters=''
  for file in $(grep -lE '^(nginx|angie): ma' /proc/[0-9]*/cmdline 2>/dev/null); do
    file=${file#/proc/}
    # grep looks at every argument: a search for a master is none.
    title=''
    { IFS= read -r title <"/proc/${file%/cmdline}/cmdline"; } 2>/dev/null
    case $title in 'nginx: ma'* | 'angie: ma'*) masters="$masters ${file%/cmdline}" ;; esac
  done
  named=''
  [ -z "$1" ] || { read -r named <"$1"; } 2>/dev/null
  case " $masters " in *" ${named:-none} "*) masters=$named ;; esac
  # With none left, only root's own books may tell of an upgrade that was begun.
  [ -n "$masters" ] || [ ! -d /var/lib/nginx-hot-upgrade ] || return 0
  for pid in $masters; do
    gate_uid "$pid"
    [ "$UID_OF" = "$me" ] || return 0
    # Its file gave it capabilities: only root may look into it.
    [ -e "/proc/$pid/exe" ] || return 0
  done
  return 1
}

IFS= read -r HELLO
tab='	'
rest=$HELLO$tab
marker='' sudo='' pid_file=''
while [ -n "$rest" ]; do
  field=${rest%%"$tab"*} rest=${rest#*"$tab"}
  case $field in
    nhu1) ;;
    sudo=*) sudo=${field#*=} ;;
    pid_file=*) pid_file=${field#*=} ;;
    *) marker=$field ;;
  esac
done
if gate_needs_root "$pid_file"; then
  # Said before sudo is asked: what it answers instead of the helper is then known for its own.
  printf '@%s {"v":1,"id":0,"event":"elevating"}\n' "$marker"
  # shellcheck disable=SC2086
  exec $sudo /bin/sh -c "$NHU_START" nginx-hot-upgrade "$1" elevated "$marker"
fi
eval "$NHU_START"
