# --------------------------------------------------------------------------------------------------- the door: masters

# all_masters: MASTERS are all processes that call themselves a master, lie in our pid namespace, and are of our own user, or
# of a system service where we are root. FOREIGN lie in other namespaces. STRANGERS are other users': anybody may call a
# process so. What a master names is never run here with more rights than its own.
all_masters() {
  local _p _count
  MASTERS='' FOREIGN='' STRANGERS='' _count=0
  titled_masters
  owners_of_titled
  for _p in $OWN $IN_SERVICES; do
    start_of "$_p" || continue
    uid_of "$_p"
    if [ "$UID_OF" = "$MY_UID" ] || of_service "$_p"; then
      # What may not be looked into is no other namespace's for that.
      if [ ! -e "/proc/$_p/ns/pid" ] || [ "/proc/$_p/ns/pid" -ef /proc/self/ns/pid ]; then MASTERS="$MASTERS $_p"
      else FOREIGN="$FOREIGN $_p"; fi
    else
      _count=$((_count + 1))
      [ "$_count" -gt 10 ] || STRANGERS="$STRANGERS $_p"
    fi
  done
  [ "$_count" -gt 0 ] || STRANGERS=$OTHERS
}

# owners_of_titled: of TITLED, OWN are ours, IN_SERVICES are others' in a service of the system, as far as a hundred; OTHERS are ten of
# the rest. Anybody can make ten thousand, so not one by one; a few are all left to be looked at.
owners_of_titled() {
  local _pid
  OWN='' IN_SERVICES='' OTHERS=''
  # shellcheck disable=SC2086
  set -- $TITLED
  [ $# -gt 20 ] || { OWN=$TITLED; return 0; }
  while read -r _pid; do
    case $_pid in
      own*) OWN="$OWN ${_pid#own }" ;;
      service*) IN_SERVICES="$IN_SERVICES ${_pid#service }" ;;
      other*) OTHERS="$OTHERS ${_pid#other }" ;;
    esac
  done <<EOF
$(for _pid in "$@"; do echo "/proc/$_pid/status"; done | within 10 awk -v ME="$MY_UID" '
    {
      user = ""; file = $0
      while ((getline line < file) > 0) if (line ~ /^Uid:/) { split(line, w); user = w[2]; break }
      close(file)
      if (user == "") next
      pid = file; gsub(/[^0-9]/, "", pid)
      if (user == ME) { print "own", pid; next }
      group = file; sub(/status$/, "cgroup", group); in_service = 0
      while (ME == 0 && (getline line < group) > 0) if (line !~ /:\/user\.slice\// && line ~ /\.service/) in_service = 1
      close(group)
      if (in_service && services++ < 100) print "service", pid
      else if (!in_service && others++ < 10) print "other", pid
    }')
EOF
}

# titled_masters: TITLED are all processes that call themselves a master; where reading what some process calls itself never
# ends, only those of our own user and of system services.
titled_masters() {
  local _p _own
  titles_among /proc/[0-9]*/cmdline && return 0
  TITLED='' _own=''
  [ "$MY_UID" != 0 ] || service_titles /proc/[0-9]*
  for _p in /proc/[0-9]*; do [ ! -O "$_p" ] || _own="$_own $_p/cmdline"; done
  _p=$TITLED
  # shellcheck disable=SC2086
  titles_among $_own
  TITLED="$TITLED $_p"
}

# titles_among FILE...: TITLED are those of /proc/PID/cmdline whose titles begin like a master's; SEEN as ROLES of roles_of, of all of
# nginx's. Only so much is read of each that it cannot hold what looks like the name of the next. False where that had to be ended.
titles_among() {
  local _p _text _line
  TITLED='' SEEN=' '
  [ $# -gt 0 ] || return 0
  { _text=$(
    if [ $# -le 20000 ]; then within 2 head -v -c 16 "$@"; else echo "$@" | within 10 xargs -n 20000 head -v -c 16; fi
    echo "ended $?"
  ); } 2>/dev/null
  _p=''
  set -f
  IFS=$NL
  for _line in $_text; do
    case $_line in
      '==> /proc/'*'/cmdline <==') _p=${_line#'==> /proc/'} _p=${_p%'/cmdline <=='}; continue ;;
      'nginx: '* | 'angie: '*)
        [ -n "$_p" ] || continue
        role_word "$_line"
        SEEN="$SEEN$_p=$ROLE "
        [ "$ROLE" != master ] || TITLED="$TITLED $_p" ;;
    esac
    _p=''
  done
  IFS=" $TAB$NL"
  set +f
  case $_text in *'ended 137') return 1 ;; esac
}

# service_titles DIRECTORY...: the same of processes that system services started under another user, one by one, at most a hundred.
service_titles() {
  local _p _count
  _count=0 TITLED=''
  for _p in "$@"; do
    [ ! -O "$_p" ] && [ "$_count" -lt 100 ] || continue
    unit_of "${_p#/proc/}"
    [ -n "$UNIT" ] || continue
    _count=$((_count + 1))
    roles_one_by_one "${_p#/proc/}"
    case $ROLES in *=master*) TITLED="$TITLED ${_p#/proc/}" ;; esac
  done
}

# of_service PID: under another user it is what a system service with that `User=` was started for, or the other generation of
# it, and its file is the one that lies where only root can put one. A cgroup alone proves nothing (users' cron jobs lie in that of
# cron), nor does a name: that of a file in memory is anybody's choice.
of_service() {
  local _main _user
  [ "$MY_UID" = 0 ] && command -v setpriv >/dev/null && in_our_userns "$1" || return 1
  unit_of "$1"
  [ -n "$UNIT" ] || return 1
  service_of "$UNIT"
  _user=${SERVICE#* } _main=${SERVICE%% *}
  [ -n "$_user" ] && [ "$_user" = "$UID_OF" ] || return 1
  start_of "$1" || return 1
  children_of "$1"
  case " $1 $PARENT $CHILDREN " in *" ${_main:-0} "*) ;; *) return 1 ;; esac
  link_of "/proc/$1/exe"
  LINK=${LINK%' (deleted)'}
  runs_file "$1" "$LINK" && only_root_writes "$LINK"
}

# service_of UNIT: SERVICE is "MAINPID UID" of its `User=`. Asked once.
service_of() {
  local _main _user
  case $SERVICES in *"$NL$1 "*) ;; *)
    _main=$(within 5 systemctl show -p MainPID -p User "$1" 2>/dev/null)
    _user=${_main##*User=} _main=${_main##*MainPID=}
    _user=${_user%%"$NL"*} _main=${_main%%"$NL"*}
    [ -z "$_user" ] || _user=$(id -u "$_user" 2>/dev/null)
    SERVICES="$SERVICES$1 $_main $_user$NL" ;;
  esac
  SERVICE=${SERVICES#*"$NL$1 "} SERVICE=${SERVICE%%"$NL"*}
}

# roots_among: ROOTS are the masters without a master as parent: the old one of an upgrade, or the only one.
roots_among() {
  local _p
  ROOTS=''
  for _p in $MASTERS; do
    start_of "$_p" || continue
    case " $MASTERS " in *" $PARENT "*) ;; *) ROOTS="$ROOTS $_p" ;; esac
  done
}

# find_master PIDFILE-OR-EMPTY: OM is the one master meant, or empty with WHY_NOT (not-running, ambiguous-master, ...).
# DRAINING is its predecessor, where that has not ended yet.
find_master() {
  local _c
  find_root "$1"
  DRAINING=''
  # Our own user's, but one whose file gave it capabilities: only root may look into it (proc(5), PR_SET_DUMPABLE).
  if [ -n "$OM" ] && [ ! -e "/proc/$OM/exe" ]; then OM='' WHY_NOT=master-hidden; fi
  [ -n "$OM" ] || return 0
  # After QUIT the old master has closed its listeners and only waits for its last connections: its child is the master.
  children_of "$OM"
  for _c in $CHILDREN; do
    case " $MASTERS " in *" $_c "*) ;; *) continue ;; esac
    listeners_of "$OM"
    [ -n "$L_DEC" ] || DRAINING=$OM OM=$_c
    break
  done
}

# find_root PIDFILE-OR-EMPTY: the same, but always the oldest of a line of masters. A number in a pid file is a hint: whoever
# owns its directory can write any. The master meant is the one whose own configuration names that file.
find_root() {
  local _named _p _linked
  OM='' WHY_NOT='' SETTLED=''
  all_masters
  roots_among
  if [ -n "$1" ]; then
    _named=''
    case $ROOTS in ' '*' '* | '') ! pid_in "$1" || _named=$PID_TEXT ;; esac
    root_of "$_named"
    _linked=''
    for _p in $ROOT $ROOTS; do
      [ "$_p" = "$SETTLED" ] || settings_of "$_p"
      if [ "$PIDF" = "$1" ]; then OM=$_p; return 0; fi
      [ -n "$_linked" ] || ! same_file "$PIDF" "$1" || _linked=$_p
    done
    if [ -n "$_linked" ]; then
      OM=$_linked
      [ "$OM" = "$SETTLED" ] || settings_of "$OM"
      return 0
    fi
    pid_in "$1" && root_of "$PID_TEXT"
    WHY_NOT=not-running
    case " $TITLED " in *" ${PID_TEXT:-none} "*) WHY_NOT=master-user ;; esac
    [ -z "$ROOT" ] || WHY_NOT=other-pid-file
    return 0
  fi
  # shellcheck disable=SC2086
  set -- $ROOTS
  case $# in
    0)
      WHY_NOT=not-running
      [ -z "$FOREIGN" ] || WHY_NOT=container-pid1
      [ -z "$STRANGERS" ] || WHY_NOT=master-user
      ;;
    1) OM=$1 ;;
    *) WHY_NOT=ambiguous-master ;;
  esac
}

# root_of PID: ROOT is that master, or the one that started it; empty where it is none.
root_of() {
  ROOT=''
  case " $MASTERS " in *" ${1:-none} "*) ;; *) return 0 ;; esac
  start_of "$1" || return 0
  ROOT=$1
  case " $MASTERS " in *" $PARENT "*) ROOT=$PARENT ;; esac
}
