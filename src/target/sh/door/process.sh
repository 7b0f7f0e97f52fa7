# ------------------------------------------------------------------------------------------------- the door: processes
#
# What any user of the target can write or name is read in the rooms of the door and nowhere else: bounded, with a deadline
# where it may never end, with the rights of the user whose it is, and handed on as numbers, as words of ours, or as the one
# value of one variable.

# within SECONDS COMMAND...: ends by force what may never end. Nothing else is heard by what hangs in the kernel.
within() { timeout -s KILL "$@"; }

# beside SECONDS COMMAND...: reads what lies beside the binary, where another user's hand may be in it.
beside() {
  if [ -n "$HAND" ]; then within "$@"; else shift; "$@"; fi
}

# aside SECONDS COMMAND...: what runs with others' rights has nothing of ours in its hands.
aside() { within "$@" </dev/null >/dev/null 2>&1; }

# as_theirs SECONDS BYTES COMMAND...: prints what COMMAND says with the rights of READ_AS. Others of that user can take the pipe out of
# its hands (pidfd_getfd) and keep it: what reads here ends all the same.
as_theirs() {
  local _seconds _bytes
  _seconds=$1 _bytes=$2
  shift 2
  if [ -z "$READ_AS" ]; then
    # What is ours takes no more than it is; what is of others, where nobody can step down, may.
    if [ "$STEPS" = no ]; then (ulimit -v 1048576 2>/dev/null; within "$_seconds" "$@") 2>/dev/null
    else within "$_seconds" "$@" 2>/dev/null; fi
    return
  fi
  # shellcheck disable=SC2086
  (ulimit -v 1048576 2>/dev/null; within "$_seconds" $READ_AS "$@") </dev/null 2>/dev/null | within "$((_seconds + 1))" head -c "$_bytes"
}

# heard SECONDS BYTES COMMAND...: HEARD is the end of what a command of theirs says, HEARD_EXIT how it ends. It brings its own deadline.
heard() {
  local _seconds _bytes
  _seconds=$1 _bytes=$2
  shift 2
  if [ -z "$S_as" ] && [ -z "$AS" ]; then
    # Nobody else can put words between; but what it leaves behind may keep the pipe open.
    { HEARD=$({ "$@" </dev/null 2>&1; printf '\n%s' "$?"; } | within "$_seconds" tail -c "$_bytes"); } 2>/dev/null
    HEARD_EXIT=${HEARD##*"$NL"} HEARD=${HEARD%"$NL"*}
    return
  fi
  { HEARD=$(
    exec 5>&1
    _exit=$({ { "$@" </dev/null 2>&1 3>&- 5>&-; echo "$?" >&3; } | within "$_seconds" tail -c "$_bytes" >&5 3>&-; } 3>&1)
    printf '\n%s' "$_exit"
  ); } 2>/dev/null
  HEARD_EXIT=${HEARD##*"$NL"} HEARD=${HEARD%"$NL"*}
}

# UP: seconds as text; NOW: tenths of a second.
uptime_now() {
  local _fraction
  read -r UP _ </proc/uptime
  _fraction=${UP#*.}
  NOW=${UP%.*}${_fraction%"${_fraction#?}"}
  NOW=${NOW#0}
}

boot_id() { read -r BOOT </proc/sys/kernel/random/boot_id; }

# my_uid: MY_UID, and what our programs can be raised to, MY_BOUNDS.
my_uid() {
  local _key _value
  while read -r _key _value; do
    case $_key in Uid:) MY_UID=${_value%%[!0-9]*} ;; CapBnd:) MY_BOUNDS=$_value ;; esac
  done 2>/dev/null </proc/self/status
}

# start_of PID: START, PARENT and SESSION of a living process. Fails with 1 where there is none (a zombie is none), with 2 where
# there is one that cannot be read.
start_of() {
  local _line _all
  START='' PARENT='' SESSION='' _all=''
  while IFS= read -r _line; do _all=$_all$_line; done 2>/dev/null <"/proc/$1/stat"
  if [ -z "$_all" ]; then
    [ -d "/proc/$1" ] || return 1
    return 2
  fi
  # Its name may hold anything, newlines and parentheses too: count from behind the last one (proc(5), /proc/pid/stat).
  # shellcheck disable=SC2086
  set -- ${_all##*) }
  case ${1-} in Z | X) return 1 ;; esac
  [ $# -ge 20 ] || return 2
  PARENT=$2 SESSION=$4 START=${20}
}

# lives PID START: the very process, not one that got its number later. One that cannot be read is not taken for gone.
lives() {
  [ -n "$1" ] && [ "$1" != 0 ] || return 1
  start_of "$1"
  case $? in 0) [ "$START" = "$2" ] ;; 2) return 0 ;; *) return 1 ;; esac
}

# uid_of PID: UID_OF is the user that it runs as (the real one), empty where there is no such process. The kernel writes no
# name unescaped into this file.
uid_of() {
  local _key _real
  UID_OF=''
  while read -r _key _real _; do
    [ "$_key" != Uid: ] || { UID_OF=$_real; return 0; }
  done 2>/dev/null <"/proc/$1/status"
}

children_of() {
  CHILDREN=''
  if [ -e "/proc/$1/task/$1/children" ]; then
    { read -r CHILDREN <"/proc/$1/task/$1/children"; } 2>/dev/null
  else
    # A name with a newline makes two lines of one: only a whole one has so many fields.
    CHILDREN=$(awk -v P="$1" '{ sub(/^.*\) /, "") } NF > 40 && $2 == P && $1 != "Z" { n = split(FILENAME, f, "/"); print f[n - 1] }' \
      /proc/[0-9]*/stat 2>/dev/null | tr '\n' ' ')
  fi
}

# among LIST PID: whether LIST, of words "PID:START", holds that number.
among() { case " $1 " in *" $2:"*) ;; *) return 1 ;; esac; }

# numbers_in LIST: NUMBERS are the numbers of such words.
numbers_in() {
  local _word
  NUMBERS=''
  for _word in $1; do NUMBERS="$NUMBERS ${_word%%:*}"; done
}

# workers_of MASTER [NOT]: WORKERS are its children but for NOT, a new master; STARTED are the same as words "PID:START".
workers_of() {
  local _c
  children_of "$1"
  WORKERS='' STARTED=''
  for _c in $CHILDREN; do
    [ "$_c" != "${2-}" ] && start_of "$_c" || continue
    WORKERS="$WORKERS $_c" STARTED="$STARTED $_c:$START"
  done
}

# staff_of MASTER [NOT]: STAFF are its workers, not its cache manager, its cache loader (which ends by itself after a minute) or
# other helpers; STAFF_STARTED the same as words "PID:START". What says nothing of itself is taken for a worker.
staff_of() {
  local _word
  workers_of "$1" "${2-}"
  # shellcheck disable=SC2086
  roles_lately $WORKERS
  STAFF='' STAFF_STARTED=''
  for _word in $STARTED; do
    role_in "${_word%:*}"
    case $ROLE in cache | master) ;; *) STAFF="$STAFF ${_word%:*}" STAFF_STARTED="$STAFF_STARTED $_word" ;; esac
  done
}

# roles_lately PID...: as roles_of, but what called itself a worker or a cache process three tenths of a second ago is not asked again.
roles_lately() {
  local _p
  uptime_now
  if [ "$((NOW - ROLES_AT))" -le 3 ]; then
    _p=''
    for _p in "$@"; do case $ROLES in *" $_p=worker "* | *" $_p=cache "*) ;; *) _p=''; break ;; esac; done
    [ -z "$_p" ] || return 0
  fi
  roles_of "$@"
  ROLES_AT=$NOW
}

# roles_of PID...: ROLES is what each calls itself, " PID=ROLE PID=ROLE ": worker, leaving (a worker that shuts down), master, cache
# (its manager or loader, or a privileged agent), other. Only the beginning of a title is read, and no word of it gets out. A
# process of a user can make this hang, or look like several: then each is asked alone.
roles_of() {
  local _p _paths _left _said _text _line
  ROLES=' ' _paths='' _left=" $* "
  [ $# -gt 0 ] || return 0
  for _p in "$@"; do _paths="$_paths /proc/$_p/cmdline"; done
  # shellcheck disable=SC2086
  { _text=$(exec timeout -s KILL 2 head -v -c 48 $_paths); } 2>/dev/null
  [ $? != 137 ] || _text="$_text${NL}hung"
  _p='' _said=1
  set -f
  IFS=$NL
  for _line in $_text; do
    case $_line in
      '==> /proc/'[0-9]*'/cmdline <==')
        _line=${_line#'==> /proc/'} _line=${_line%'/cmdline <=='}
        case $_left in *" $_line "*) _left=" ${_left#*" $_line "}" _p=$_line _said=0; continue ;; esac ;;
    esac
    # A title of nginx has one line.
    [ "$_said" = 0 ] || { _p=odd; break; }
    role_word "$_line"
    ROLES="$ROLES$_p=$ROLE " _said=1
  done
  IFS=" $TAB$NL"
  set +f
  [ "$_p" != odd ] || roles_one_by_one "$@"
}

roles_one_by_one() {
  local _p _text
  ROLES=' '
  for _p in "$@"; do
    { _text=$(within 1 head -c 48 "/proc/$_p/cmdline"); } 2>/dev/null
    role_word "${_text%%"$NL"*}"
    ROLES="$ROLES$_p=$ROLE "
  done
}

# role_word TITLE: ROLE. It may be cut to what argv and environment left room for (ngx_setproctitle), hence the short patterns.
role_word() {
  case $1 in
    *'shutting down'*) ROLE=leaving ;;
    *': wo'*) ROLE=worker ;;
    *': ma'*) ROLE=master ;;
    *': ca'* | *': pr'*) ROLE=cache ;;
    *) ROLE=other ;;
  esac
}

# role_in PID: its ROLE as roles_of saw it, empty where it said nothing.
role_in() { case $ROLES in *" $1="*) ROLE=${ROLES#*" $1="} ROLE=${ROLE%% *} ;; *) ROLE='' ;; esac; }

# title_of PID: TITLE is the first line of what it calls itself, TITLE_CUT=1 where that has more than 4096 bytes. A title of
# nginx is one string, blank or zero padded.
title_of() {
  TITLE='' TITLE_CUT=0
  uid_of "$1"
  # A process of our own does not make this hang.
  if [ "$UID_OF" = "$MY_UID" ]; then { IFS= read -r TITLE <"/proc/$1/cmdline"; } 2>/dev/null || :
  else { TITLE=$(within 2 head -c 4097 "/proc/$1/cmdline"); } 2>/dev/null; fi
  TITLE=${TITLE%%"$NL"*}
  [ ${#TITLE} -le 4096 ] || TITLE_CUT=1
  TITLE=${TITLE%"${TITLE##*[! ]}"}
}

# link_of LINK: LINK is where it leads, also where that ends with a newline; empty where it cannot be read.
link_of() {
  LINK=$(readlink -n "$1" 2>/dev/null; echo .)
  LINK=${LINK%.}
}

# is_of_same_user PID OTHER
is_of_same_user() {
  local _uid
  uid_of "$1"
  _uid=$UID_OF
  uid_of "$2"
  [ -n "$_uid" ] && [ "$_uid" = "$UID_OF" ]
}

# runs_file PID FILE: without starting a process.
runs_file() { [ "/proc/$1/exe" -ef "$2" ]; }

# runs_like PID OTHER: both run the same file.
runs_like() { [ "/proc/$1/exe" -ef "/proc/$2/exe" ]; }

# signals_of PID: SIGNALS are those that it blocks and catches, as the kernel writes them; UID_OF as of uid_of.
signals_of() {
  local _key _value
  SIGNALS='' UID_OF=0
  while read -r _key _value _; do
    case $_key in
      Uid:) UID_OF=$_value ;;
      SigBlk: | SigCgt:) SIGNALS="$SIGNALS$_key$_value " ;;
    esac
  done 2>/dev/null <"/proc/$1/status"
}

# processes_of INODE: RUNNING lists every process that runs this very file.
processes_of() {
  RUNNING=''
  [ -n "$1" ] || return 0
  set -- "$1" /proc/[0-9]*/exe
  RUNNING=$(links_of "$@" | awk -v I="$1" '$1 == I { split($2, p, "/"); printf "%s ", p[3] }')
}

# links_of _ LINK...: device, inode and name of where each leads. More than an argument list holds are asked in pieces.
links_of() {
  shift
  if [ $# -le 20000 ]; then within 5 stat -L -c '%d:%i %n' "$@"
  else echo "$@" | within 20 xargs -n 20000 stat -L -c '%d:%i %n'; fi 2>/dev/null
}

# generation_of INODE: RUNNING are, of the processes that run this file, those of the upgrade under way, as words "PID:START".
# Anybody may run the file: they lie in the old master's session, which nobody can enter, or hold one of its listening sockets.
generation_of() {
  local _those _p
  processes_of "$1"
  _those=$RUNNING RUNNING=''
  for _p in $_those; do
    start_of "$_p" || continue
    [ "$SESSION" = "$S_session" ] || holds_listener "$_p" || continue
    RUNNING="$RUNNING $_p:$START"
  done
}

# usr2_pending: the old master was sent USR2 and has not acted on it. It blocks signals except where it waits for them; with two at
# once it reloads first and executes after that (ngx_master_process_cycle).
usr2_pending() {
  local _key _mask
  while read -r _key _mask; do
    # 0x800 in the third digit from the end.
    case $_key in SigPnd: | ShdPnd: | SigBlk:) case ${_mask%??} in *[89a-f]) return 0 ;; esac ;; esac
  done 2>/dev/null <"/proc/$S_om/status"
  return 1
}

# confined PID: by AppArmor or SELinux.
confined() {
  local _label
  _label=unconfined
  { read -r _label <"/proc/$1/attr/current"; } 2>/dev/null
  case $_label in '' | unconfined* | *:unconfined_t:* | kernel | *initrc_t*) return 1 ;; esac
}

# is_shut_in PID: by its unit, in what a process that we start for its user would not be: a filter of system calls, a policy, mounts or a network of its own.
is_shut_in() {
  local _key _value
  for _key in mnt net ipc pid; do
    [ "/proc/$1/ns/$_key" -ef "/proc/self/ns/$_key" ] || [ ! -e "/proc/self/ns/$_key" ] || return 0
  done
  ! confined "$1" || return 0
  while read -r _key _value; do
    [ "$_key" != Seccomp: ] || { [ "$_value" != 0 ]; return; }
  done 2>/dev/null <"/proc/$1/status"
  return 1
}

# sees_other KIND PID: its namespace of that kind is not ours. What may not be looked into is taken for ours.
sees_other() { [ -e "/proc/$2/ns/$1" ] && [ ! "/proc/$2/ns/$1" -ef "/proc/self/ns/$1" ]; }

# view_of PID: VIEW is its root, where it has mounts of its own.
view_of() {
  VIEW=''
  ! sees_other mnt "$1" || VIEW=/proc/$1/root
}

# way_in PID: ENTER is what runs a program with the mounts, the network and the directory of that process; empty where mounts and network
# are ours. False where there is none. Only to a process of root's: what root runs there is looked up there, with its loader and its
# libraries, so whoever arranged those mounts must be root; outside of a user namespace nobody else can.
way_in() {
  ENTER=''
  sees_other mnt "$1" || sees_other net "$1" || return 0
  [ "$MY_UID" = 0 ] && uid_of "$1" && [ "$UID_OF" = 0 ] && in_our_userns "$1" && command -v nsenter >/dev/null || return 1
  ENTER="nsenter -t $1 -m -n -r -w"
}

# has_open PID FILE
has_open() {
  local _fd
  for _fd in "/proc/$1/fd/"*; do [ ! "$_fd" -ef "$2" ] || return 0; done
  return 1
}

# unit_of PID: UNIT is the system service that started it, if any. Below its own cgroup a service may make others with names
# of its choice: the first that is no slice is systemd's (cg_path_get_unit).
unit_of() {
  local _controllers _group _part
  UNIT=''
  while IFS=: read -r _ _controllers _group; do
    case $_controllers in '' | name=systemd) ;; *) continue ;; esac
    _group=${_group#/}
    while :; do
      _part=${_group%%/*}
      case $_part in *.slice) ;; *) break ;; esac
      case $_group in */*) _group=${_group#*/} ;; *) break ;; esac
    done
    case $_part in user@* | *[!A-Za-z0-9:_.\\@-]*) ;; *.service) UNIT=$_part ;; esac
  done 2>/dev/null <"/proc/$1/cgroup"
  command -v systemctl >/dev/null || UNIT=''
}

# own_unit_of PID: UNIT, where that is none of the system's, is the service of our own user's that it is the main process of.
own_unit_of() {
  local _group _part
  [ -z "$UNIT" ] && [ "$MY_UID" != 0 ] && command -v systemctl >/dev/null || return 0
  while IFS=: read -r _ _ _group; do
    case $_group in *"/user@$MY_UID.service/"*) _group=${_group#*"/user@$MY_UID.service/"} ;; *) continue ;; esac
    while :; do case $_group in *.slice/*) _group=${_group#*/} ;; *) break ;; esac; done
    _part=${_group%%/*}
    case $_part in *[!A-Za-z0-9:_.\\@-]*) ;; *.service) UNIT=user:$_part ;; esac
  done 2>/dev/null <"/proc/$1/cgroup"
  [ -n "$UNIT" ] || return 0
  manager_of "$UNIT"
  # shellcheck disable=SC2086
  [ "$(within 5 $MANAGER show -p MainPID "$S_service" 2>/dev/null)" = "MainPID=$1" ] || UNIT=''
}

# manager_of UNIT: MANAGER and S_service are the command that asks and tells its service manager, and its name there. A guard has no variables.
manager_of() {
  case $1 in
    user:*) MANAGER="env XDG_RUNTIME_DIR=/run/user/$MY_UID systemctl --user" S_service=${1#user:} ;;
    *) MANAGER=systemctl S_service=$1 ;;
  esac
}

# user_of PID: AS is what runs a program with its user, groups and ambient capabilities, and with no more of what these could be raised
# to; empty where these are ours, and what runs nothing where they cannot be told. In a user namespace of its own whoever made
# it has any capability, which is none here.
user_of() {
  local _key _values _uid _gid _groups _ambient _bounds _quiet
  AS=false PATIENCE='timeout -s KILL 10' _uid='' _gid='' _groups='' _ambient='' _bounds='' _quiet=''
  while read -r _key _values; do
    case $_key in
      Uid:) _uid=${_values%%[!0-9]*}; [ "$_uid" != "$MY_UID" ] || { AS='' PATIENCE=''; return 0; } ;;
      Gid:) _gid=${_values%%[!0-9]*} ;;
      Groups:) _groups=$_values ;;
      CapAmb:) _ambient=$_values ;;
      CapBnd:) _bounds=$_values ;;
      NoNewPrivs:) [ "$_values" != 1 ] || _quiet=' --no-new-privs' ;;
    esac
  done 2>/dev/null <"/proc/$1/status"
  [ -n "$_uid" ] && [ -n "$_gid" ] && in_our_userns "$1" || return 1
  # shellcheck disable=SC2086
  set -- $_groups
  if [ $# = 0 ]; then AS="setpriv --reuid=$_uid --regid=$_gid --clear-groups"
  else AS="setpriv --reuid=$_uid --regid=$_gid --groups=$(IFS=,; echo "$*")"; fi
  AS=$AS$_quiet
  if [ "$_bounds" != "$MY_BOUNDS" ]; then capabilities_in "$_bounds"; AS="$AS --bounding-set=-all$CAPABILITIES"; fi
  capabilities_in "$_ambient"
  [ -z "$CAPABILITIES" ] || AS="$AS --inh-caps=-all$CAPABILITIES --ambient-caps=-all$CAPABILITIES"
}

# in_our_userns PID: or there are none.
in_our_userns() { [ "/proc/$1/ns/user" -ef /proc/self/ns/user ] || [ ! -e /proc/self/ns/user ]; }

# capabilities_in HEX: CAPABILITIES as setpriv adds them, each behind a comma. Digit by digit: not every shell counts to 64 bits.
capabilities_in() {
  local _rest _left _at _digit
  CAPABILITIES='' _left=$1 _at=0
  while [ -n "$_left" ]; do
    _rest=${_left%?}
    _digit=$((0x${_left#"$_rest"})) _left=$_rest
    [ $((_digit & 1)) = 0 ] || CAPABILITIES="$CAPABILITIES,+cap_$_at"
    [ $((_digit & 2)) = 0 ] || CAPABILITIES="$CAPABILITIES,+cap_$((_at + 1))"
    [ $((_digit & 4)) = 0 ] || CAPABILITIES="$CAPABILITIES,+cap_$((_at + 2))"
    [ $((_digit & 8)) = 0 ] || CAPABILITIES="$CAPABILITIES,+cap_$((_at + 3))"
    _at=$((_at + 4))
  done
}
