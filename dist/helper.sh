#!/bin/sh
# shellcheck shell=dash
# Set and read by name through eval (A_, S_): SC2154, SC2034. Lists of /proc and of digests, no odd names: SC2012, SC2013,
# SC2045. `A && B || C` where B cannot fail: SC2015. Titles, not names, are looked for: SC2009. Programs of awk: SC2016.
# shellcheck disable=SC2154,SC2034,SC2012,SC2013,SC2045,SC2015,SC2009,SC2016
#
# nginx-hot-upgrade: what acts on the target. The runner decides, this acts: one verb is one whole step with its own
# waiting, may be asked twice, and answers one JSON record on a line of its own. Needs a base system and /proc, no more.
#
# Asked over standard input, after one line "nhu1 MARKER" (fields are separated by tabs):
#   ID  VERB  key=value  key=value ...
# Answered on standard output:
#   @MARKER {"v":1,"id":ID,"verb":VERB,"ok":true|false,...}
# Entries: `session` (answers until end of input), `once` (one request), `guard DIR`. The request `receive` is followed by the
# bytes of a binary, as many as it says.
#
# Numbers: times are tenths of a second of /proc/uptime (monotonic; mksh counts in 32 bits), start times and inodes are
# compared as strings only.

set -u
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
# nginx takes NGINX for a list of inherited sockets (ngx_add_inherited_sockets): never let one slip into a child.
unset NGINX ANGIE NGINX_BPF_MAPS ENV BASH_ENV CDPATH
# What is read from the output of ls, stat, grep and df must look the same everywhere.
unset TIME_STYLE QUOTING_STYLE LS_COLORS LS_BLOCK_SIZE BLOCK_SIZE BLOCKSIZE DF_BLOCK_SIZE POSIXLY_CORRECT GREP_OPTIONS
umask 077

VERSION=1
TAB='	'
NL='
'
LOOKS=0
SYNCING=0
SERIAL=0
TRASH=0
ROOM='' PROBE='' BINDS='' LIMIT='' ENTER='' VIEW='' AWAY='' BASE='' PREFIX='' STARTS='' BUILD='' MISSING='' MADE_BESIDE='' LEFT_THERE=''
MY_UID='' DIRECTIVES='' UNSURE=' ' S_unix='' MY_BOUNDS='' AS='' CAPABILITIES='' HEARD='' HEARD_EXIT='' PATIENCE='' READ_AS='' HAND='' LOGFILE='' LOG_PATH='' MADE='' SOCKETS="$NL" PLACES="$NL" READERS="$NL" CONFIG_BY=0 CONFIG_FILES='' CONFIG_WHOLE=0 MODULES_PLACE=several SHOWN='' OPT_G='' LEFT=1 EXPANDED='' OUR_DIRS="$NL" SERVICES="$NL" STEPS='' LISTS='' SETTLED='' UNSAFE='' LED=''
AFTER='' SUCCESSOR='' UNIT_STATE='' UNIT_MAIN='' UNIT_JOB='' WHY='' MANAGER=systemctl S_service='' OM='' S_om='' S_as='' S_session='' S_listen='' OLD_LISTED='' OLD_ADDR='' REPARKED=0 ROTATED='' POISONED=0 OUTCOME='' BROKEN='' TITLE_CUT=0 CHILDREN='' WORKERS='' STARTED='' ROLES=' ' ROLES_AT=-9 SEEN=' ' ACCEPTING=''
COVERED=0 L_FD='' L_DEC='' L_HEX='' DECISION='' DECISION_WHY='' NOW=0 PID_TEXT=''
WALL_UP=''
TERM_COUNT=0
EXTENDED_AT=0

# ---------------------------------------------------------------------------------------------------------- records

# json_text TEXT: J becomes the quoted JSON form, which holds any text as the one value that it is.
json_text() {
  case $1 in
    *[\\\"]* | *[![:print:]]*)
      J=$(printf '%sx' "$1" | awk '
        { gsub(/[\\"]/, "\\\\&")
          if (/[\001-\037\177]/) for (i = 1; i < 128; i++) if (i < 32 || i == 127) {
            c = sprintf("%c", i); if (index($0, c)) gsub(c, sprintf("\\u%04x", i)) }
          printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }')
      J=\"${J%x}\" ;;
    *) J=\"$1\" ;;
  esac
}

# json_lines TEXT [MOST]: J becomes a JSON array of the lines of TEXT (at most 200 lines of 500 characters), for people: control
# characters turn into blanks.
json_lines() {
  case $1 in
    '') J='[]'; return 0 ;;
    *[\\\"]* | *[!\ -~"$NL"]*) ;;
    *) [ ${#1} -gt 100000 ] || { plain_lines "$1"; return 0; } ;;
  esac
  # From a document, not from printf: that is a program in mksh, and takes 128 KiB.
  J=[$(awk -v MOST="${2-200}" '
    NR > MOST || $0 == "" { next }
    # One record is read as a whole.
    (total += length($0)) > 400000 { exit }
    { line = substr($0, 1, 500); gsub(/[\001-\037\177]/, " ", line); gsub(/[\\"]/, "\\\\&", line)
      printf "%s\"%s\"", sep, line; sep = "," }' <<EOF
$1
EOF
)]
}

# plain_lines TEXT: the same for text that needs no escapes, without starting a process.
plain_lines() {
  local _text
  set -f
  IFS=$NL
  J=''
  for _text in $1; do J="$J,\"$_text\""; done
  J=[${J#,}]
  IFS=" $TAB$NL"
  set +f
}

# one_line TEXT: LINE is TEXT with its lines joined by blanks.
one_line() {
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $1
  IFS=' '
  LINE="$*"
  IFS=" $TAB$NL"
  set +f
}

# Fields of the record under construction.
rec_new() { REC='' OUTCOME='' LOOKS=0; }
rec_text() { json_text "$2"; REC="$REC,\"$1\":$J"; }
# rec_raw NAME JSON: what could not be found out is null.
rec_raw() { REC="$REC,\"$1\":${2:-null}"; }
rec_lines() { json_lines "$2"; REC="$REC,\"$1\":$J"; }
rec_text_or_null() { if [ -n "$2" ]; then rec_text "$1" "$2"; else rec_raw "$1" null; fi; }
# rec_count NAME WORD...
rec_count() { rec_raw "$1" $(($# - 1)); }
rec_bool() { if [ "$2" = 1 ]; then rec_raw "$1" true; else rec_raw "$1" false; fi; }

answer() { tidy; [ -z "$OUTCOME" ] || guard_gone; printf '@%s {"v":%s,"id":%s,"verb":"%s","ok":true%s}\n' "$MARKER" "$VERSION" "$ID" "$VERB" "$REC"; }

# event NAME: an intermediate record, so that the runner can tell the phases of a long verb apart.
event() {
  uptime_now
  printf '@%s {"v":%s,"id":%s,"verb":"%s","event":"%s","up":"%s"}\n' "$MARKER" "$VERSION" "$ID" "$VERB" "$1" "$UP"
}

# refuse REASON SENTENCE: the verb's negative answer, with the fields gathered so far. Where the books cannot be read, that is why.
refuse() {
  [ -z "$BROKEN" ] || set -- broken "the books of an upgrade in $D cannot be read ($BROKEN): nothing was done"
  tidy
  [ -z "$OUTCOME" ] || guard_gone
  if [ ${#2} -le 4000 ]; then json_text "$2"; else json_text "$(printf '%.4000s' "$2")"; fi
  printf '@%s {"v":%s,"id":%s,"verb":"%s","ok":false,"reason":"%s","message":%s%s}\n' \
    "$MARKER" "$VERSION" "$ID" "$VERB" "$1" "$J" "$REC"
  return 1
}

# answer_unless_broken: of a verb that has nothing to do where there are no books.
answer_unless_broken() { if [ -z "$BROKEN" ]; then answer; else refuse broken ''; fi; }

# WALL: the wall clock for people, to the second of uptime.
wall_now() {
  [ "${UP%.*}" != "$WALL_UP" ] || return 0
  WALL_UP=${UP%.*}
  WALL=$(date -u +%Y-%m-%dT%H:%M:%SZ)
}

# pause: between two looks; most waits are over in a few milliseconds. Not every sleep knows fractions.
pause() {
  local _tick
  LOOKS=$((LOOKS + 1))
  if [ "$LOOKS" -le 5 ]; then _tick=0.004; elif [ "$LOOKS" -le 50 ]; then _tick=0.01; else _tick=0.05; fi
  sleep "$_tick" 2>/dev/null || sleep 1
}

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

# ----------------------------------------------------------------------------------------------------- the door: files

# inode_of PATH: INODE is device:inode of what PATH leads to, empty where nothing is there.
inode_of() { INODE=$(stat -L -c %d:%i "$1" 2>/dev/null) || INODE=''; }

# inode_of_process PID: INODE of the file that it runs.
inode_of_process() { inode_of "/proc/$1/exe"; }

# read_inodes PATH...: INODE_1, INODE_2 ... of what the paths lead to, empty where nothing is there. At most nine paths, none of
# which holds a control character.
read_inodes() {
  local _number _found _path _inode _name
  INODE_1='' INODE_2='' INODE_3='' INODE_4='' INODE_5='' INODE_6='' INODE_7=''
  _number=0
  _found=$(stat -L -c '%d:%i %n' "$@" 2>/dev/null)
  for _path in "$@"; do
    _number=$((_number + 1))
    while read -r _inode _name; do
      [ "$_name" != "$_path" ] || eval "INODE_$_number=\$_inode"
    done <<EOF
$_found
EOF
  done
}

# is_plain TEXT: may stand in a line of ours, or in a list of paths.
is_plain() { case $1 in *[[:cntrl:]]* | *'|'*) return 1 ;; esac; }

# under BASE PATH: FULL is PATH, made absolute from BASE where it is not.
under() { case $2 in /*) FULL=$2 ;; *) FULL=${1%/}/$2 ;; esac; }

# real_path FILE: REAL is its absolute path without links.
real_path() {
  if [ -L "$1" ]; then REAL=$(within 5 readlink -f "$1" 2>/dev/null) || REAL=$1; return; fi
  REAL=$(cd -P "${1%/*}/" 2>/dev/null && pwd -P) || { REAL=$1; return; }
  REAL=${REAL%/}/${1##*/}
}

# place_of DIRECTORY: whose it is. PLACE is empty where only we and root can change what lies at its end, the number of the one
# user who can besides, or `several`, also where that cannot be told. Below VIEW, the root of a master that has mounts of its own, it is
# looked for as that master sees it.
place_of() {
  case $PLACES in *"$NL$VIEW$1$TAB"*) ;; *) look_up_places "$1" ;; esac
  PLACE=several
  case $PLACES in *"$NL$VIEW$1$TAB"*) PLACE=${PLACES#*"$NL$VIEW$1$TAB"} PLACE=${PLACE%%"$NL"*} ;; esac
}

# others_lead DIRECTORY
others_lead() { place_of "$1" && [ -n "$PLACE" ]; }

# look_up_places DIRECTORY...: adds them to PLACES, for good, by owner and mode of each and of all that lead to it; in one look.
look_up_places() {
  local _path _dir _names _found _uid _gid _mode _depth
  _names='' _found=$#
  for _path in "$@"; do
    case $PLACES in *"$NL$VIEW$_path$TAB"*) continue ;; esac
    is_plain "$_path" && straight "$_path" || continue
    _names="$_names$VIEW$_path$NL"
    IFS=$NL
    set -f
    for _dir in $FULL $HELD; do
      [ ! -L "$VIEW$_dir" ] || { set -- "$@" "$VIEW$_dir"; _dir=${_dir%/*}; }
      while [ -n "$_dir" ]; do set -- "$@" "$VIEW$_dir/"; _dir=${_dir%/*}; done
    done
    set +f
    IFS=" $TAB$NL"
    set -- "$@" "$VIEW/"
  done
  shift "$_found"
  [ $# -gt 0 ] || return 0
  _found=$(stat -c '%u %g %a %n' "$@" 2>/dev/null)
  PLACE='' _depth=0
  while read -r _uid _gid _mode _path; do
    _depth=$((_depth + 1))
    weigh "$_depth" "$_uid" "$_gid" "$_mode" "$_path"
    [ "$_path" = "$VIEW/" ] || continue
    # What is not there has no line of its own.
    PLACES="$PLACES${_names%%"$NL"*}$TAB$PLACE$NL" _names=${_names#*"$NL"} PLACE='' _depth=0
  done <<EOF
$_found
EOF
}

# straight DIRECTORY: FULL is the same without links, and HELD are those, a line each: whoever can change one of them leads elsewhere. False
# where there is none.
straight() {
  # There the kernel would follow links to where they lead here.
  [ -z "$VIEW" ] || { follow "$1" && [ -d "$VIEW$FULL/" ]; return; }
  FULL=${1%/} HELD=''
  [ -d "$1/" ] || return 1
  while [ -n "$FULL" ] && [ ! -L "$FULL" ]; do FULL=${FULL%/*}; done
  if [ -z "$FULL" ]; then FULL=${1%/}; else follow "$1"; fi
}

# follow PATH: the kernel's way, link by link (path_resolution(7)); at most forty, as there.
follow() {
  local _rest _part _links
  _rest=${1#/} FULL='' HELD='' _links=0
  while [ -n "$_rest" ]; do
    _part=${_rest%%/*}
    case $_rest in */*) _rest=${_rest#*/} ;; *) _rest='' ;; esac
    case $_part in
      '' | .) continue ;;
      ..) FULL=${FULL%/*}; continue ;;
    esac
    if [ ! -L "$VIEW$FULL/$_part" ]; then FULL=$FULL/$_part; continue; fi
    _links=$((_links + 1)) HELD=$HELD$FULL/$_part$NL
    [ "$_links" -le 40 ] || return 1
    link_of "$VIEW$FULL/$_part"
    [ -n "$LINK" ] && is_plain "$LINK" || return 1
    case $LINK in /*) FULL='' ;; esac
    _rest=${LINK#/}/$_rest
  done
}

# weigh DEPTH UID GROUP MODE DIRECTORY: what one directory of the way makes of PLACE. In one with the sticky bit only its owner moves what
# lies there; the first is the end of the way, where anybody may put something. Of a link only its owner counts.
weigh() {
  case $2 in 0 | "$MY_UID" | "$PLACE") ;; *) [ -z "$PLACE" ] && PLACE=$2 || PLACE=several ;; esac
  case $5 in */) ;; *) return 0 ;; esac
  case $1:$4 in
    1:*[2367]) PLACE=several ;;
    *:[1357]???) ;;
    *[2367]) PLACE=several ;;
    *[2367]?) has_no_members "$3" && has_no_access_list "$5" || PLACE=several ;;
  esac
}

# has_no_members GROUP: nobody but root and us. Some systems have accounts in root's group that nobody can be.
has_no_members() {
  { cat /etc/passwd /etc/group; getent group "$1"; } 2>/dev/null | awk -F : -v G="$1" -v ME="$MY_UID" '
    NF == 7 && ($3 == 0 || $3 == ME) { ours[$1] = 1 }
    NF == 7 && $4 == G && $3 != 0 && $3 != ME && !(G == 0 && $7 ~ /\/(nologin|false|sync|halt|shutdown)$/) { bad = 1 }
    NF == 4 && $3 == G { n = split($4, name, ","); for (i = 1; i <= n; i++) if (!(name[i] in ours)) bad = 1 }
    END { exit bad }'
}

# has_no_access_list DIRECTORY: where there is one, the mode shows as the rights of the group what it gives anybody at most; ls says "+".
has_no_access_list() {
  local _mode
  _mode=$(ls -nd "$1" 2>/dev/null)
  case ${_mode%% *} in ?????????? | ??????????.) ls --version >/dev/null 2>&1 ;; *) return 1 ;; esac
}

# reader_of DIRECTORY: READ_AS is what reads a file there, and what writes one, with no more rights than whoever leads the path
# has. Empty: ours. What several lead is read as nobody.
reader_of() {
  READ_AS=''
  [ "$MY_UID" = 0 ] || return 0
  place_of "$1"
  reader_for "$PLACE"
}

# reader_for PLACE: the same, of what is known already.
reader_for() {
  local _gid
  READ_AS=''
  [ "$MY_UID" = 0 ] || return 0
  case $1 in '' | 0) return 0 ;; esac
  can_step_down || return 0
  case $READERS in *"$NL$1$TAB"*) ;; *)
    if [ "$1" = several ]; then READ_AS='65534 --regid=65534'
    else _gid=$(getent passwd "$1" | cut -d : -f 4); READ_AS="$1 --regid=${_gid:-65534}"; fi
    READERS="$READERS$1${TAB}setpriv --reuid=$READ_AS --clear-groups$NL" ;;
  esac
  READ_AS=${READERS#*"$NL$1$TAB"}
  READ_AS=${READ_AS%%"$NL"*}
}

# can_step_down: busybox has a setpriv that cannot. Then what others lead is read as it was always, but bounded. Tried as root, whom nobody
# else can disturb.
can_step_down() {
  [ -n "$STEPS" ] || { STEPS=no; ! aside 5 setpriv --reuid=0 --regid=0 --clear-groups true || STEPS=yes; }
  [ "$STEPS" = yes ]
}

# is_all_ours FILE: told by the shell itself, so for many: the file and the directories that lead to it are ours, and none is a
# link. One that its group may write to passes: what lies there is ours at this moment.
is_all_ours() {
  [ "$MY_UID" = 0 ] || return 0
  [ -O "$1" ] && [ ! -L "$1" ] && are_our_dirs "${1%/*}"
}

are_our_dirs() {
  local _dir
  [ "$MY_UID" = 0 ] || return 0
  _dir=$1
  while [ -n "$_dir" ]; do
    case $OUR_DIRS in *"$NL$_dir$NL"*) break ;; esac
    [ -O "$_dir" ] && [ ! -L "$_dir" ] || return 1
    _dir=${_dir%/*}
  done
  OUR_DIRS="$OUR_DIRS$1$NL"
}

# only_root_writes FILE: it, and all the directories that lead to it.
only_root_writes() {
  local _path
  _path=$1
  set -- "$_path"
  while _path=${_path%/*}; [ -n "$_path" ]; do set -- "$@" "$_path"; done
  set -- "$@" /
  stat -L -c '%u %A' "$@" 2>/dev/null | awk -v N="$#" '
    $1 != 0 || substr($2, 6, 1) == "w" || substr($2, 9, 1) == "w" { bad = 1 }
    END { exit bad || NR != N }'
}

# pid_in FILE: PID_TEXT is the number in FILE, empty, or says that it is none, where it fails. It may be a pipe, a link to what
# only we can read, or without end: no word of that gets out.
pid_in() {
  PID_TEXT=''
  [ -f "$1" ] || return 1
  if [ "$MY_UID" = 0 ] && [ -O "$1" ] && [ ! -L "$1" ] && place_of "${1%/*}" && [ -z "$PLACE" ]; then
    { read -r PID_TEXT <"$1"; } 2>/dev/null || [ -n "$PID_TEXT" ] || return 1
  else
    reader_of "${1%/*}"
    { PID_TEXT=$(as_theirs 2 32 head -c 32 "$1"); } 2>/dev/null
    PID_TEXT=${PID_TEXT%%"$NL"*}
  fi
  case $PID_TEXT in '') return 1 ;; *[!0-9]* | ???????????*) PID_TEXT='(no number)'; return 1 ;; esac
}

# sign_of_pid_file: PID_SIGN changes with each rename of the pid file, also there and back again.
sign_of_pid_file() { PID_SIGN=$(stat -c '%z %i' "$S_pidf" 2>/dev/null); }

# sign_of_socket PATH: SIGN tells a socket from a later one at the same path, which may have its very inode number; empty where there is none.
sign_of_socket() { SIGN=$(stat -c %d:%i@%Z "$1" 2>/dev/null) || SIGN=''; }

# size_of FILE: SIZE in bytes. free_beside FILE: FREE, the KiB that are left on its file system.
size_of() { SIZE=$(stat -c %s "$1" 2>/dev/null); }
free_beside() { FREE=$(within 5 df -Pk "${1%/*}" 2>/dev/null | awk 'NR == 2 { print $4 }'); }

# mode_of FILE: MODE, OWNER and GROUP as numbers. owner_of FILE: OWNER alone.
mode_of() {
  MODE=$(stat -c '%a %u %g' "$1" 2>/dev/null) || return 1
  OWNER=${MODE#* } MODE=${MODE%% *}
  GROUP=${OWNER#* } OWNER=${OWNER% *}
}

owner_of() { mode_of "$1" || OWNER=''; }

# capabilities_of FILE: CAPS as setcap takes them.
capabilities_of() {
  CAPS=$(within 5 getcap "$1" 2>/dev/null)
  CAPS=${CAPS##* }
}

# same_machine FILE PID: the ELF headers of the file and of what runs name the same class, byte order and machine. What the kernel refuses to run,
# shells and env (execvp) run as a script: a file of another machine must not even be tried.
same_machine() {
  local _kind
  elf_kind "$1"
  _kind=$KIND_BYTES
  elf_kind "/proc/$2/exe"
  [ "$_kind" = "$KIND_BYTES" ]
}

elf_kind() {
  # shellcheck disable=SC2046
  set -- $(beside 5 od -An -tx1 -N20 "$1" 2>/dev/null)
  KIND_BYTES="${5-} ${6-} ${19-} ${20-}"
}

# copy_running PID FILE: what that process runs, whatever lies at its path by now.
copy_running() { cp "/proc/$1/exe" "$2"; }

# has_labels: files have labels of SELinux here.
has_labels() { [ -d /sys/fs/selinux ]; }

# digest_of FILE: DIGEST is its SHA-256; of a path that holds no newline.
digest_of() {
  DIGEST=$(within 60 sha256sum "$1" 2>/dev/null)
  DIGEST=${DIGEST%% *}
}

# digest_of_process PID: the same of what it runs.
digest_of_process() {
  DIGEST=$($PATIENCE sha256sum "/proc/$1/exe" 2>/dev/null)
  DIGEST=${DIGEST%% *}
}

# --------------------------------------------------------------------------------------------------- the door: sockets

# descriptors_of DIRECTORY...: in a process of its own, what `ls -ln` says of them, with a `?` for whatever is no plain character: a
# file may be called anything, also like another line. busybox does so by itself, and knows no -q.
descriptors_of() {
  if [ -z "$LISTS" ]; then
    LISTS='ls -lnq'
    if [ -e /usr/bin/ls ]; then [ ! /usr/bin/ls -ef /usr/bin/busybox ] || LISTS='ls -ln'
    elif [ /bin/ls -ef /bin/busybox ]; then LISTS='ls -ln'; fi
  fi
  exec $LISTS "$@" 2>/dev/null
}

# old_listeners: those of the old master, looked for once: it keeps them until it quits.
old_listeners() {
  if [ "$OLD_LISTED" = "$S_om" ]; then L_FD=$OLD_FD L_DEC=$OLD_DEC L_HEX=$OLD_HEX; return 0; fi
  listeners_of "$S_om"
  OLD_LISTED=$S_om OLD_FD=$L_FD OLD_DEC=$L_DEC OLD_HEX=$L_HEX
}

# listeners_of MASTER: its listening sockets. L_FD: descriptors; L_DEC, L_HEX: inodes; L_ADDR: "inode proto address" lines. ODD_LOG=1
# where its log may be called anything.
# Reading the kernel's tables takes milliseconds (the hash of a large machine is walked from end to end), so each socket is
# looked up once: SOCKETS holds what is known of it, "inode proto address", or "inode -" where it does not listen.
listeners_of() {
  local _fds _unknown _fd _inode _known
  L_FD='' L_DEC='' L_HEX='' L_ADDR='' _unknown='' ODD_LOG=0
  _fds=$(descriptors_of "/proc/$1/fd" | awk '
    NF == 11 && $9 ~ /^[0-9]+$/ && $10 == "->" && $11 ~ /^socket:\[[0-9]+\]$/ { i = $11; gsub(/[^0-9]/, "", i); print $9, i }
    $9 == "2" && $10 == "->" && /[?|]/ { print "odd -" }')
  while read -r _fd _inode; do
    [ "$_fd" != odd ] || { ODD_LOG=1; continue; }
    case $SOCKETS in *"$NL$_inode "*) ;; *) _unknown="$_unknown $_inode" ;; esac
  done <<EOF
$_fds
EOF
  [ "$_unknown" = ' ' ] || [ -z "$_unknown" ] || look_up_sockets "$1" "$_unknown"
  while read -r _fd _inode; do
    case $SOCKETS in *"$NL$_inode "[!-]*) ;; *) continue ;; esac
    _known=${SOCKETS#*"$NL$_inode "}
    L_FD="$L_FD $_fd" L_DEC="$L_DEC $_inode" L_ADDR="$L_ADDR$_inode ${_known%%"$NL"*}$NL"
  done <<EOF
$_fds
EOF
  # shellcheck disable=SC2086
  [ -z "$L_DEC" ] || L_HEX=$(printf '%x ' $L_DEC)
}

# look_up_sockets MASTER INODES: adds to SOCKETS. The channels to its workers, in the small table, are all that is new of a
# new master mostly. Of the old one nothing is known yet: there the tables without names come first, since the other one can be made
# to tell of any socket. What stands in no table may be about to listen: that is not remembered, but of a master at rest.
look_up_sockets() {
  local _left _inode _inodes _kind _order
  _left=$2 UNSURE=' ' _order='unix tcp tcp6'
  case $1 in "$OM" | "$S_om") _order='tcp tcp6 unix' ;; esac
  for _kind in $_order; do
    [ -n "$_left" ] || return 0
    ! { [ "$_kind:$_order" = 'tcp6:tcp tcp6 unix' ] && are_channels "$1" "$_left"; } || continue
    socket_table "$1" "$_left" "$_kind"
    _inodes=$_left _left=''
    for _inode in $_inodes; do
      case $SOCKETS in *"$NL$_inode "*) ;; *) _left="$_left $_inode" ;; esac
    done
  done
  [ "$1" != "$OM" ] || for _inode in $_left; do case $UNSURE in *" $_inode "*) ;; *) SOCKETS="$SOCKETS$_inode -$NL" ;; esac; done
}

# are_channels MASTER INODES: as many as there are channels: two for each child (ngx_spawn_process) but a new master (ngx_exec_new_binary), and
# while there is one, nothing is said.
are_channels() {
  local _count _child
  # shellcheck disable=SC2086
  set -- "$1" $2
  _count=$(($# - 1))
  children_of "$1"
  # shellcheck disable=SC2086
  set -- $CHILDREN
  [ "$_count" = $(($# * 2)) ] || return 1
  for _child in "$@"; do
    children_of "$_child"
    [ -z "$CHILDREN" ] || return 1
  done
}

# socket_table MASTER INODES KIND: adds to SOCKETS what that table of the kernel says.
socket_table() {
  [ -r "/proc/$1/net/$3" ] || return 0
  if [ "$3" = unix ]; then unix_table "$1" "$2"; return; fi
  SOCKETS=$SOCKETS$(awk -v W="$2" -v K="$3" '
    BEGIN { n = split(W, w, " "); for (i = 1; i <= n; i++) want[w[i]] = 1 }
    $10 in want { if ($4 == "0A") print $10, K, $2; else print $10, "-" }' "/proc/$1/net/$3")$NL
}

# unix_table MASTER INODES: the name of a socket is printed there as it is, and may hold what looks like further lines, of any socket
# that anybody has. One that another table has is none of these. Where several lines tell of one, it listens where one says so with a
# path on which nginx is told to listen: the channels of nginx are in there, too. Before that is known, it is UNSURE.
unix_table() {
  local _claims _inode _path _tables _table _others
  unix_names
  _claims=$(NAMES=$UNIX_NAMES awk -v W="$2" '
    BEGIN { n = split(W, w, " "); for (i = 1; i <= n; i++) want[w[i]] = 1
      n = split(ENVIRON["NAMES"], w, "\n"); for (i = 1; i <= n; i++) named[w[i]] = (w[i] != "") }
    $7 in want {
      told[i = $7]++
      if ($4 != "00010000") next
      sub(/^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ ?/, "")
      if (!(i in path) || named[$0]) { path[i] = $0; sure[i] = named[$0] }
    }
    END { for (i in told) if (i in path && (told[i] == 1 || sure[i])) print i, path[i]; else print i, (i in path ? "?" : "-") }' "/proc/$1/net/unix")
  _tables=''
  for _table in tcp tcp6 udp udp6; do [ ! -r "/proc/$1/net/$_table" ] || _tables="$_tables /proc/$1/net/$_table"; done
  _others=' '
  # shellcheck disable=SC2086
  case $_claims in *' '[!-]*) _others=" $(printf '%s\n' "$_claims" | awk '
    NR == FNR { if ($2 != "-" && $2 != "?") claimed[$1] = 1; next }
    $10 in claimed { printf "%s ", $10 }' - $_tables)" ;; esac
  while read -r _inode _path; do
    case $SOCKETS$_others in *"$NL$_inode "* | *" $_inode "*) continue ;; esac
    case $_path in
      '') continue ;;
      '?') _path=-; [ -n "$DIRECTIVES$S_unix" ] || { UNSURE="$UNSURE$_inode "; continue; } ;;
    esac
    case $_path in -) SOCKETS="$SOCKETS$_inode -$NL" ;; *) SOCKETS="$SOCKETS$_inode unix $_path$NL" ;; esac
  done <<EOF
$_claims
EOF
}

# unix_names: UNIX_NAMES are the paths on which nginx is told to listen, one a line: by its configuration, or as it was at begin.
unix_names() {
  local _line _left
  UNIX_NAMES=''
  case $DIRECTIVES in *"${TAB}unix:"*)
    set -f
    IFS=$NL
    for _line in $DIRECTIVES; do
      case $_line in *"${TAB}listen${TAB}unix:"*) _line=${_line#*"${TAB}unix:"}; UNIX_NAMES="$UNIX_NAMES${_line%% *}$NL" ;; esac
    done
    IFS=" $TAB$NL"
    set +f ;;
  esac
  _left=$S_unix
  while [ -n "$_left" ]; do
    _line=${_left%%"|"*} _left=${_left#*"|"}
    ! decode "${_line#* }" || UNIX_NAMES="$UNIX_NAMES$VALUE$NL"
  done
}

# holds_listener PID: one of the sockets on which the old master listens.
holds_listener() {
  descriptors_of "/proc/$1/fd" | awk -v L="$S_listen" '
    BEGIN { n = split(L, l, " "); for (i = 1; i <= n; i++) want["socket:[" l[i] "]"] = 1 }
    NF == 11 && $10 == "->" && ($11 in want) { found = 1 }
    END { exit !found }'
}

# find_epolls PID...: EPOLL_PID is the number of each one's epoll descriptor. Looked for once: a busy worker has
# thousands of descriptors.
find_epolls() {
  local _dirs _p
  _dirs=''
  for _p in "$@"; do
    eval "_known=\${EPOLL_$_p-}"
    [ -n "$_known" ] || _dirs="$_dirs /proc/$_p/fd"
  done
  [ -n "$_dirs" ] || return 0
  # shellcheck disable=SC2086
  eval "$(descriptors_of $_dirs /dev/null | awk '
    # By fixed places, and nothing but numbers: behind the arrow stands whatever a file may be called.
    NF == 1 && /^\/proc\/[0-9]+\/fd:$/ { split($1, p, "/"); next }
    NF == 11 && $9 ~ /^[0-9]+$/ && $10 == "->" && $11 == "anon_inode:[eventpoll]" && p[3] != "" && !(p[3] in seen) {
      seen[p[3]] = 1; print "EPOLL_" p[3] "=" $9 }')"
}

# accepting_among PID...: ACCEPTING lists those with a listener in their epoll set; COVERED counts distinct listeners, and
# WATCHED says "PID=N" of the other sockets in there: connections, and the channel to the master.
# A descriptor alone proves nothing: masters and reuseport siblings hold sockets on which they never accept.
accepting_among() {
  local _files _seen _p
  ACCEPTING='' COVERED=0 WATCHED=''
  set -- "$@"
  _files=''
  find_epolls "$@"
  for _p in "$@"; do
    eval "_known=\${EPOLL_$_p-}"
    [ -z "$_known" ] || _files="$_files /proc/$_p/fdinfo/$_known"
  done
  [ -n "$_files" ] || return 0
  # shellcheck disable=SC2086
  _seen=$(grep -H '^tfd:' $_files 2>/dev/null | awk -v L="$L_HEX" '
    BEGIN { n = split(L, l, " "); for (i = 1; i <= n; i++) want[l[i]] = 1 }
    { ino = sdev = ""
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^ino:/) { ino = substr($i, 5); if (ino == "") ino = $(i + 1) }
        if ($i ~ /^sdev:/) { sdev = substr($i, 6); if (sdev == "") sdev = $(i + 1) }
      }
      split($1, p, "/")
      if (ino in want) { worker[p[3]] = 1; cover[ino] = 1; sockets = sdev } else number[p[3], sdev]++ }
    END {
      c = 0; for (i in cover) c++; printf "%d", c; for (w in worker) printf " %s", w
      printf "|"; for (k in number) { split(k, p, SUBSEP); if (p[2] == sockets) printf " %s=%d", p[1], number[k] }
    }')
  WATCHED=${_seen#*'|'} _seen=${_seen%%'|'*}
  COVERED=${_seen%% *}
  case $_seen in *' '*) ACCEPTING=${_seen#* } ;; esac
}

# listening_among PID...: LISTENING lists those that still hold a listener under the master's descriptor number: a worker
# that shuts down closes them (ngx_close_listening_sockets), and this stays cheap with 20,000 connections open.
listening_among() {
  local _paths _p _fd
  LISTENING=''
  _paths=''
  for _p in "$@"; do
    for _fd in $L_FD; do _paths="$_paths /proc/$_p/fd/$_fd"; done
  done
  [ -n "$_paths" ] || return 0
  # shellcheck disable=SC2086
  LISTENING=$(descriptors_of $_paths | awk -v L="$L_DEC" '
    BEGIN { n = split(L, l, " "); for (i = 1; i <= n; i++) want["socket:[" l[i] "]"] = 1 }
    NF == 11 && $11 in want { split($9, p, "/"); if (!seen[p[3]]++) printf "%s ", p[3] }')
}

# told_probe MASTER: in a process of its own, what stands at the port that is probed, where the probe ends: in our network, and in that of the
# master where it has one of its own. A_probe is that port and the name or address before it, `*` where that is resolved elsewhere. Lines of
# "probe=PLACE listen KIND ADDRESS INODES", "probe=PLACE local ADDRESSES", which are that place's own, and "probe=here resolved ADDRESS"; PLACE is
# `here` or `there`. The kernel tells of listeners first.
told_probe() {
  local _port _host _there
  _port=${A_probe%% *} _host=${A_probe#* }
  case $_port in '' | *[!0-9]* | ??????*) return 0 ;; esac
  case $_host in
    '*' | *:*) ;;
    *[!0-9.]*) within 2 getent ahosts "$_host" 2>/dev/null | awk '$2 == "STREAM" && n++ < 20 { print "probe=here resolved " $1; fflush() }' ;;
  esac
  _there=''
  ! sees_other net "$1" || _there=/proc/$1/net
  within 5 awk -v P="$(printf '%04X' "$_port")" -v THERE="$_there" '
    # In lines that come whole through a pipe that others write to as well; of thousands, enough.
    function say(head, item) {
      if (length(text) + length(item) > 800 || item == "") { if (text != "" && told++ < 150) { print "probe=" begun " " text; fflush() }; text = "" }
      if (item != "") { text = text (text == "" ? "" : ",") item; begun = head }
    }
    function listening(place, dir, kind,   file, line, w, a, at, where) {
      for (file = dir "/" kind; (getline line < file) > 0;) {
        split(line, w)
        if (w[1] == "sl") continue
        if (w[4] != "0A") break
        if (split(w[2], a, ":") == 2 && a[2] == P) at[a[1]] = at[a[1]] " " w[10]
      }
      close(file)
      for (where in at) {
        n = split(at[where], w, " ")
        for (i = 1; i <= n; i++) say(place " listen " kind " " where, w[i])
        say("", "")
      }
    }
    function own(place, dir,   line, w, last, seen) {
      while ((getline line < (dir "/fib_trie")) > 0) {
        split(line, w)
        if (w[1] == "|--") last = w[2]
        else if (line ~ /\/32 host LOCAL/ && !seen[last]++) say(place " local", last)
      }
      close(dir "/fib_trie")
      while ((getline line < (dir "/if_inet6")) > 0) { split(line, w); say(place " local", w[1]) }
      close(dir "/if_inet6")
      say("", "")
    }
    function look(place, dir) { listening(place, dir, "tcp"); listening(place, dir, "tcp6"); own(place, dir) }
    BEGIN { look("here", "/proc/self/net"); if (THERE != "") look("there", THERE) }' /dev/null
}

# ------------------------------------------------------------------------------------------ the door: effective settings

# read_directives [ctx=CONTEXT] FILE...: what matters to us of these files, each line once: context TAB name TAB arguments.
# A context is the blocks around a directive, such as http.server. A reader of our own, since `nginx -T` opens logs, creates
# an empty pid file and changes owners (ngx_init_cycle in test mode), and prints secrets. It reads what the master can read. A context
# that begins with "@USER@" says who leads the file; so do then the contexts of what it includes.
read_directives() {
  # shellcheck disable=SC2016,SC2086
  $READER awk '
    BEGIN {
      n = split("pid user daemon master_process worker_processes error_log lock_file load_module worker_shutdown_timeout " \
        "working_directory env ssl_engine quic_bpf", list, " ")
      for (i = 1; i <= n; i++) known["main", list[i]] = 1
      known["events", "accept_mutex"] = known["events", "worker_connections"] = 1
      n = split("access_log client_body_temp_path proxy_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path " \
        "proxy_cache_path fastcgi_cache_path uwsgi_cache_path scgi_cache_path limit_req_zone limit_conn_zone " \
        "lua_shared_dict js_shared_dict_zone keyval_zone quic_host_key", list, " ")
      for (i = 1; i <= n; i++) known["http", list[i]] = 1
      n = split("listen keepalive_min_timeout keepalive_timeout ssl_session_ticket_key ssl_session_tickets " \
        "ssl_session_cache ssl_certificate_key ssl_password_file", list, " ")
      for (i = 1; i <= n; i++) shared[list[i]] = 1
    }
    function word_end() { if (has) words[++n] = token; token = ""; has = variable = 0 }
    function add(text) { if (text != "") { token = token text; has = 1 } }
    # As ngx_conf_parse copies a word: only these lose their backslash.
    function unescaped(c) { return c ~ /["\047\\]/ ? c : c == "t" ? "\t" : c == "r" ? "\r" : c == "n" ? "\n" : "\\" c }
    function context(   i, path) {
      path = base == "main" && depth > 0 ? "" : base
      for (i = 1; i <= depth; i++) path = path (path == "" ? "" : ".") block[i]
      return path
    }
    function matters(where, name) {
      return name == "include" || (where, name) in known || (where == "stream" && name == "limit_conn_zone") ||
        (name in shared && where ~ /^(http|stream|mail)(\.server)?$/) || (name == "zone" && where ~ /\.upstream$/)
    }
    # What nginx opens or makes at its start, on whatever level it is named (ngx_init_cycle, ngx_create_paths). What a variable names comes
    # later. A line for each of thousands of servers is no reason to read no more.
    function starts(name, path) {
      if (name !~ /^(access|error)_log$|_(temp|cache)_path$/ || path ~ /^(syslog:.*|)$/) return
      # Elsewhere these are names of files.
      if ((name == "access_log" && path == "off") || (name == "error_log" && path ~ /^(stderr|memory:.*)$/)) return
      if (path ~ /[$|\001-\037\177]/ || length(path) > 1000 || path in started || ++opened > 2000) return
      started[path] = 1
      print "start\t\t" path
    }
    # Whose values become paths of ours.
    function kept(name, word) { return name ~ /^(pid|error_log|load_module)$/ || (name == "listen" && word ~ /^unix:/) }
    # No more than what can be dealt with in a moment: there may be a line for each of thousands of servers.
    function tell(line) {
      line = substr(line, 1, 2000)
      if (line in told) return
      told[line] = 1
      if (++lines > 6000 || (bytes += length(line)) > 524288) { print "cut\t\t"; exit }
      print line
    }
    function directive(   i, line, where) {
      if (n == 0) return
      where = context()
      if (n > 1) starts(words[1], words[2])
      if (words[1] == "listen") listened[depth] = 1
      else if (words[1] == "include" && !listened[depth]) listened[depth] = 2
      if (matters(where, words[1])) {
        line = (words[1] == "include" ? led : "") where "\t" words[1] "\t"
        # A value in the environment may be a secret.
        if (words[1] == "env") sub(/=.*/, "", words[2])
        for (i = 2; i <= n; i++) {
          if (words[i] ~ /[\001-\037\177|]/ && kept(words[1], words[i])) tell("unsafe\t" words[1])
          gsub(/[\001-\037\177]/, " ", words[i]); line = line (i > 2 ? " " : "") words[i]
        }
        tell(line)
      }
      n = 0
    }
    function open_block() { block[++depth] = words[1]; listened[depth] = n = 0 }
    # A server without `listen` listens all the same (ngx_http_core_server), unless a file that it includes says where.
    function close_block() {
      n = 0
      if (depth == 0) return
      if (block[depth] == "server" && listened[depth] != 1 && context() == "http.server")
        tell("http.server\tlisten\t" (listened[depth] == 2 ? "(unknown)" : "(default)"))
      depth--
    }
    FNR == 1 {
      base = ctx == "" ? "main" : ctx; led = ""
      if (match(base, /^@[^@]*@/)) { led = substr(base, 1, RLENGTH); base = substr(base, RLENGTH + 1) }
      depth = n = 0; token = quote = ""; has = 0
    }
    {
      s = $0
      while (s != "") {
        if (quote != "") {
          if (quote == "\"") found = match(s, /[\\"]/); else found = match(s, /[\\\047]/)
          if (!found) { add(s); s = ""; break }
          c = substr(s, found, 1); add(substr(s, 1, found - 1))
          if (c == "\\") { add(unescaped(substr(s, found + 1, 1))); s = substr(s, found + 2) }
          else { quote = ""; has = 1; s = substr(s, found + 1) }
          continue
        }
        if (!match(s, /[ \t\r;{}"\047#\\]/)) { add(s); s = ""; break }
        add(substr(s, 1, RSTART - 1)); c = substr(s, RSTART, 1); s = substr(s, RSTART + 1)
        if (c == " " || c == "\t" || c == "\r") word_end()
        else if (c == "#") { if (has) add(c); else s = "" }
        else if (c == "\"" || c == "\047") { if (has) add(c); else quote = c }
        else if (c == "\\") { add(unescaped(substr(s, 1, 1))); s = substr(s, 2) }
        else if (c == ";") { word_end(); directive() }
        else if (c == "{") { if (token ~ /\$$/) add(c); else { word_end(); open_block() } }
        # Within a word a closing brace is a letter like others.
        else if (has) add(c)
        else close_block()
      }
      if (quote == "") word_end(); else add("\n")
    }' "$@"
}

# apply_directives TEXT: sets what its main level says, and gathers all of it in DIRECTIVES. A later line wins only where
# nginx would refuse two anyway.
apply_directives() {
  local _line _where _name _args
  set -f
  IFS=$NL
  for _line in $1; do
    _where=${_line%%"$TAB"*} _name=${_line#*"$TAB"}
    _args=${_name#*"$TAB"} _name=${_name%%"$TAB"*}
    case $_where:$_name in
      unsafe:*) UNSAFE="$UNSAFE $_name"; continue ;;
      cut:*) CONFIG_WHOLE=0; continue ;;
      start:*) STARTS="$STARTS$_args$NL"; continue ;;
      *:include) C_INCLUDE="$C_INCLUDE$_where$TAB$_args$NL"; continue ;;
      main:pid) C_PID=$_args ;;
      main:user) C_USER=$_args ;;
      main:daemon) C_DAEMON=$_args ;;
      main:master_process) C_MASTER=$_args ;;
      main:worker_processes) C_WORKERS=$_args ;;
      events:accept_mutex) C_MUTEX=$_args ;;
      main:error_log) [ -n "$C_LOG" ] || C_LOG=${_args%% *} ;;
      main:lock_file) C_LOCK=$_args ;;
    esac
    DIRECTIVES="$DIRECTIVES$_line$NL"
  done
  IFS=" $TAB$NL"
  set +f
}

# config_of FILE: reads FILE and what it includes, level by level, into DIRECTIVES and the C_ variables. CONFIG_FILES are
# all files that were read, one a line.
config_of() {
  local _depth _dir _where _pattern _file _text
  # Includes are relative to the directory of the main file (ngx_conf_include, conf_prefix).
  _dir=${1%/*} _depth=0 C_INCLUDE='' CONFIG_FILES=$1$NL CONFIG_WHOLE=1
  # What blocks is no configuration.
  [ -f "$1" ] || return 0
  uptime_now
  CONFIG_BY=$((NOW + 200))
  set -- ctx=main "$1"
  while [ $# -gt 0 ] && [ "$_depth" -lt 8 ]; do
    _depth=$((_depth + 1))
    _text=$(read_level "$@")
    C_INCLUDE=''
    apply_directives "$_text"
    set --
    while IFS=$TAB read -r _where _pattern; do
      [ -n "$_pattern" ] || continue
      under "$_dir" "$_pattern"
      expand "$FULL" "$_where"
      set -- "$@" "ctx=$EXPANDED_BY$_where"
      IFS=$NL
      set -f
      for _file in $EXPANDED; do set -- "$@" "$_file"; done
      set +f
      IFS=" $TAB$NL"
    done <<EOF
$C_INCLUDE
EOF
    has_files "$@" || set --
  done
  [ $# = 0 ] || CONFIG_WHOLE=0
}

# has_files WORD...: notes the files among them in CONFIG_FILES; false where there are none that are new.
has_files() {
  local _word _any
  _any=1
  for _word in "$@"; do
    case $_word in ctx=*) continue ;; esac
    case "$NL$CONFIG_FILES" in *"$NL$_word$NL"*) ;; *) CONFIG_FILES="$CONFIG_FILES$_word$NL" _any=0 ;; esac
  done
  return "$_any"
}

# expand PATTERN CONTEXT: EXPANDED are the files that it means, one a line, with the rights of whoever leads it. Whoever may create
# files there may call them anything, or create so many that it never ends; and says whatever it likes, so what it says is led by it
# (EXPANDED_BY, as in a context), and lies where the pattern does.
expand() {
  local _dir _led
  EXPANDED='' EXPANDED_BY='' _led=''
  case $1 in *[[:cntrl:]]*) return 0 ;; esac
  READ_AS=$AS
  [ -n "$AS" ] || case $2 in @*) _led=${2#@} _led=${_led%%@*} && reader_for "$_led" ;; esac
  # One that its reader may not read would end the reading of all.
  case $_led:$1 in
    *[*?[]* | ?*:*) ;;
    *) [ ! -f "$1" ] || EXPANDED=$1; return 0 ;;
  esac
  _dir=${1%/*}
  case $READ_AS$_dir in
    /*[*?[]*) ;;
    /*) if [ "$MY_UID" != 0 ] || are_our_dirs "$_dir"; then expand_here "$1"; return; fi ;;
  esac
  _dir=${1%%[*?[]*}
  _dir=${_dir%/*}
  if [ -z "$AS$_led" ] && [ "$MY_UID" = 0 ]; then reader_of "$_dir"; EXPANDED_BY=${PLACE:+"@$PLACE@"}; fi
  config_time
  EXPANDED=$(as_theirs "$LEFT" 262144 /bin/sh -c "$EXPAND" expand "$1" | head -c 262144 | DIR=$_dir/ awk 'index($0, ENVIRON["DIR"]) == 1')
}

# shellcheck disable=SC2016
EXPAND='IFS=; for file in $1; do case $file in *[[:cntrl:]]*) ;; *) [ ! -f "$file" ] || [ ! -r "$file" ] || printf "%s\n" "$file" ;; esac; done'

expand_here() {
  local _file
  IFS=''
  for _file in $1; do
    [ -f "$_file" ] && [ -r "$_file" ] && is_plain "$_file" && EXPANDED="$EXPANDED$_file$NL"
  done
  IFS=" $TAB$NL"
}

# config_time: LEFT, of the twenty seconds that reading all of a configuration may take.
config_time() {
  uptime_now
  LEFT=$(((CONFIG_BY - NOW) / 10))
  [ "$LEFT" -ge 1 ] || LEFT=1
}

# read_level [ctx=CONTEXT] FILE...: reads them with the master's rights where they are others than ours; where not, those of ours
# in one go, and what others can lead with the rights of whoever that is.
read_level() {
  local _word _context _others _file
  config_time
  if [ -n "$AS" ] || [ "$MY_UID" != 0 ]; then READ_AS=$AS READER="as_theirs $LEFT 1048576"; read_directives "$@"; return; fi
  _others='' _context=''
  real_links "$@"
  for _word in "$@"; do
    shift
    case $_word in ctx=@*) _context=$_word; continue ;; ctx=*) _context=$_word; set -- "$@" "$_word"; continue ;; esac
    _file=$_word
    case $_context in ctx=@*) _others="$_others$_context$TAB$_file$NL"; continue ;; esac
    if [ -L "$_word" ] && are_our_dirs "${_word%/*}"; then
      case $LINKED in *"$NL$_word$TAB"*) ;; *) printf 'unsafe\tinclude\t\n'; continue ;; esac
      _file=${LINKED#*"$NL$_word$TAB"} _file=${_file%%"$NL"*}
    fi
    if is_all_ours "$_file"; then set -- "$@" "$_file"; else _others="$_others$_context$TAB$_file$NL"; fi
  done
  # A file that is ours now may be a pipe of somebody's in the next moment.
  READER="within $LEFT"
  read_directives "$@"
  [ -z "$_others" ] || read_of_others "$_others"
}

# real_links FILE...: LINKED says of those that are links, a line each, what file that is; nothing where names have newlines.
real_links() {
  local _word _reals
  LINKED=$NL
  for _word in "$@"; do
    shift
    [ ! -L "$_word" ] || set -- "$@" "$_word"
  done
  [ $# -gt 0 ] || return 0
  # busybox takes no two.
  _reals=$(readlink -f "$@" 2>/dev/null) || _reals=$(for _word in "$@"; do readlink -f "$_word"; done)
  set -f
  IFS=$NL
  for _word in $_reals; do
    [ $# -gt 0 ] || { LINKED=$NL; break; }
    LINKED="$LINKED$1$TAB$_word$NL"
    shift
  done
  IFS=" $TAB$NL"
  set +f
  [ $# = 0 ] || LINKED=$NL
}

# read_of_others LINES: of "ctx=CONTEXT TAB FILE", those that are led by one user together.
read_of_others() {
  local _context _file _led _last _lines
  _lines=$1 _last=''
  set --
  while IFS=$TAB read -r _context _file; do
    [ -n "$_file" ] || continue
    case $_context in
      ctx=@*) _led=${_context#ctx=@} _led=${_led%%@*} ;;
      *)
        place_of "${_file%/*}"
        _led=$PLACE
        # Who owns a file says what it includes, wherever it lies.
        [ -n "$_led" ] || { owner_of "$_file"; _led=${OWNER:-several}; }
        [ "$_led" = "$MY_UID" ] || _context=ctx=@$_led@${_context#ctx=} ;;
    esac
    if [ "$_led" != "$_last" ] && [ $# -gt 0 ]; then read_as "$_last" "$@"; set --; fi
    _last=$_led
    set -- "$@" "$_context" "$_file"
  done <<EOF
$_lines
EOF
  read_as "$_last" "$@"
}

# read_as USER [ctx=CONTEXT] FILE...: what that user says of the files. Whose they are, and where they stand, is for us to say.
read_as() {
  local _led _bases _word
  _led=@$1@ _bases=''
  [ "$1" != "$MY_UID" ] || _led=''
  reader_for "$1"
  shift
  for _word in "$@"; do
    case $_word in
      ctx=@*) _word=${_word#ctx=@} _bases="$_bases${_word#*@}$NL" ;;
      ctx=*) _bases="$_bases${_word#ctx=}$NL" ;;
    esac
  done
  config_time
  READER="as_theirs $LEFT 1048576"
  read_directives "$@" | BASES=$_bases LED=$_led awk -F "$TAB" '
    BEGIN { n = split(ENVIRON["BASES"], base, "\n") - 1 }
    $1 == "unsafe" || $1 == "cut" || $1 == "start" { print; next }
    NF != 3 { next }
    { line = $0; sub(/^@[^@]*@/, "", line); where = line; sub(/\t.*/, "", where)
      for (i = 1; i <= n; i++) if (where == base[i] || base[i] == "main" || index(where, base[i] ".") == 1) {
        print ($2 == "include" ? ENVIRON["LED"] : "") line
        next
      } }'
}

# build_flag NAME: FLAG is the value that `nginx -V` shows for --NAME, or empty. Word by word: shells take long to cut a long text.
build_flag() {
  local _word
  FLAG=''
  case " $OLD_V " in *" --$1="*) ;; *) return 0 ;; esac
  set -f
  for _word in $OLD_V; do
    case $_word in "--$1="*) flag_in "$_word"; break ;; esac
  done
  set +f
}

# flag_in WORD: FLAG is the value in it. configure puts quotes around some.
flag_in() { FLAG=${1#*=} FLAG=${FLAG#\'} FLAG=${FLAG%\'}; }

# command_line MASTER: ARGV0 and the options of the running master, taken from its title.
command_line() {
  local _words _want _w
  title_of "$1"
  OWN_TITLE=$TITLE OWN_TITLE_CUT=$TITLE_CUT
  ARGV0='' OPT_C='' OPT_P='' OPT_E='' OPT_G='' ARGS=''
  case $TITLE in *' process '*) ;; *) return 0 ;; esac
  _words=${TITLE#*' process '}
  ARGV0=${_words%% *}
  [ "$_words" = "$ARGV0" ] || ARGS=${_words#* }
  _want=''
  set -f
  # shellcheck disable=SC2086
  for _w in $ARGS; do
    # The value of -g has blanks of its own; it ends where a directive ended and an option begins.
    case $_want:$OPT_G:$_w in -g:*\;:-[cpegtTvVq]*) _want='' ;; esac
    case $_want in
      -c) OPT_C=$_w _want='' ; continue ;;
      -p) OPT_P=$_w _want='' ; continue ;;
      -e) OPT_E=$_w _want='' ; continue ;;
      -g) OPT_G="${OPT_G:+$OPT_G }$_w" ; continue ;;
    esac
    case $_w in
      -[cpeg]) _want=$_w ;;
      -c*) OPT_C=${_w#-c} ;;
      -p*) OPT_P=${_w#-p} ;;
      -e*) OPT_E=${_w#-e} ;;
      -g*) OPT_G=${_w#-g} _want=-g ;;
    esac
  done
  set +f
}

# settings_of MASTER: what this master runs with: OLD_V, PREFIX, CONF, PIDF, LOGFILE and the C_ variables. UNSAFE names what holds
# characters that no line of ours may hold.
settings_of() {
  UNSAFE='' SETTLED=$1
  command_line "$1"
  survey "$1"
  is_plain "$CWD" || UNSAFE="$UNSAFE cwd"
  is_plain "$EXE$ARGV0" || UNSAFE="$UNSAFE binary"
  build_flag prefix
  # Built with an empty one, it is the directory where nginx was started.
  case " $OLD_V" in *" --prefix= "*) FLAG=$CWD ;; esac
  PREFIX=${OPT_P:-${FLAG:-/usr/local/nginx}}
  under "$CWD" "$PREFIX"; PREFIX=$FULL
  build_flag conf-path
  under "$PREFIX" "${OPT_C:-${FLAG:-conf/nginx.conf}}"; CONF=$FULL
  C_PID='' C_USER='' C_DAEMON='' C_MASTER='' C_WORKERS='' C_MUTEX='' C_LOG='' C_LOCK='' DIRECTIVES='' STARTS=''
  config_of "$CONF"
  READER='within 5'
  [ -z "$OPT_G" ] || apply_directives "$(printf '%s;\n' "$OPT_G" | read_directives -)"
  build_flag pid-path
  under "$PREFIX" "${C_PID:-${FLAG:-logs/nginx.pid}}"; PIDF=$FULL
  is_plain "$PREFIX$CONF$PIDF" || UNSAFE="$UNSAFE path"
  build_flag error-log-path
  under "$PREFIX" "${C_LOG:-${OPT_E:-${FLAG:-logs/error.log}}}"; LOGFILE=$FULL
  is_plain "$LOGFILE" || UNSAFE="$UNSAFE error_log" LOGFILE=''
}

# others_lead_settings: whether anybody but root can change what the configuration consists of, or chose its options.
others_lead_settings() {
  local _file
  [ -n "$CONFIG_FILES" ] && [ "$CONFIG_WHOLE" = 1 ] || return 0
  case $MODULES_PLACE in '' | none) ;; *) return 0 ;; esac
  case $OPT_G:$SHOWN in :* | *" $OPT_G"*) ;; *) return 0 ;; esac
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $CONFIG_FILES
  IFS=" $TAB$NL"
  set +f
  for _file in "$@"; do
    others_lead "${_file%/*}" && return 0
    real_path "$_file"
    others_lead "${REAL%/*}" && return 0
    only_root_writes "$REAL" || return 0
  done
  return 1
}

# same_config: the files that were read here are those that the master sees.
same_config() {
  local _file
  [ -n "$VIEW" ] || return 0
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $CONFIG_FILES
  IFS=" $TAB$NL"
  set +f
  for _file in "$@"; do follow "$_file" && [ "$VIEW$FULL" -ef "$_file" ] || return 1; done
}

# led_paths DIRECTORY: LED are the directories, a line each with who else leads it, in which a master of root opens or makes something by
# its name: logs, its pid file, directories for bodies and caches. It follows links, and gives those directories to its workers' user.
# All that as the master sees it. The binary's own directory is looked at along with them.
led_paths() {
  local _path _dirs
  LED=''
  [ "$MY_UID" = 0 ] && [ -z "$AS" ] || { look_up_places "$1" "${PIDF%/*}"; return; }
  start_paths "$OLD_V"
  _dirs=''
  set -f
  IFS=$NL
  for _path in $PATHS; do
    case $NL$_dirs in *"$NL${_path%/*}$NL"*) ;; *) _dirs="$_dirs${_path%/*}$NL" ;; esac
  done
  # shellcheck disable=SC2086
  set -- "$1" $_dirs
  IFS=" $TAB$NL"
  set +f
  if sees_other mnt "$OM"; then look_up_places "$1"; shift; view_of "$OM"; look_up_places "$@"
  else look_up_places "$@"; shift; fi
  for _path in "$@"; do
    # What is not there is for root alone to make, where it is to be.
    ! straight "$_path" || ! others_lead "$_path" || LED="$LED$_path: ${PLACE#several}$NL"
  done
  VIEW=''
}

# start_paths BUILD: PATHS are what nginx opens or makes at its start, a line each: by its configuration, and what that build takes where the
# configuration says nothing.
start_paths() {
  local _word
  PATHS=$PIDF$NL
  [ -z "$LOGFILE" ] || PATHS="$PATHS$LOGFILE$NL"
  set -f
  for _word in $1; do
    case $_word in
      --error-log-path=* | --http-log-path=* | --http-*-temp-path=*) flag_in "$_word"; under "$PREFIX" "${FLAG%/}"; PATHS="$PATHS$FULL$NL" ;;
    esac
  done
  IFS=$NL
  for _word in $STARTS; do under "$PREFIX" "${_word%/}"; PATHS="$PATHS$FULL$NL"; done
  IFS=" $TAB$NL"
  set +f
}

# same_file FILE OTHER: by whatever links, where root alone leads both.
same_file() {
  [ "${1##*/}" = "${2##*/}" ] && [ "${1%/*}/" -ef "${2%/*}/" ] || return 1
  ! others_lead "${1%/*}" && ! others_lead "${2%/*}"
}

# newest_config: when, in seconds since the epoch, which file of the configuration was written last.
newest_config() {
  local _time _file _newest _which
  _newest=0 _which=''
  IFS=$NL
  set -f
  # shellcheck disable=SC2086
  set -- $CONFIG_FILES
  set +f
  IFS=" $TAB$NL"
  [ $# -gt 0 ] || return 0
  while read -r _time _file; do
    # Others' words are no numbers before they were looked at: mksh calculates what stands there.
    is_number "$_time" || continue
    [ "$_time" -le "$_newest" ] || _newest=$_time _which=$_file
  done <<EOF
$(READ_AS=$AS; as_theirs 10 1048576 stat -L -c '%Y %n' -- "$@")
EOF
  is_number "$_newest" && say newest "$_newest $_which"
}

# encrypted_keys: files of private keys that want a passphrase. Paths start at the directory of the configuration
# (ngx_conf_full_name); what is no file is not looked at, and of what others lead at most fifty.
encrypted_keys() {
  local _path _link _links _others
  case $DIRECTIVES in *"${TAB}ssl_certificate_key$TAB"*) ;; *) return 0 ;; esac
  _links='' _others=''
  set -f
  IFS=$NL
  set --
  for _path in $(awk -F "$TAB" '
    $2 == "ssl_certificate_key" && $3 !~ /[$]|^(data|engine|store):/ && !seen[$3]++ { print $3 }' <<EOF
$DIRECTIVES
EOF
  ); do
    under "${CONF%/*}" "$_path"
    [ -f "$FULL" ] || continue
    if [ -z "$AS" ] && is_all_ours "$FULL"; then set -- "$@" "$FULL"
    elif [ -z "$AS" ] && [ -L "$FULL" ] && are_our_dirs "${FULL%/*}"; then _links="$_links$FULL$NL"
    else _others="$_others$FULL$NL"; fi
  done
  # shellcheck disable=SC2086
  for _path in $([ -z "$_links" ] || readlink -f $_links 2>/dev/null || for _link in $_links; do readlink -f "$_link"; done); do
    if is_all_ours "$_path"; then set -- "$@" "$_path"; else _others="$_others$_path$NL"; fi
  done
  # What is a file now may be a pipe of somebody's in the next moment.
  [ $# = 0 ] || within 10 grep -lsE "$ENCRYPTED" "$@" | while IFS= read -r _path; do say key "$_path"; done
  # shellcheck disable=SC2086
  set -- $_others
  IFS=" $TAB$NL"
  set +f
  for _path in "$@"; do
    [ $# -le 50 ] || { shift; continue; }
    READ_AS=$AS
    [ -n "$AS" ] || reader_of "${_path%/*}"
    ! as_theirs 2 65536 head -c 65536 "$_path" | grep -qE "$ENCRYPTED" || say key "$_path"
  done
}

ENCRYPTED='^Proc-Type: 4,ENCRYPTED|^-----BEGIN ENCRYPTED'

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

# ------------------------------------------------------------------------------------------------------ the door: host

# own_version MASTER: what its file says of itself. Opened by us: its user may not follow the link where the file has
# capabilities, and the name may lead elsewhere by now.
own_version() {
  user_of "$1"
  # shellcheck disable=SC2086
  if [ -z "$AS" ]; then env -i "PATH=$PATH" /proc/self/fd/9 -V 2>&1 </dev/null 9<"/proc/$1/exe"
  else heard 11 65536 within 10 env -i "PATH=$PATH" $AS /proc/self/fd/9 -V 9<"/proc/$1/exe"; printf '%s' "$HEARD"; fi
}

# survey MASTER: what takes a process of its own to find out, side by side: OLD_V, OLD_SHA, PROBE, FREE, CWD, EXE, MACHINE, CPUS,
# ABOUT (what the kernel says), PACKAGE, and SHOWN, what systemd says of the unit.
survey() {
  local _replies _sum _text _free
  unit_of "$1"
  uptime_now
  WALL_UP=${UP%.*}
  OLD_V='' OLD_SHA='' PROBE='' FREE=0 CWD=/ MACHINE='' LIBC='' LIBRARIES='' ABOUT='' PACKAGE='' EPOCH=0 SHOWN=''
  count_processors
  user_of "$1"
  link_of "/proc/$1/exe"
  EXE=$LINK
  CWD=$(cd -P "/proc/$1/cwd" 2>/dev/null && pwd -P; echo .)
  CWD=${CWD%"$NL."}
  case $CWD in /*) ;; *) link_of "/proc/$1/cwd"; CWD=${LINK:-/} ;; esac
  # They write into one pipe: whole, and one after the other, comes only what one write of less than a page says.
  _replies=$(
    (one_line "$(own_version "$1")" && say_long build "$LINE") &
    (digest_of_process "$1" && say sha "$DIGEST") &
    $PATIENCE df -Pk "/proc/$1/exe" 2>/dev/null | { read -r _; read -r _ _ _ _free _ && say free "$_free"; } &
    (say machine "$(uname -m)"; say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)") &
    library_names &
    told_sockets "$1" &
    told_probe "$1" &
    surroundings "$1" &
    package_of &
    say wall "$(date -u '+%Y-%m-%dT%H:%M:%SZ %s')" &
    [ -z "$UNIT" ] || shown_of "$UNIT" &
    wait
  )
  # Told anew with what was known before.
  SOCKETS=$NL
  # A shell reads lines byte by byte, and these are many kilobytes.
  set -f
  IFS=$NL
  for _text in $_replies; do
    case $_text in
      build=*) OLD_V=$OLD_V${_text#*=} ;;
      sha=*) OLD_SHA=${_text#*=} ;;
      free=*) is_number "${_text#*=}" && FREE=${_text#*=} ;;
      machine=*) MACHINE=${_text#*=} ;;
      libc=*) LIBC=${_text#*=} ;;
      libraries=*) LIBRARIES=$LIBRARIES${_text#*=} ;;
      wall=*) WALL=${_text#*=} EPOCH=${WALL#* } WALL=${WALL% *}; is_number "$EPOCH" || EPOCH=0 ;;
      about=*) ABOUT="$ABOUT${_text#*=}$NL" ;;
      package=*) PACKAGE=${_text#*=} ;;
      unsafe) UNSAFE=' error_log' ;;
      socket=*) SOCKETS="$SOCKETS${_text#*=}$NL" ;;
      probe=*) PROBE="$PROBE${_text#*=}$NL" ;;
      shown=*) SHOWN=$SHOWN${_text#*=} ;;
      shown.*) SHOWN=$SHOWN$NL ;;
    esac
  done
  IFS=" $TAB$NL"
  set +f
  [ -z "$OLD_V" ] || OLD_V="$OLD_V "
}

# say KEY TEXT: a line of the above, cut where it could not come whole. say_long: in pieces.
say() {
  if [ ${#2} -le 900 ]; then printf '%s=%s\n' "$1" "$2"; else printf '%s=%.900s\n' "$1" "$2"; fi
}

say_long() {
  [ ${#2} -gt 900 ] || { say "$1" "$2"; return; }
  printf '%s' "$2" | awk -v KEY="$1" '{ for (; $0 != ""; $0 = substr($0, 901)) { print KEY "=" substr($0, 1, 900); fflush() } }'
}

# shown_of UNIT: what systemd says of it. Of variables only the names: what they hold may be secret.
shown_of() {
  systemctl show -p Type -p PIDFile -p MainPID -p ExecStart -p ExecReload -p Restart -p NeedDaemonReload -p LimitNOFILE \
    -p Environment -p EnvironmentFiles -p AmbientCapabilities "$1" 2>/dev/null | awk '
    function say(line) { for (; line != ""; line = substr(line, 901)) { print "shown=" substr(line, 1, 900); fflush() } print "shown."; fflush() }
    !/^Environment=/ { say($0); next }
    { n = split(substr($0, 13), words, " "); line = "Environment="
      for (i = 1; i <= n; i++) if (match(words[i], /^["\047]?[A-Za-z_][A-Za-z0-9_]*=/))
        { name = substr(words[i], 1, RLENGTH - 1); sub(/^["\047]/, "", name); line = line name " " }
      say(line) }'
}

# surroundings MASTER: what the kernel says of it, which runs EXE, of its children together, and of the room that there is, read by one
# process. Lines of "about=KEY=VALUE".
surroundings() {
  local _label _tasks
  children_of "$1"
  # Root is held to no number of processes.
  uid_of "$1"
  _tasks=''
  [ "$UID_OF" = 0 ] || _tasks=$(cat /proc/[0-9]*/status 2>/dev/null | awk -v U="$UID_OF" '
    $1 == "Uid:" { user = $2 }
    $1 == "Threads:" && user == U { n += $2 }
    END { print n + 0 }')
  # Without a security module reading it is an error, at which mawk gives up altogether.
  _label=''
  { read -r _label <"/proc/$1/attr/current"; } 2>/dev/null
  $PATIENCE awk -v M="$1" -v C="$CHILDREN" -v EXE="$EXE" -v LABEL="$_label" -v TASKS="$_tasks" '
    # At once: what fills a buffer would be cut among the lines of others.
    function say(key, value) { if (value != "") { print "about=" key "=" substr(value, 1, 900); fflush() } }
    function first(file,   line) { line = ""; getline line < file; close(file); return line }
    # A limit at any level above holds as well.
    function room(path, name,   most, used, left, least) {
      for (least = ""; path ~ /^\//; sub(/\/[^\/]*$/, "", path)) {
        most = first("/sys/fs/cgroup" path "/" name ".max"); used = first("/sys/fs/cgroup" path "/" name ".current")
        left = most - used
        if (most ~ /^[0-9]+$/ && used ~ /^[0-9]+$/ && (least == "" || left < least)) least = left
      }
      return least
    }
    function status(file, master,   line, w) {
      while ((getline line < file) > 0) {
        n = split(line, w)
        if (w[1] == "RssAnon:") held += w[2]
        else if (w[1] == "RssShmem:" && w[2] > shared) shared = w[2]
        else if (master && w[1] ~ /^(Threads|NoNewPrivs|Seccomp|CapEff):$/) say(substr(w[1], 1, length(w[1]) - 1), w[2])
      }
      close(file)
    }
    function limit(file, what,   line, w, said) {
      said = ""
      while (said == "" && (getline line < file) > 0) if (index(line, what) == 1) { split(substr(line, length(what) + 1), w); said = w[1] " " w[2] }
      close(file)
      return said
    }
    function mount(   line, w, n, best, said) {
      while ((getline line < (proc "/mountinfo")) > 0) {
        n = split(line, w); gsub(/\\040/, " ", w[5])
        if (index(EXE, w[5] == "/" ? "/" : w[5] "/") == 1 && length(w[5]) >= length(best)) { best = w[5]; sub(/,.*/, "", w[n]); said = w[6] "," w[n] }
      }
      say("mount", said " " best)
    }
    BEGIN {
      proc = "/proc/" M
      status(proc "/status", 1)
      n = split(C, child, " ")
      for (i = 1; i <= n; i++) status("/proc/" child[i] "/status", 0)
      say("held", held + shared)
      say("nofile", limit(proc "/limits", "Max open files")); say("mostFiles", limit("/proc/1/limits", "Max open files"))
      if (TASKS != "" && (split(limit(proc "/limits", "Max processes"), w) && w[1] ~ /^[0-9]+$/)) say("userPids", w[1] - TASKS)
      mount()
      sub(/ \(deleted\)$/, "", EXE)
      while ((getline line < (proc "/maps")) > 0)
        if (match(line, /\/[^ ]*\/lib(jemalloc|tcmalloc|mimalloc|faketime)[^ \/]*$/)) preload[substr(line, RSTART, 300)] = 1
      for (i in preload) say("preload", i)
      say("label", LABEL)
      say("selinux", first("/sys/fs/selinux/enforce"))
      while ((getline line < "/proc/meminfo") > 0) if (split(line, w) && w[1] == "MemAvailable:") { say("available", w[2]); break }
      while ((getline line < (proc "/cgroup")) > 0) if (line ~ /^0::/) path = substr(line, 4)
      if (path != "") { say("cgroupMemory", room(path, "memory")); say("cgroupPids", room(path, "pids")) }
    }' /dev/null
}

# package_of: the package that the running file, EXE, belongs to, as far as that is quickly told.
package_of() {
  local _file _found
  _file=${EXE%' (deleted)'} _found=''
  if [ -d /var/lib/dpkg/info ]; then
    _found=$(grep -lxF -- "$_file" /var/lib/dpkg/info/*nginx*.list /var/lib/dpkg/info/*openresty*.list \
      /var/lib/dpkg/info/angie*.list /var/lib/dpkg/info/tengine*.list 2>/dev/null)
    _found=${_found%%"$NL"*} _found=${_found##*/} _found=${_found%.list}
  elif command -v rpm >/dev/null; then _found=$(rpm -qf --qf '%{NAME}' "$_file" 2>/dev/null) || _found=''
  elif command -v apk >/dev/null; then _found=$(apk info -q --who-owns "$_file" 2>/dev/null) || _found=''
  fi
  [ -z "$_found" ] || say package "$_found"
}

# count_processors: CPUS that are online, as sysconf counts them for `worker_processes auto`.
count_processors() {
  local _range _list
  CPUS=0 _list=0
  { read -r _list </sys/devices/system/cpu/online; } 2>/dev/null
  while [ -n "$_list" ]; do
    _range=${_list%%,*}
    CPUS=$((CPUS + ${_range#*-} - ${_range%-*} + 1))
    case $_list in *,*) _list=${_list#*,} ;; *) _list='' ;; esac
  done
}

# library_names: the shared libraries that the loader knows here. musl keeps no list: what lies where it looks.
library_names() {
  ldconfig -p 2>/dev/null | library_lines ||
    ls /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /lib/*-linux-* /usr/lib/*-linux-* 2>/dev/null | library_lines
}

# library_lines: short ones, each in a write of its own: only those come whole through a pipe that others write to as well.
library_lines() {
  awk '
    function say() { print "libraries=" names; fflush(); names = "" }
    ($NF ~ /^\// || NF == 1) && $1 ~ /\.so(\.|$)/ && !seen[$1]++ { names = names $1 " "; if (length(names) > 900) say() }
    END { if (names != "") say(); for (name in seen) exit 0; exit 1 }'
}

# told_sockets MASTER: in a process of its own, what there is to know of its sockets.
told_sockets() {
  local _told
  OM=$1
  listeners_of "$1"
  if [ "$ODD_LOG" = 1 ]; then
    link_of "/proc/$1/fd/2"
    is_plain "$LINK" || echo unsafe
  fi
  while read -r _told; do [ -z "$_told" ] || say socket "$_told"; done <<EOF
$SOCKETS
EOF
}

# path_nginx: PATH_NGINX is what people start who only say `nginx`, where root put it there.
path_nginx() {
  local _rest
  PATH_NGINX='' _rest=$PATH:
  while [ -n "$_rest" ]; do
    if [ -x "${_rest%%:*}/nginx" ]; then PATH_NGINX=${_rest%%:*}/nginx; return 0; fi
    _rest=${_rest#*:}
  done
}

# look_at_binary MASTER: OLD_INO and PATH_INO, of the file that runs and of BIN at its path; SAME_MOUNTS, SAME_ROOT, SAME_NETWORK: whether
# it sees what we see; MAGIC, the first bytes at the path; SHARED. What we put beside the binary has to lie there for the master, too.
look_at_binary() {
  path_nginx
  read_inodes "/proc/$1/exe" "$BIN" "/proc/$1/ns/mnt" /proc/self/ns/mnt "${BIN%/*}" "/proc/$1/root${BIN%/*}" "$PATH_NGINX"
  OLD_INO=$INODE_1 PATH_INO=$INODE_2 SAME_MOUNTS=0 SAME_ROOT=0 SAME_NETWORK=1
  ! sees_other net "$1" || SAME_NETWORK=0
  [ "$INODE_3" != "$INODE_4" ] || SAME_MOUNTS=1
  # What may not be looked into is taken for the same.
  [ -n "$INODE_6" ] && [ "$INODE_5" != "$INODE_6" ] || SAME_ROOT=1
  [ -z "$INODE_7" ] || [ "$INODE_7" != "$INODE_1" ] || PATH_NGINX=''
  # What runs is a program; anything else at the path must show what it is.
  MAGIC=7f454c46
  [ "$INODE_1" = "$INODE_2" ] || MAGIC=$(within 2 od -An -tx1 -N4 "$BIN" 2>/dev/null)
  shared_with
}

# shared_with: SHARED are the other masters that run the very same file.
shared_with() {
  local _p
  SHARED=''
  for _p in $ROOTS; do
    case $_p in "$OM" | "$DRAINING") continue ;; esac
    ! runs_like "$_p" "$OM" || SHARED="$SHARED${SHARED:+, }$_p"
  done
}

# can_write_pid_directory MASTER: as the master sees it: a unit may have made it read-only for it alone.
can_write_pid_directory() {
  local _root
  _root=/proc/$1/root
  [ -e "$_root${PIDF%/*}" ] || _root=''
  # shellcheck disable=SC2086
  [ -w "$_root${PIDF%/*}" ] && { [ -z "$AS" ] || aside 5 $AS test -w "${PIDF%/*}"; }
}

# survey_files: side by side: NEWEST, KEYS, CAPS of the binary, and OTHER_V, the version of the `nginx` in PATH, where that is ours.
survey_files() {
  local _replies _text
  NEWEST='' KEYS='' OTHER_V='' CAPS=''
  _replies=$(
    newest_config &
    encrypted_keys &
    if [ -n "$PATH_NGINX" ] && real_path "$PATH_NGINX" && is_all_ours "$REAL" && ! others_lead "${REAL%/*}"; then
      say other "$(within 10 env -i "PATH=$PATH" "$REAL" -v 2>&1 </dev/null | head -n 1)"
    fi &
    say caps "$(getcap "$BIN" 2>/dev/null)" &
    wait
  )
  set -f
  IFS=$NL
  for _text in $_replies; do
    case $_text in
      newest=*) NEWEST=${_text#*=} ;;
      key=*) KEYS="$KEYS${_text#*=}$NL" ;;
      other=*) OTHER_V=${_text#*=} ;;
      caps=*) CAPS=${_text#*=} ;;
    esac
  done
  IFS=" $TAB$NL"
  set +f
}

# guard_choice: KIND of guard that this host allows.
guard_choice() {
  KIND=detached
  [ -d /run/systemd/system ] && command -v systemd-run >/dev/null || return 0
  if [ "$MY_UID" = 0 ]; then KIND=systemd
  # Without lingering, a user's services end with the last login.
  elif [ -e "/var/lib/systemd/linger/$(id -un)" ]; then KIND=systemd-user; fi
}

# ask_service: UNIT_STATE is what the service manager says of the unit: `moves` (it is being stopped, started or reloaded, or it was told to,
# or nobody answers), `stopped` (by whoever said so, also where that failed or took too long), `failed`, `runs`, or `none` without a unit.
# UNIT_MAIN is the number of its main process, UNIT_JOB what it was told to do last, as far as anybody looked.
ask_service() {
  local _line _state _job _ended
  UNIT_STATE=none UNIT_MAIN=''
  [ -n "$S_unit" ] && command -v systemctl >/dev/null || return 0
  _state='' _job='' _ended=''
  # shellcheck disable=SC2086
  while IFS= read -r _line; do
    case $_line in
      ActiveState=*) _state=${_line#*=} ;;
      Job=*) _job=${_line#*=} ;;
      ExecMainCode=* | ExecMainStatus=*) _ended=$_ended:${_line#*=} ;;
      MainPID=*) UNIT_MAIN=${_line#*=} ;;
    esac
  done <<EOF
$(within 5 $MANAGER show -p ActiveState -p Job -p ExecMainCode -p ExecMainStatus -p MainPID "$S_service" 2>/dev/null)
EOF
  case $_job in '' | 0) ;; *) job_type "$_job" ;; esac
  case $_state:${_job:-0} in
    active:0) UNIT_STATE=runs ;;
    inactive:0) UNIT_STATE=stopped ;;
    # Its main process may have left in peace, and what was to stop it failed.
    failed:0) case $UNIT_JOB:$_ended in stop:* | :*:1:0) UNIT_STATE=stopped ;; *) UNIT_STATE=failed ;; esac ;;
    *) UNIT_STATE=moves ;;
  esac
}

# job_type NUMBER: UNIT_JOB is that job's: stop, start, restart and the like.
job_type() {
  local _number _type
  # shellcheck disable=SC2086
  while read -r _number _ _type _; do
    [ "$_number" != "$1" ] || UNIT_JOB=$_type
  done <<EOF
$(within 5 $MANAGER list-jobs --plain --no-legend 2>/dev/null)
EOF
}

# ------------------------------------------------------------------------------------------------------ the door: logs

# Error logs are read through the masters' own descriptors: that file stays the same, whoever moves its name. By their paths are
# read those of a master of another user, and what no living master has open, with the rights of whoever leads the path.

# logs_from_here: remembers in S_logs how long the error logs are now: entries "SIZE INODE PATH|", the path encoded. The first is
# what the old master writes to.
logs_from_here() {
  local _size _ino _mode _path
  S_logs=''
  link_of "/proc/$S_om/fd/2"
  while read -r _size _ino _mode _path; do
    case $_mode:$S_logs in 8???:*" $_ino "*) continue ;; 8???:*) ;; *) continue ;; esac
    if [ "$_path" = "$LOGFILE" ]; then encode "$LOGFILE"; else encode "$LINK"; fi
    S_logs="$S_logs$_size $_ino $CODE|"
  done <<EOF
$(stat_logs "/proc/$S_om/fd/2" "${LOGFILE:-/dev/null}")
EOF
}

# stat_logs PATH...: in a process of its own, size, inode and kind of what they lead to, a line each.
stat_logs() { exec timeout -s KILL 5 stat -L -c '%s %d:%i %f %n' "$@" 2>/dev/null; }

# each_log ACTION PATTERN: ACTION FILE FROM SIZE PATTERN for every log, where FROM is the size that it had then, and READ_AS what
# reads it. One that was rotated since is two: what it was called before, and its successor from the start.
each_log() {
  local _action _pattern _rest _found _known _size _ino _mode _path _seen
  _action=$1 _pattern=$2 _seen=' ' _rest=$S_logs LOG_PATH=${S_logs%%"|"*}
  set --
  [ -n "$S_as" ] || set -- "/proc/$S_om/fd/2" "/proc/${S_nm:-0}/fd/2"
  while [ -n "$_rest" ]; do
    _path=${_rest%%'|'*} _rest=${_rest#*'|'}
    decode "${_path##* }" && is_plain "$VALUE" || continue
    set -- "$@" "$VALUE" "$VALUE.1"
  done
  [ $# -gt 0 ] || return 0
  _found=$(stat_logs "$@")
  # What was there then comes first.
  for _known in 0 1; do
    while read -r _size _ino _mode _path; do
      case $_mode:$_seen in 8???:*" $_ino "*) continue ;; 8???:*) ;; *) continue ;; esac
      log_began "$_ino" "$_size"
      [ $? = "$_known" ] || continue
      case $_known:$_path in 1:*.1) continue ;; esac
      reader_of_log "$_path" "$_known" || continue
      _seen="$_seen$_ino "
      "$_action" "$_path" "$FROM" "$_size" "$_pattern"
    done <<EOF
$_found
EOF
  done
}

# reader_of_log PATH NEW: what a master of another user names is read as that user. One of root opens its log by its name, at its start
# and whenever it is told to: what came into its hands since is ours to read where root alone leads that name.
reader_of_log() {
  READ_AS=$S_as
  [ -z "$S_as" ] || return 0
  case $1 in
    "/proc/$S_om/fd/2" | "/proc/$S_nm/fd/2")
      # What the old one has had in its hands all the time.
      [ "$2" = 1 ] || [ ! "$1" -ef "/proc/$S_om/fd/2" ] || return 0
      decode "${LOG_PATH##* }" && place_of "${VALUE%/*}" && [ -z "$PLACE" ] ;;
    *) reader_of "${1%/*}" ;;
  esac
}

# log_began INODE SIZE: FROM is how long this log was then; false where it is none of those.
log_began() {
  FROM=0
  case "|$S_logs" in
    *" $1 "*) FROM=${S_logs%%" $1 "*} FROM=${FROM##*'|'} ;;
    *) return 1 ;;
  esac
  # Emptied in its place.
  [ "$FROM" -le "$2" ] || FROM=0
}

# How a line of nginx begins (ngx_log_error_core): what clients send may stand further behind.
BY_NGINX='^[0-9/]{10} [0-9:]{8} '

# new_log_lines PATTERN: LINES_FOUND are the lines since then that match, known harmless ones excepted.
new_log_lines() {
  LINES_FOUND=''
  each_log lines_after "$1"
  LINES_FOUND=${LINES_FOUND%"$NL"}
}

# The last eight megabytes at most, and ten seconds: whoever writes faster must not keep this reading. Mostly there is nothing.
lines_after() {
  local _from
  [ "$3" -gt "$2" ] || return 0
  _from=+$(($2 + 1))
  [ $(($3 - $2)) -le 8388608 ] || _from=8388608
  as_theirs 10 8388608 tail -c "$_from" "$1" | grep -qaE "$4" || return 0
  LINES_FOUND="$LINES_FOUND$(as_theirs 10 8388608 tail -c "$_from" "$1" | head -c 8388608 | grep -aE "$4" |
    grep -avE "$BY_NGINX\\[crit\\] [0-9#]+: (\\*[0-9]+ )?(unlink\\(\\) \".*\" failed \\(2|SSL_[a-z_]+\\(\\) failed)" | tail -n 40 | cut -b 1-1000)$NL"
}

# lines_before: the serious lines of the last four megabytes before, the same text once.
lines_before() {
  local _start
  [ "$2" -gt 0 ] || return 0
  _start=$(($2 - 4194304))
  [ "$_start" -ge 0 ] || _start=0
  as_theirs 10 4194304 tail -c "+$((_start + 1))" "$1" | head -c $(($2 - _start)) | grep -aE "$BY_NGINX\\[(emerg|alert|crit)\\] [0-9]+#" | awk '
    { text = $0; sub(/^.*\[/, "", text); sub(/\] [0-9#]*: (\*[0-9]+ )?/, "]", text); sub(/, (client|server|upstream|responder|peer): .*/, "", text) }
    !seen[text]++ && n++ < 400'
}

# log_was_rotated: the old master writes to another file than the one at the path. LOG_PATH and LOG_FILES say which. Only where
# nobody but its own user leads the path: what root reopens must not be of others' choice.
log_was_rotated() {
  LOG_FILES='' LOG_PATH=${S_logs%%"|"*}
  decode "${LOG_PATH##* }" && is_plain "$VALUE" || return 1
  LOG_PATH=$VALUE
  [ -n "$LOG_PATH" ] && [ -f "$LOG_PATH" ] || return 1
  place_of "${LOG_PATH%/*}"
  uid_of "$S_om"
  case $PLACE in '' | "$UID_OF") ;; *) return 1 ;; esac
  LOG_FILES=$(exec timeout -s KILL 5 stat -L -c '%d:%i' "$LOG_PATH" "/proc/$S_om/fd/2" 2>/dev/null)
  case $LOG_FILES in "${LOG_FILES#*"$NL"}$NL"*) return 1 ;; *"$NL"*) ;; *) return 1 ;; esac
}

# ------------------------------------------------------------------------------------- the instance's directory, the books

# State of one upgrade, kept in D/upgrade as one line "key=value" for each of these, in this order, and mirrored in S_ variables.
# What can be told without it is not in it: where the staged files lie, and what they are called.
STATE_KEYS='nonce phase kind boot run who since bin hand pidf om om_start session nm nm_start old_ino path_ino new_ino old_sha
new_sha new_blake old_version new_version modules need cover ow nw unix listen usr2 winch quit confirm ready drain hold keep unit
logs cwd as opt_c opt_p opt_e opt_g'
BOOKS='nginx-hot-upgrade 2'

# encode TEXT: CODE is the text as one value of a line or list: control characters, `%` and `|` are written as their numbers. Lists are
# written and read again in every verb: what stands in them starts no process.
encode() {
  CODE=$1
  case $1 in *[[:cntrl:]]*) encode_all "$1"; return ;; esac
  coded % 25
  coded '|' 7c
}

# coded LETTER NUMBER: CODE with that letter as its number.
coded() {
  local _rest
  case $CODE in *"$1"*) ;; *) return 0 ;; esac
  _rest=$CODE CODE=''
  while :; do
    case $_rest in *"$1"*) ;; *) break ;; esac
    CODE=$CODE${_rest%%"$1"*}%$2 _rest=${_rest#*"$1"}
  done
  CODE=$CODE$_rest
}

encode_all() {
  CODE=$(printf '%sx' "$1" | awk '
    { gsub(/%/, "%25"); gsub(/[|]/, "%7c")
      for (i = 1; i < 128; i++) if (i < 32 || i == 127) { c = sprintf("%c", i); if (index($0, c)) gsub(c, sprintf("%%%02x", i)) }
      printf "%s%s", (NR > 1 ? "%0a" : ""), $0 }')
  CODE=${CODE%x}
}

# decode CODE: VALUE is the text; false where it is nothing that encode wrote.
decode() {
  local _rest _two _byte
  VALUE=$1
  case $1 in *'|'* | *[[:cntrl:]]*) return 1 ;; *%*) ;; *) return 0 ;; esac
  VALUE='' _rest=$1
  while :; do
    case $_rest in *%*) ;; *) break ;; esac
    VALUE=$VALUE${_rest%%"%"*} _rest=${_rest#*"%"}
    _two=${_rest%"${_rest#??}"} _rest=${_rest#??}
    case $_two in
      25) VALUE=$VALUE% ;;
      7c) VALUE="$VALUE|" ;;
      00) return 1 ;;
      [01][0-9a-f] | 7f) _byte=$(printf '%bx' "\\0$(printf '%o' "0x$_two")") VALUE=$VALUE${_byte%x} ;;
      *) return 1 ;;
    esac
  done
  VALUE=$VALUE$_rest
}

# is_number TEXT: none that a shell takes for an octal one. At most nine digits are counted with; start times are only compared.
is_number() { case $1 in '' | *[!0-9]* | 0?* | ????????????????*) return 1 ;; esac; }

# shaped KEY VALUE: whether the books could hold this.
shaped() {
  case $1 in
    nonce) case $2 in '' | *[!0-9A-Za-z]*) return 1 ;; esac ;;
    phase) case $2 in staged | rehearsing | begun | ready | retired | held | undoing) ;; *) return 1 ;; esac ;;
    kind) case $2 in upgrade | reverse | plan) ;; *) return 1 ;; esac ;;
    usr2) case $2 in '' | 1 | stub) ;; *) return 1 ;; esac ;;
    bin | pidf) case $2 in /*) ;; *) return 1 ;; esac ;;
    om | om_start) is_number "$2" ;;
    confirm | ready | drain | hold | keep | need | cover) is_number "$2" && [ ${#2} -le 9 ] ;;
    nm | nm_start | session | winch | quit) [ -z "$2" ] || is_number "$2" ;;
    ow | nw | listen | hand | *_ino) case $2 in *[!0-9:\ ]*) return 1 ;; esac ;;
    boot | *_sha | new_blake) case $2 in *[!0-9a-f-]*) return 1 ;; esac ;;
    as) case $2 in '') ;; *[!0-9a-z=,+_\ -]*) return 1 ;; 'setpriv --reuid='*) ;; *) return 1 ;; esac ;;
    unit) case $2 in *[!A-Za-z0-9:_.\\@-]*) return 1 ;; esac ;;
  esac
}

# instance_of PIDFILE: D is the directory of the instance that owns this pid file.
instance_of() {
  local _dir _rest _name _owner
  _dir=$(cd -P "${1%/*}/" 2>/dev/null && pwd -P) || _dir=${1%/*}
  _rest=${_dir#/}/${1##*/} _name=''
  while :; do
    case $_rest in
      *[/\ ]*) _name=$_name${_rest%%[/ ]*}- _rest=${_rest#*[/ ]} ;;
      *) break ;;
    esac
  done
  _name=$_name$_rest
  INSTANCE=${_dir%/}/${1##*/}
  state_base
  D=$BASE/$_name
  # Two paths may look the same with their slashes gone: the directory belongs to the first that came.
  while [ -f "$D/instance" ] && { read -r _owner <"$D/instance"; } && [ "$_owner" != "$INSTANCE" ]; do D=${D}_; done
}

# state_base: BASE is where the instances' directories lie. A guard has no home, and was told.
state_base() {
  if [ "$MY_UID" = 0 ]; then BASE=/var/lib/nginx-hot-upgrade
  elif [ -z "$BASE" ]; then BASE=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/nginx-hot-upgrade; fi
}

# in_place DIRECTORY: it may be an instance's: it lies where they lie, and where it is there it is ours and no link.
in_place() {
  state_base
  case $1 in "$BASE"/*/* | "$BASE"/.. | "$BASE"/) return 1 ;; "$BASE"/*) ;; *) return 1 ;; esac
  [ ! -L "$BASE" ] && [ ! -L "$1" ] || return 1
  [ ! -e "$1" ] || { [ -d "$1" ] && [ -O "$1" ]; }
}

# write_file FILE TEXT: whole or not at all.
write_file() { write_new "$1" "$2" && mv -f "$NEW_FILE" "$1"; }

# write_new FILE TEXT: into NEW_FILE beside it. On a full file system the reserve makes room: going back must always be
# possible.
write_new() {
  SERIAL=$((SERIAL + 1))
  NEW_FILE=$1.new.$$.$SERIAL
  printf '%s\n' "$2" 2>/dev/null >"$NEW_FILE" && return 0
  rm -f "$NEW_FILE" "$D/reserve"
  printf '%s\n' "$2" >"$NEW_FILE"
}

# create_file FILE TEXT: fails where FILE is there already. Its second name is left to tidy.
create_file() {
  TRASH=1
  write_new "$1" "$2" || return 1
  ln "$NEW_FILE" "$1" 2>/dev/null
}

# tidy: at the end of every verb.
tidy() {
  [ "$TRASH" = 1 ] || return 0
  TRASH=0
  rm -f "$D"/*.new.$$.* "$D"/actor/*.new.$$.*
}

# save_state: false where they cannot be written, or could not be read again.
save_state() {
  local _text _k
  _text=$BOOKS$NL
  for _k in $STATE_KEYS; do
    eval "_v=\${S_$_k-}"
    shaped "$_k" "$_v" || return 1
    encode "$_v"
    _text="$_text$_k=$CODE$NL"
  done
  write_file "$D/upgrade" "${_text}end"
}

forget_state() {
  local _k
  for _k in $STATE_KEYS; do eval "S_$_k=''"; done
  S_work='' HAND=''
}

# load_state: false where nothing is under way, and where BROKEN says why the books cannot be read: then nothing is done.
load_state() {
  BROKEN=''
  forget_state
  [ -f "$D/upgrade" ] || return 1
  read_books <"$D/upgrade" || { forget_state; return 1; }
  derive_state
}

read_books() {
  local _line _k
  IFS= read -r _line || :
  if [ "$_line" != "$BOOKS" ]; then BROKEN="it was written by another version than this, or is damaged"; return 1; fi
  for _k in $STATE_KEYS; do
    IFS= read -r _line || :
    case $_line in "$_k="*) ;; *) BROKEN="expected \"$_k=\", found another line"; return 1 ;; esac
    if ! decode "${_line#*=}" || ! shaped "$_k" "$VALUE"; then BROKEN="\"$_k\" holds what it cannot hold"; return 1; fi
    eval "S_$_k=\$VALUE"
  done
  IFS= read -r _line && [ "$_line" = end ] && ! IFS= read -r _line && [ -z "$_line" ] ||
    { BROKEN='expected its end, found more or less'; return 1; }
}

# derive_state: what follows from the books. HAND is who puts files beside the binary: us, or the owner of its directory.
derive_state() {
  S_work=${S_bin%/*}/.nginx-hot-upgrade-$S_nonce HAND='' S_group=''
  manager_of "$S_unit"
  [ -z "$S_as" ] || { S_group=${S_as#*--regid=}; S_group=${S_group%% *}; }
  [ -z "$S_hand" ] || HAND="setpriv --reuid=${S_hand%:*} --regid=${S_hand#*:} --clear-groups"
}

# value_in FILE KEY: VALUE of one key=value line; empty where there is none, or several.
value_in() {
  local _line _code _count
  VALUE='' _code='' _count=0
  [ -f "$1" ] || return 0
  while IFS= read -r _line; do
    case $_line in "$2="*) _code=${_line#*=} _count=$((_count + 1)) ;; esac
  done 2>/dev/null <"$1"
  [ "$_count" = 1 ] && decode "$_code" || VALUE=''
}

# journal EVENT [key value]...: one line for every transition, written before its effect.
journal() {
  local _event _extra
  # A plan leaves nothing behind.
  [ "$S_kind" != plan ] || return 0
  _event=$1
  shift
  _extra=''
  while [ $# -ge 2 ]; do
    if [ ${#2} -le 4000 ]; then json_text "$2"; else json_text "$(printf '%.4000s' "$2")"; fi
    _extra="$_extra,\"$1\":$J"
    shift 2
  done
  uptime_now
  wall_now
  printf '{"at":"%s","up":"%s","nonce":"%s","actor":"%s %s","event":"%s"%s}\n' \
    "$WALL" "$UP" "$S_nonce" "$ACTOR" "$$" "$_event" "$_extra" >>"$D/journal.jsonl"
}

# ------------------------------------------------------------------------------------------------------------- effects
#
# Right before it acts, each looks whether what it acts on is what was meant: a process by its start, a directory of ours by its
# name and owner.

# signal NAME PID START: false where that very process is gone.
signal() { start_of "$2" && [ "$START" = "$3" ] && kill "-$1" "$2" 2>/dev/null; }

# signal_all NAME WORD...: words PID:START.
signal_all() {
  local _name _word
  _name=$1
  shift
  for _word in "$@"; do signal "$_name" "${_word%%:*}" "${_word#*:}"; done
}

# by_hand COMMAND...: beside the binary, as whoever its directory is of, who can hold it up for ten seconds and no more.
by_hand() {
  # shellcheck disable=SC2086
  if [ -z "$HAND" ]; then "$@"; else aside 10 $HAND "$@"; fi
}

# hand_writes SECONDS FILE: what comes in goes into FILE, and on. All of it is read, whatever becomes of that. The hand holds an end of a
# pipe, and nothing else of ours.
hand_writes() {
  [ -n "$HAND" ] || { tee "$2"; return; }
  {
    tee /dev/fd/3 2>/dev/null | into_hand "$1" "$2" 3>&-
    cat >/dev/null
  } 3>&1
}

# shellcheck disable=SC2016,SC2086
into_hand() { within "$1" $HAND /bin/sh -c "$FILL" fill "$2" >/dev/null 2>&1; }

# shellcheck disable=SC2016
FILL='exec cat >"$1"'

# hand_reads FILE
hand_reads() {
  # shellcheck disable=SC2086
  within 60 $HAND cat "$1" </dev/null 2>/dev/null | within 61 head -c 536870912
}

# from_pipe SECONDS FILE: at once what comes, a line at a time mostly, and no more than some megabytes. Whoever writes to it, or holds our
# end open, ends with it.
from_pipe() {
  # shellcheck disable=SC2086
  within "$1" $HAND dd if="$2" bs=4096 count=4096 2>/dev/null </dev/null | dd bs=4096 count=4096 2>/dev/null
}

# is_own_room DIRECTORY: one that we made beside a binary or a module, and nobody else since.
is_own_room() {
  case ${1##*/} in .nginx-hot-upgrade-*[!0-9A-Za-z]* | .nginx-hot-upgrade-) return 1 ;; .nginx-hot-upgrade-*) ;; *) return 1 ;; esac
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  if [ -z "$HAND" ]; then [ -O "$1" ]; else owner_of "$1"; [ "$OWNER" = "${S_hand%:*}" ]; fi
}

# make_room, remove_room DIRECTORY. Nobody else may look into it.
make_room() { by_hand mkdir -m 700 "$1"; }

remove_room() { ! is_own_room "$1" || by_hand rm -rf "$1"; }

# open_room DIRECTORY: to the group of the master's user, who runs what lies there. Never while a file lies there that would give
# others more rights.
open_room() {
  local _file
  is_own_room "$1" || return 1
  for _file in "$1"/*; do
    [ ! -u "$_file" ] && [ ! -g "$_file" ] || return 1
  done
  chgrp "$S_group" "$1" && chmod 710 "$1"
}

# end_process PID START: stops it first, so that it starts nothing more, then ends its children and itself.
end_process() {
  local _parent _end_by
  lives "$1" "$2" || return 0
  _parent=$PARENT
  signal STOP "$1" "$2"
  end_children "$1"
  signal KILL "$1" "$2"
  # sudo stops itself along with what it started, and would never notice the end.
  [ "$_parent" -le 1 ] || kill -CONT "$_parent" 2>/dev/null
  uptime_now
  _end_by=$((NOW + 50))
  while lives "$1" "$2"; do
    uptime_now
    [ "$NOW" -lt "$_end_by" ] || return 1
    pause
  done
}

# end_children PID: and theirs; but neither us nor the guard.
end_children() {
  local _all _word
  guard_lives || GUARD_PID=''
  workers_of "$1"
  _all=$STARTED
  for _word in $_all; do
    case ${_word%:*} in "$$" | "$GUARD_PID") continue ;; esac
    signal STOP "${_word%:*}" "${_word#*:}" || continue
    workers_of "${_word%:*}"
    # shellcheck disable=SC2086
    signal_all KILL $STARTED "$_word"
  done
}

# ---------------------------------------------------------------------------------------------- one actor, one decision

# mutex_end: walks the chain of actors. H_PID, H_START: who acts now (empty: nobody yet); H_NEXT: its successor's file.
# Every file is created exclusively and named after the one it succeeds, so that two who take over cannot both win. The
# term counts how often one process took it, or the chain would close to a ring.
mutex_end() {
  H_PID='' H_START='' H_BOOT='' H_TERM='' H_NEXT=first H_CHAIN=''
  while { read -r H_PID H_START H_BOOT H_TERM <"$D/actor/$H_NEXT"; } 2>/dev/null; do
    # Who released it had made sure that nobody before it was left.
    if [ "$H_PID" = 0 ]; then H_CHAIN=''; elif [ "$H_BOOT" = "$BOOT" ]; then H_CHAIN="$H_CHAIN $H_PID:$H_START"; fi
    H_NEXT=after-$H_PID-$H_START-$H_TERM
  done
}

# actor_lives: somebody else is at work.
actor_lives() { mutex_end; [ "$H_PID" != $$ ] && [ "$H_BOOT" = "$BOOT" ] && lives "$H_PID" "$H_START"; }

# release_mutex: nobody acts any more, and this process will not be ended by who comes next.
release_mutex() {
  mutex_end
  TERM_COUNT=$((TERM_COUNT + 1))
  [ "$H_PID" != $$ ] || create_file "$D/actor/$H_NEXT" "0 $$ $BOOT $TERM_COUNT"
}

# take_mutex: ends whoever acted here before and returns as the only actor.
take_mutex() {
  local _my_start _tries _link
  start_of $$
  _my_start=$START
  _tries=0
  mutex_end
  while [ "$H_PID:$H_START" != "$$:$_my_start" ]; do
    _tries=$((_tries + 1))
    [ "$_tries" -le 50 ] || return 1
    [ -d "$D/actor" ] || mkdir -p "$D/actor"
    TERM_COUNT=$((TERM_COUNT + 1))
    create_file "$D/actor/$H_NEXT" "$$ $_my_start $BOOT $TERM_COUNT"
    mutex_end
  done
  # The predecessor may have died between its claim and its taking over: whoever stands in the chain must be gone.
  for _link in $H_CHAIN; do
    [ "${_link%%:*}" != $$ ] || continue
    end_process "${_link%%:*}" "${_link#*:}" || return 1
  done
  mutex_end
  [ "$H_PID" = $$ ]
}

read_decision() {
  local _word _nonce _why
  DECISION='' DECISION_WHY=''
  { read -r _word _nonce _why <"$D/decision"; } 2>/dev/null || return 0
  [ "$_nonce" != "$S_nonce" ] || { DECISION=$_word DECISION_WHY=$_why; }
}

# decide WORD WHY: true where the one decision about this upgrade is WORD, whoever made it.
decide() {
  read_decision
  if [ -z "$DECISION" ]; then
    create_file "$D/decision" "$1 $S_nonce $2" && journal "decision" word "$1" why "$2"
    read_decision
  fi
  [ "$DECISION" = "$1" ]
}

# may_act [DECISION]: still the one actor, and nothing else was decided. Asked right before every signal and rename.
may_act() {
  mutex_end
  [ "$H_PID" = $$ ] || return 1
  read_decision
  [ -z "$DECISION" ] || [ "$DECISION" = "${1-}" ]
}

# ---------------------------------------------------------------------------------------------------------------- guard

# go_on_waiting: a wait that the guard must not end keeps its deadline ahead, once a second.
go_on_waiting() {
  [ "$NOW" -ge "$EXTENDED_AT" ] || return 0
  set_deadline "$S_confirm"
}

set_deadline() {
  uptime_now
  write_file "$D/deadline" "$((NOW + $1))"
  EXTENDED_AT=$((NOW + 10))
}

# sign_of_life: the run asks for something; within a second of the last time that says nothing new.
sign_of_life() { uptime_now; go_on_waiting; }

read_deadline() {
  DEADLINE=0
  { read -r DEADLINE <"$D/deadline"; } 2>/dev/null
  is_number "$DEADLINE" && [ ${#DEADLINE} -le 10 ] || DEADLINE=0
}

guard_lives() {
  value_in "$D/guard" boot
  [ "$VALUE" = "$BOOT" ] || return 1
  value_in "$D/guard" start
  GUARD_START=$VALUE
  value_in "$D/guard" pid
  GUARD_PID=$VALUE
  lives "$GUARD_PID" "$GUARD_START"
}

# start_guard: does not wait for it; wait_for_guard does.
start_guard() {
  # A guard that starts another one was started from there itself.
  # No argument: where printf is no part of the shell (mksh) one may have 128 KiB at most.
  [ -z "${NHU-}" ] || cat >"$D/helper" <<EOF
$NHU
EOF
  set_deadline "$S_confirm"
  [ ! -e "$D/guard" ] || rm -f "$D/guard"
  # Through a shell that ends at once: whoever ends this process by its children must not find the guard among them.
  (launch_guard </dev/null >/dev/null 2>&1 &)
}

# launch_guard: as a process outside the login's session and outside nginx's cgroup, with an empty environment.
# A service manager starts it again whenever it ends too early, and never gives up; some are too old to be told so. An nginx without a unit
# that the guard had to start lies in its cgroup, and must outlive it.
launch_guard() {
  local _scope _never
  guard_choice
  case $KIND in systemd) _scope=--system ;; systemd-user) _scope=--user ;; *) _scope='' ;; esac
  # shellcheck disable=SC2086
  for _never in '-p StartLimitIntervalSec=0' ''; do
    if [ -n "$_scope" ] && systemd-run "$_scope" --quiet --no-block --collect --unit="nginx-hot-upgrade-$S_nonce" $_never \
      -p KillMode=process -p Restart=on-failure -p RestartSec=1 -p OOMScoreAdjust=-900 -p "Description=Guard of a hot upgrade of nginx" \
      /bin/sh -c "$GUARD_OR_END" "$D/helper" "$D" "$KIND" </dev/null >/dev/null 2>&1; then return 0; fi
  done
  if command -v setsid >/dev/null; then
    env -i "PATH=$PATH" setsid /bin/sh "$D/helper" guard "$D" detached </dev/null >/dev/null 2>&1 &
  else
    (trap '' HUP; exec env -i "PATH=$PATH" /bin/sh "$D/helper" guard "$D" detached) </dev/null >/dev/null 2>&1 &
  fi
}

# Where the books were closed before it was there, or there again, its program is gone with them: nothing to start for ever.
# No service manager replaces a `$` within a word (systemd.service(5), "Command lines").
# shellcheck disable=SC2016
GUARD_OR_END='[ ! -e "$0" ] || exec /bin/sh "$0" guard "$@"'

# wait_for_guard: at most five seconds; exits: armed, or not.
wait_for_guard() {
  local _guard_by
  uptime_now
  _guard_by=$((NOW + 50))
  until guard_lives; do
    uptime_now
    [ "$NOW" -lt "$_guard_by" ] || return 1
    pause
  done
}

# rearm_guard: true where one watches. Whoever was started just now has not said its word yet, and a service manager starts its guard
# again by itself; another one is started where none comes. At most ten seconds.
rearm_guard() {
  ! guard_lives || return 0
  value_in "$D/guard" kind
  case $VALUE in systemd* | '') ! wait_for_guard || return 0 ;; esac
  journal guard-lost
  start_guard
  wait_for_guard
}

# guard_gone: after the books are closed, and before anybody hears of it. At most two seconds.
guard_gone() {
  wait_for_guards_end
  [ "$S_kind" != plan ] || leave_no_trace
}

# leave_no_trace: of a plan on a host where nothing of ours was before.
leave_no_trace() {
  local _made
  [ -f "$D/journal.jsonl" ] || rm -f "$D/instance"
  rmdir "$D/retained" 2>/dev/null
  _made=$D
  while [ -n "$MADE" ] && rmdir "$_made" 2>/dev/null && [ "$_made" != "$MADE" ]; do _made=${_made%/*}; done
  return 0
}

wait_for_guards_end() {
  local _guard_by
  uptime_now
  _guard_by=$((NOW + 20))
  while guard_lives && [ "$GUARD_PID" != $$ ]; do
    uptime_now
    [ "$NOW" -lt "$_guard_by" ] || { signal KILL "$GUARD_PID" "$GUARD_START"; rm -f "$D/guard"; return 0; }
    pause
  done
}

# guard_main DIR KIND: a loop of a second; ends when the books are closed. Books that cannot be read are waited for.
guard_main() {
  local _mine
  D=$1 BASE=${1%/*} KIND=$2 ACTOR=guard SLEEPER=''
  trap guard_broke EXIT
  trap '' HUP PIPE
  trap 'wake_guard; tidy; forget_guard; guard_ends' TERM INT
  trap wake_guard USR1
  boot_id
  my_uid
  in_place "$D" || guard_ends
  until load_state; do
    [ -n "$BROKEN" ] || guard_ends
    guard_sleeps
  done
  [ "$S_boot" = "$BOOT" ] || guard_ends
  start_of $$
  write_file "$D/guard" "pid=$$${NL}start=$START${NL}boot=$BOOT${NL}kind=$KIND"
  _mine=$S_nonce
  if [ -e "$D/broke" ]; then
    guard_sleeps
    decide rollback guard-broke
  fi
  while has_books "$_mine"; do
    [ -n "$BROKEN" ] || guard_turn
    tidy
    has_books "$_mine" || break
    guard_sleeps
  done
  # Whoever closed the books was cut off before the end.
  value_in "$D/lock" nonce
  [ "$VALUE" != "$_mine" ] || clear_books
  forget_guard
  guard_ends
}

# has_books NONCE: of this upgrade, or such that nobody can tell.
has_books() { if load_state; then [ "$S_nonce" = "$1" ]; else [ -n "$BROKEN" ]; fi; }

guard_sleeps() {
  sleep 1 &
  SLEEPER=$!
  wait "$SLEEPER" 2>/dev/null
  SLEEPER=''
}

wake_guard() { [ -z "$SLEEPER" ] || kill "$SLEEPER" 2>/dev/null; }

guard_ends() {
  trap - EXIT
  exit 0
}

# guard_broke: this shell is ending by what nobody foresaw: no process could be started, say. The guard begins anew, without
# starting one, and then goes back: what it was about to do might end it again.
guard_broke() {
  trap - EXIT
  [ ! -f "$D/upgrade" ] || : >"$D/broke"
  case $KIND in systemd*) exit 70 ;; esac
  exec /bin/sh "$D/helper" guard "$D" "$KIND"
}

# forget_guard: only this guard's own word; the next run may have written its own already.
forget_guard() {
  value_in "$D/guard" pid
  [ "$VALUE" != $$ ] || rm -f "$D/guard"
}

# guard_turn: one look. Acts where a decision was left half done, where the deadline is over, or where a held upgrade
# was disturbed from outside; else leaves the field to the run.
guard_turn() {
  local _over
  read_decision
  read_deadline
  uptime_now
  # Without books there is no deadline either, and nothing to decide any more.
  [ -f "$D/upgrade" ] || return 0
  _over=0
  [ "$NOW" -lt "$DEADLINE" ] || _over=1
  if [ "$_over" = 0 ] && actor_lives; then return 0; fi
  case $DECISION in
    commit)
      # That was nobody's wish: it may be true no more.
      if [ "$DECISION_WHY" = old-master-gone ]; then take_mutex && load_state && without_old
      else take_mutex && load_state && finish_commit; fi ;;
    rollback) take_mutex && load_state && undo ;;
    *)
      if [ "$_over" = 1 ]; then guard_expires; elif [ "$S_phase" = held ]; then guard_watches; fi ;;
  esac
}

guard_expires() {
  decide rollback guard-expired || return 0
  take_mutex && load_state && undo
}

# guard_watches: a held upgrade: the new master must live, the old one must stay parked.
guard_watches() {
  if ! lives "$S_nm" "$S_nm_start"; then
    decide rollback new-master-died && take_mutex && undo
    return 0
  fi
  if ! lives "$S_om" "$S_om_start"; then
    take_mutex && load_state && may_act && without_old
    return 0
  fi
  listeners_of "$S_om"
  workers_of "$S_om" "$S_nm"
  # shellcheck disable=SC2086
  accepting_among $WORKERS
  [ -n "$ACCEPTING" ] && [ "$S_winch" = 1 ] || return 0
  take_mutex && may_act || return 0
  journal rewinch workers "$ACCEPTING"
  if lives "$S_nm" "$S_nm_start"; then signal WINCH "$S_om" "$S_om_start"; fi
  release_mutex
}

# -------------------------------------------------------------------------------------------------------------- undoing

# find_pair: OM_LIVES, NM_LIVES; a new master that nobody wrote down yet is found as the old one's child by its inode.
find_pair() {
  local _c
  OM_LIVES=0 NM_LIVES=0
  lives "$S_om" "$S_om_start" && OM_LIVES=1
  if [ -z "$S_nm" ] && [ "$S_usr2" = 1 ] && [ "$OM_LIVES" = 1 ]; then
    children_of "$S_om"
    for _c in $CHILDREN; do
      ! among "$S_ow" "$_c" || continue
      runs_new "$_c" && is_of_same_user "$_c" "$S_om" && start_of "$_c" && S_nm=$_c S_nm_start=$START
    done
  fi
  lives "$S_nm" "$S_nm_start" && NM_LIVES=1
  return 0
}

# runs_new PID: without starting a process, as long as the file has its name in the working directory.
runs_new() {
  if [ -z "$HAND" ] && [ -e "$S_work/new" ]; then runs_file "$1" "$S_work/new"; return; fi
  inode_of_process "$1"
  [ -n "$INODE" ] && [ "$INODE" = "$S_new_ino" ]
}

# exec_settles: a USR2 that was sent may not have led to an exec yet: a master that reloads takes it later, with whatever lies at
# the path then. A child that calls itself a master is the new one, whatever it runs. Fails where it is not taken within ten seconds.
exec_settles() {
  local _settled_by _last _child _c
  [ -n "$S_usr2" ] && [ "$OM_LIVES" = 1 ] && [ -z "$S_nm" ] || return 0
  uptime_now
  _settled_by=$((NOW + 10)) _last=$((NOW + 100)) _child=''
  while [ "$NM_LIVES" = 0 ] && [ "$NOW" -lt "$_settled_by" ]; do
    find_pair
    [ "$OM_LIVES" = 1 ] || return 0
    _child=''
    children_of "$S_om"
    # shellcheck disable=SC2086
    roles_of $CHILDREN
    for _c in $CHILDREN; do
      role_in "$_c"
      [ "$ROLE" != master ] || among "$S_ow" "$_c" || ! is_of_same_user "$_c" "$S_om" || _child=$_c
    done
    uptime_now
    if usr2_pending; then
      [ "$NOW" -lt "$_last" ] || return 1
      _settled_by=$((NOW + 10))
    fi
    pause
  done
  if [ "$NM_LIVES" = 0 ] && [ -n "$_child" ] && start_of "$_child"; then S_nm=$_child S_nm_start=$START NM_LIVES=1; fi
  [ "$NM_LIVES" = 0 ] || save_state
}

# is_stub: at the binary's path is a stub of ours.
is_stub() { [ -e "$S_work/stub" ] && [ "$S_bin" -ef "$S_work/stub" ]; }

# put_old: the old binary is at its path again, and so are the modules that go with it. Never overwrites a file that is not
# ours.
put_old() { put_old_binary && each_module module_back; }

put_old_binary() {
  is_own_room "$S_work" && [ -e "$S_work/old" ] || return 0
  [ -L "$S_bin" ] || ! [ "$S_bin" -ef "$S_work/old" ] || return 0
  path_is_ours || return 1
  # A second name first: renaming over the last one would destroy the inode that runs.
  [ ! -e "$S_work/back" ] || by_hand rm -f "$S_work/back"
  by_hand ln "$S_work/old" "$S_work/back" && by_hand mv -f "$S_work/back" "$S_bin"
}

# path_is_ours: at the binary's path is the old file, the new one, or none.
path_is_ours() {
  [ ! "$S_bin" -ef "$S_work/old" ] && [ ! "$S_bin" -ef "$S_work/new" ] && ! is_stub || return 0
  inode_of "$S_bin"
  case $INODE in "$S_new_ino" | "$S_path_ino" | '') ;; *) return 1 ;; esac
}

# sort_workers: the old master's workers that are not shutting down: STAYING are those of before WINCH, FRESH came after.
sort_workers() {
  local _p
  STAYING='' FRESH=''
  workers_of "$S_om" "$S_nm"
  # shellcheck disable=SC2086
  roles_of $WORKERS
  for _p in $WORKERS; do
    role_in "$_p"
    [ "$ROLE" = worker ] || continue
    if among "$S_ow" "$_p"; then STAYING="$STAYING $_p"; else FRESH="$FRESH $_p"; fi
  done
}

# old_serves: HUP where WINCH has left no old worker; waits for one that accepts, at most 15 s. Each HUP adds a set of
# workers while a new binary exists (ngx_master_process_cycle), so one that only pauses is none to replace: nginx takes
# listeners out of epoll by itself for moments, at EMFILE for half a second (ngx_disable_accept_events).
old_serves() {
  local _began _hup_at _age
  uptime_now
  _began=$NOW _hup_at=0
  listeners_of "$S_om"
  while lives "$S_om" "$S_om_start"; do
    sort_workers
    # shellcheck disable=SC2086
    accepting_among $STAYING $FRESH
    uptime_now
    _age=$((NOW - _began))
    ! they_serve "$_age" || return 0
    if must_hup "$_age" && [ "$NOW" -ge "$_hup_at" ]; then
      may_act rollback || return 1
      journal hup-old
      signal HUP "$S_om" "$S_om_start"
      _hup_at=$((NOW + 30))
    fi
    [ "$_age" -lt 150 ] || return 1
    pause
  done
  return 1
}

# they_serve AGE: true where workers accept, or at least are there to; those of before WINCH only if they outlast it.
they_serve() {
  local _p
  if [ "$S_winch" != 1 ]; then [ -n "$ACCEPTING" ] || { [ -n "$STAYING$FRESH" ] && [ "$1" -ge 10 ]; }; return; fi
  for _p in $FRESH; do case " $ACCEPTING " in *" $_p "*) return 0 ;; esac; done
  [ -z "$FRESH" ] || [ "$1" -lt 30 ] || return 0
  [ -n "$ACCEPTING" ] && [ "$1" -ge 20 ]
}

# must_hup AGE: WINCH (ours, or a stranger's) took the workers; where the new master is gone, nginx mostly starts them anew
# by itself.
must_hup() {
  [ -z "$FRESH" ] || return 1
  if [ "$S_winch" != 1 ]; then [ -z "$STAYING" ] && [ "$1" -ge 10 ]; return; fi
  [ "$NM_LIVES" = 1 ] || [ "$1" -ge 10 ] || return 1
  [ -z "$STAYING" ] || { [ -z "$ACCEPTING" ] && [ "$1" -ge 20 ]; }
}

# gone_within TENTHS PID START: waits for the end of a process.
gone_within() {
  local _gone_by
  uptime_now
  _gone_by=$((NOW + $1))
  while lives "$2" "$3"; do
    uptime_now
    [ "$NOW" -lt "$_gone_by" ] || return 1
    go_on_waiting
    pause
  done
}

# end_new: the new master and all that runs its file. One that never came up blocks every signal but KILL
# (the forked child inherits the mask of ngx_master_process_cycle).
end_new() {
  if lives "$S_nm" "$S_nm_start"; then
    may_act rollback || return 1
    journal quit-new pid "$S_nm"
    children_of "$S_nm"
    if [ -n "$CHILDREN" ]; then
      signal QUIT "$S_nm" "$S_nm_start"
      gone_within "$S_drain" "$S_nm" "$S_nm_start" || { signal TERM "$S_nm" "$S_nm_start"; gone_within 30 "$S_nm" "$S_nm_start"; }
    else
      signal TERM "$S_nm" "$S_nm_start"
      gone_within 5 "$S_nm" "$S_nm_start"
    fi
    signal KILL "$S_nm" "$S_nm_start"
    gone_within 50 "$S_nm" "$S_nm_start"
  fi
  sweep_new
}

# sweep_new: workers of a killed master go on accepting as orphans.
sweep_new() {
  local _quit_by _asked
  uptime_now
  _quit_by=$((NOW + S_drain)) _asked=''
  generation_of "$S_new_ino"
  while [ -n "$RUNNING" ]; do
    may_act rollback || return 1
    uptime_now
    # shellcheck disable=SC2086
    if [ "$NOW" -ge "$_quit_by" ]; then signal_all KILL $RUNNING
    elif [ "$_asked" != "$RUNNING" ]; then signal_all QUIT $RUNNING; _asked=$RUNNING; fi
    [ "$NOW" -lt $((_quit_by + 50)) ] || return 1
    go_on_waiting
    pause
    generation_of "$S_new_ino"
  done
}

# pid_file_is PID [TENTHS]: waits until nginx itself has put the name back; repairs it after that.
pid_file_is() {
  local _pid_by
  uptime_now
  _pid_by=$((NOW + ${2:-30}))
  until pid_in "$S_pidf" && [ "$PID_TEXT" = "$1" ] && [ ! -e "$S_pidf.oldbin" ]; do
    start_of "$1" || return 1
    uptime_now
    if [ "$NOW" -ge "$_pid_by" ]; then
      at_pid_file "$DROP_OLDBIN"
      write_pid_file "$1"
      return
    fi
    pause
  done
}

# write_pid_file PID: with owner and mode as nginx would give it (ngx_create_pidfile).
write_pid_file() {
  journal pid-file-repaired pid "$1"
  at_pid_file "$WRITE_PID" "$1"
}

# shellcheck disable=SC2016
WRITE_PID='rm -f "$1.nhu"; umask 022; set -C; printf "%s\n" "$2" >"$1.nhu" && mv -f "$1.nhu" "$1"'
# shellcheck disable=SC2016
DROP_OLDBIN='rm -f "$1.oldbin"'
# shellcheck disable=SC2016
DROP_BOTH='rm -f "$1" "$1.oldbin"'

# at_pid_file SCRIPT [ARG]: with the rights of the master, or of another user who owns the directory: neither must choose what is
# written or removed with ours. $1 is the pid file there, $2 ARG.
at_pid_file() {
  READ_AS=$S_as
  [ -n "$S_as" ] || reader_of "${S_pidf%/*}"
  # shellcheck disable=SC2086
  aside 5 env -i "PATH=$PATH" $READ_AS /bin/sh -c "$1" at "$S_pidf" "${2-}"
}

# undo: back to the old generation, from whatever state. OUTCOME: untouched, rolled-back, changed-by-others, outage, down; committed,
# where that was decided before. Needs no new bytes: links and renames only.
undo() {
  find_pair
  if [ "$S_phase" = staged ]; then close_books untouched "$DECISION_WHY"; return 0; fi
  if ! exec_settles; then
    journal stuck why 'USR2 is not taken yet'
    set_deadline 50
    return 1
  fi
  end_rehearsal
  [ "$S_phase" = undoing ] || { S_phase=undoing; save_state; journal undoing; }
  # Whoever owns the directory of the binary can hold this up: what serves must not wait for that.
  if ! put_old && [ -z "$HAND" ]; then close_books changed-by-others "another file is at $S_bin"; return 1; fi
  # A rehearsal changes nothing that serves: whoever ended the master meanwhile meant it.
  if [ "$OM_LIVES" = 0 ] && [ "$S_usr2" = stub ]; then close_books untouched "$DECISION_WHY"; return 0; fi
  if [ "$OM_LIVES" = 0 ]; then without_old; return; fi
  set_deadline "$S_confirm"
  # Whoever restarts the service in the middle of this ends the old master as well.
  if old_serves && end_new && lives "$S_om" "$S_om_start" && { pid_file_is "$S_om" || others_lead "${S_pidf%/*}"; } && lives "$S_om" "$S_om_start"; then
    ! is_poisoned || heal
    follow_rotation rollback
    # Who owns a directory can keep that from ever being mended.
    if ! pid_in "$S_pidf" || [ "$PID_TEXT" != "$S_om" ]; then close_books changed-by-others "$S_pidf cannot be mended"; return 1
    elif put_old; then close_books rolled-back "$DECISION_WHY"
    else close_books changed-by-others "the old file cannot be put at $S_bin"; return 1; fi
  elif lives "$S_om" "$S_om_start"; then
    may_act rollback || return 1
    # Not finished: the guard tries again in five seconds.
    journal stuck accepting "$ACCEPTING" workers "$WORKERS"
    set_deadline 50
    return 1
  else
    without_old
  fi
}

# is_poisoned: USR2 led to no new process, and nginx says why. A rename or a fork that fails leaves the master with a new binary of
# -1 (ngx_exec_new_binary, ngx_spawn_process): it would never reload again, and each HUP would add a set of workers.
is_poisoned() {
  [ -n "$S_usr2" ] && [ -z "$S_nm" ] || return 1
  new_log_lines "$BY_NGINX\\[[a-z]+\\] $S_om#[0-9]+: (rename\\(\\) .* failed .*before executing new binary|fork\\(\\) failed while spawning \"new binary|.*processes can be spawned)"
  [ -n "$LINES_FOUND" ]
}

# heal: a child that ends at once is all that such a master needs: it reaps it and forgets. What hindered the first must be gone.
heal() {
  local _by _last _sign _logs _over
  POISONED=1
  journal poisoned why "$LINES_FOUND"
  pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_om" ] && [ ! -d "$S_pidf.oldbin" ] && path_is_ours || return 0
  write_stub 'exit 1' || return 0
  sign_of_pid_file
  _sign=$PID_SIGN _logs=$S_logs
  logs_from_here
  if may_act rollback && by_hand mv -f "$S_work/stub.link" "$S_bin"; then
    signal USR2 "$S_om" "$S_om_start"
    uptime_now
    _by=$((NOW + 20)) _last=$((NOW + S_ready))
    # Renamed there and back again: its ctime tells.
    _over=1
    until [ ! -e "$S_pidf.oldbin" ] && [ "$PID_SIGN" != "$_sign" ]; do
      sign_of_pid_file
      uptime_now
      [ "$NOW" -lt "$_by" ] || { [ "$NOW" -lt "$_last" ] && usr2_pending; } || { _over=0; break; }
      pause
    done
    [ "$_over" = 0 ] || is_poisoned || { POISONED=0; journal healed; }
  fi
  S_logs=$_logs
  put_old
}

# close_books OUTCOME WHY: nothing of ours stays but journal, decision, last and the retained binaries. In an order that
# lets the guard, or the next run, do the same again wherever this is cut off.
close_books() {
  OUTCOME=$1 WHY=${2-}
  journal closed outcome "$1" why "${2-}"
  if [ "$S_kind" = plan ]; then rm -f "$D/decision"
  else
    encode "${2-}"
    write_file "$D/last" "nonce=$S_nonce${NL}outcome=$1${NL}why=$CODE"
  fi
  forget_test
  each_module module_room_gone
  # Never while the path still leads in there.
  LINK=''
  [ ! -L "$S_bin" ] || link_of "$S_bin"
  case $LINK in
    "$S_work"/*) ;;
    *) is_stub || remove_room "$S_work" ;;
  esac
  clear_books
  # Told now, waited for by guard_gone: it needs a moment.
  # The word of one that died is of no use to anybody.
  if ! guard_lives; then rm -f "$D/guard"
  elif [ "$GUARD_PID" != $$ ]; then signal TERM "$GUARD_PID" "$GUARD_START"; fi
  return 0
}

# clear_books: the lock goes last; while it stands nobody else begins here.
clear_books() {
  in_place "$D" || return 1
  rm -rf "$D/upgrade" "$D/errors" "$D/reserve" "$D/deadline" "$D/broke" "$D/said" "$D/made" "$D/helper" "$D/actor" "$D"/*.new.[0-9]* "$D/lock"
}

# as_master FILE [ARG]...: runs FILE as the running master was run: its user, options and directory, an almost empty environment. With
# ENTER, where that master is.
as_master() {
  local _program
  _program=$1
  shift
  [ -z "$S_opt_c" ] || set -- -c "$S_opt_c" "$@"
  [ -z "$S_opt_p" ] || set -- -p "$S_opt_p" "$@"
  [ -z "$S_opt_e" ] || set -- -e "$S_opt_e" "$@"
  [ -z "$S_opt_g" ] || set -- -g "$S_opt_g" "$@"
  # Its directory is entered as that user: whoever leads there must not stand where only we may go.
  # shellcheck disable=SC2086,SC2016
  if [ -n "$S_as" ]; then set -- $S_as /bin/sh -c 'cd "$1" || exit 1; shift; exec "$@"' as "${S_cwd:-/}" "$_program" "$@"
  else set -- "$_program" "$@"; fi
  # shellcheck disable=SC2086
  (
    [ -n "$S_as$ENTER" ] || cd "${S_cwd:-/}" || exit 1
    [ -n "$ROOM" ] || exec $LIMIT env -i "PATH=$PATH" $ENTER "$@" </dev/null
    BINDS=$BINDS exec $LIMIT $ENTER $ROOM /bin/sh -c "$FURNISH" room env -i "PATH=$PATH" "$@" </dev/null
  )
}

# ------------------------------------------------------------------------------------------------------ without the old master

# without_old: somebody ended the old master before anybody decided: an operator, a crash, or the service manager, which may be about to
# start it anew, with what lies on the disk: the old file. So nothing is decided before it has ended what it does.
without_old() {
  await_aftermath || return 1
  case $AFTER in
    restarted | stopped) close_after_service ;;
    new) forward ;;
    *) rescue ;;
  esac
}

# await_aftermath: what is decided already is tried again in five seconds; what is not, at the guard's next look.
await_aftermath() {
  ! aftermath || return 0
  journal stuck why 'the service is being stopped or started'
  [ -z "$DECISION" ] || set_deadline 50
  return 1
}

# aftermath: AFTER is what came of it: `restarted` (SUCCESSOR is a master that is neither), `stopped` (the service was), `new` (the new
# one serves on, and for five seconds the service manager was told nothing), `none`. False where that is not over within a minute, or
# somebody else acts by then. The new one alone costs nobody a request, so there is time; where nobody lives, there is none.
aftermath() {
  local _by _quiet _told
  uptime_now
  _by=$((NOW + 600)) _quiet=$((NOW + 50)) _told=0
  while :; do
    read_decision
    may_act "$DECISION" || return 1
    find_pair
    [ "$NM_LIVES" = 1 ] || drop_orphans
    ask_service
    uptime_now
    if [ "$UNIT_STATE" = moves ]; then
      [ "$_told" = 1 ] || journal waits-for-service unit "$S_unit"
      _told=1 _quiet=$((NOW + 50))
    elif find_successor; then AFTER=restarted; successor_serves; return 0
    elif [ "$NM_LIVES" = 0 ]; then
      case $UNIT_STATE in
        stopped) AFTER=stopped; return 0 ;;
        # Where its main process ended a moment ago, it was perhaps not told yet.
        runs) { [ -z "$UNIT_MAIN" ] || ! start_of "$UNIT_MAIN"; } && [ "$NOW" -lt $((_quiet - 30)) ] || { AFTER=none; return 0; } ;;
        *) AFTER=none; return 0 ;;
      esac
    elif [ "$NOW" -ge "$_quiet" ]; then AFTER=new; return 0
    fi
    [ "$NOW" -lt "$_by" ] || return 1
    # The deadline of a hold is not the guard's to move.
    [ "$ACTOR" = guard ] || go_on_waiting
    # PID 1 has other things to do as well.
    if [ "$UNIT_STATE" = moves ] && [ "$LOOKS" -gt 20 ]; then sleep 0.3 2>/dev/null || sleep 1; else pause; fi
  done
}

# drop_orphans: workers of a new master that was killed go on accepting, on the sockets that whoever is started now wants to bind.
drop_orphans() {
  generation_of "$S_new_ino"
  # shellcheck disable=SC2086
  signal_all QUIT $RUNNING
  [ -n "$RUNNING" ] || drop_unix_sockets
}

# find_successor: SUCCESSOR is a living master of this instance that is neither the old nor the new one, whatever it runs: the main process
# of the unit; where that has none, and where there is none, whom the pid file names, unless somebody else writes that.
find_successor() {
  SUCCESSOR=$UNIT_MAIN
  case $SUCCESSOR in
    '' | 0)
      ! others_lead "${S_pidf%/*}" && pid_in "$S_pidf" || return 1
      SUCCESSOR=$PID_TEXT
      is_third "$SUCCESSOR" && { runs_old_file "$SUCCESSOR" || runs_new "$SUCCESSOR"; } ;;
    *) is_third "$SUCCESSOR" ;;
  esac
}

is_third() {
  case $1 in "$S_om" | "$S_nm") return 1 ;; esac
  start_of "$1"
}

# successor_serves: waits until it does; its workers come a moment after its pid file. At most five seconds: it is not ours.
successor_serves() {
  local _by _start
  uptime_now
  _by=$((NOW + 50)) _start=$START
  while lives "$SUCCESSOR" "$_start" && [ "$NOW" -lt "$_by" ]; do
    listeners_of "$SUCCESSOR"
    workers_of "$SUCCESSOR"
    # shellcheck disable=SC2086
    accepting_among $WORKERS
    [ -z "$ACCEPTING" ] || return 0
    pause
    uptime_now
  done
}

runs_old_file() {
  inode_of_process "$1"
  [ -n "$INODE" ] || return 1
  case $INODE in "$S_path_ino" | "$S_old_ino") return 0 ;; *) return 1 ;; esac
}

# close_after_service: what was started, or stopped, is what counts. A commit that was decided may have put the new file on the disk; one that
# did not get that far has perhaps put modules there.
close_after_service() {
  read_decision
  inode_of "$S_bin"
  [ "$INODE" = "$S_new_ino" ] || put_old
  if pid_in "$S_pidf.oldbin" && [ "$PID_TEXT" = "$S_om" ]; then at_pid_file "$DROP_OLDBIN"; fi
  # A unit need not end all that it has: two versions would go on side by side.
  if [ "$NM_LIVES" = 1 ] && [ "$AFTER" = restarted ] && [ "$DECISION" != commit ]; then
    decide rollback service-restarted && end_new || return 1
    # It took the pid file along, whosever that was by then.
    others_lead "${S_pidf%/*}" || pid_file_is "$SUCCESSOR"
  fi
  if [ "$AFTER" = stopped ]; then close_books changed-by-others service-stopped
  elif runs_old_file "$SUCCESSOR"; then close_books rolled-back service-restarted
  elif [ "$DECISION" = commit ] && [ "$DECISION_WHY" != old-master-gone ]; then close_books committed service-restarted
  else close_books changed-by-others service-restarted; fi
}

# forward: the old master was ended for good and the new one lives: nothing to go back to. Where it serves, the books follow the
# truth, and tell whose doing it was; where it does not within ready-timeout, only a cold start is left.
forward() {
  local _forward_by
  uptime_now
  _forward_by=$((NOW + S_ready))
  until enough_accept; do
    uptime_now
    lives "$S_nm" "$S_nm_start" && [ "$NOW" -lt "$_forward_by" ] || break
    go_on_waiting
    pause
  done
  if [ -z "$ACCEPTING" ]; then rescue; return; fi
  rm -f "$D/decision"
  decide commit old-master-gone && finish_commit
}

# end_remains: whoever of either generation still runs, by the file that it runs: it may hold the sockets.
end_remains() {
  local _remains
  generation_of "$S_new_ino"
  _remains=$RUNNING
  generation_of "$S_old_ino"
  # shellcheck disable=SC2086
  signal_all KILL $_remains $RUNNING
  drop_unix_sockets
}

# drop_unix_sockets: on which both generations listened. Whoever was killed left them, and the next start would fail with "address in
# use". One that somebody else bound since is younger.
drop_unix_sockets() {
  local _left _one
  _left=$S_unix
  while [ -n "$_left" ]; do
    _one=${_left%%"|"*} _left=${_left#*"|"}
    decode "${_one#* }" && is_plain "$VALUE" && [ -S "$VALUE" ] || continue
    sign_of_socket "$VALUE"
    [ "$SIGN" = "${_one%% *}" ] || continue
    # What a master of another user names is for that user to remove.
    READ_AS=$S_as
    [ -n "$S_as" ] || reader_of "${VALUE%/*}"
    # Nor is it for root where nobody can step down.
    [ -n "$READ_AS" ] || [ "$MY_UID" != 0 ] || ! others_lead "${VALUE%/*}" || continue
    # shellcheck disable=SC2086
    aside 5 $READ_AS rm -f "$VALUE"
  done
}

# is_started: its starter returns before it has written its number. At most five seconds.
is_started() {
  local _started_by
  uptime_now
  _started_by=$((NOW + 50))
  until pid_in "$S_pidf" && start_of "$PID_TEXT"; do
    uptime_now
    [ "$NOW" -lt "$_started_by" ] || return 1
    pause
  done
}

# Seconds that a start may take. A unit has a limit of its own, or none; nginx may wait for ever for what its configuration opens.
START_TIME=110

# rescue: nobody serves, or none that could be kept. Unless the service manager has seen to it, or was told to leave it so: ends what
# still holds the sockets, puts the old binary back and starts it the way the host does.
rescue() {
  local _outcome
  read_decision
  may_act "$DECISION" || return 1
  await_aftermath || return 1
  case $AFTER in restarted | stopped) close_after_service; return ;; esac
  journal outage
  # An old master that still drains would delete the pid file of the one that is started now.
  if lives "$S_om" "$S_om_start"; then
    signal TERM "$S_om" "$S_om_start"
    gone_within 20 "$S_om" "$S_om_start" || signal KILL "$S_om" "$S_om_start"
    gone_within 20 "$S_om" "$S_om_start"
  fi
  end_remains
  put_old
  at_pid_file "$DROP_BOTH"
  may_act "$DECISION" || return 1
  # A start may take longer than the guard waits for a sign of life.
  set_deadline 1200
  if [ -n "$S_unit" ] && command -v systemctl >/dev/null; then
    # shellcheck disable=SC2086
    { within 5 $MANAGER reset-failed "$S_service"; within "$START_TIME" $MANAGER restart "$S_service"; } 2>/dev/null
  else
    LIMIT="timeout -s KILL $START_TIME"
    as_master "$S_bin" >/dev/null 2>&1
    LIMIT=''
  fi
  _outcome=outage
  is_started || _outcome=down
  close_books "$_outcome" "$DECISION_WHY"
}

# ------------------------------------------------------------------------------------------------------------- modules

# Dynamic modules go with their binary as one set. S_modules lists their paths, encoded, each with "|" behind it. Beside each lies a
# directory of ours: NAME.new is what replaces it, NAME.old and NAME.kept are second names of the old one and of the new
# one, so that no rename destroys either, NAME.link takes the path for the start of the new master.

# each_module ACTION: ACTION PATH BASE for every one, where BASE begins our own names for it. Ends at the first that fails.
each_module() {
  local _modules _path
  _modules=$S_modules
  while [ -n "$_modules" ]; do
    _path=${_modules%%"|"*} _modules=${_modules#*"|"}
    decode "$_path" || return 1
    _path=$VALUE
    "$1" "$_path" "${_path%/*}/.nginx-hot-upgrade-$S_nonce/${_path##*/}" || return 1
  done
}

# The room is shared by all modules of a directory.
module_room() { is_own_room "${2%/*}" || make_room "${2%/*}"; }

module_open() { open_room "${2%/*}"; }

module_room_gone() { [ -L "$1" ] || remove_room "${2%/*}"; }

module_names() {
  [ -e "$2.old" ] || by_hand ln "$1" "$2.old" || return 1
  [ -e "$2.kept" ] || by_hand ln "$2.new" "$2.kept" || return 1
  [ ! -L "$2.link" ] && [ ! -e "$2.link" ] || return 0
  if confined "$S_om"; then by_hand ln "$2.new" "$2.link"; else by_hand ln -s "$2.new" "$2.link"; fi
}

module_swap() { may_act && by_hand mv -f "$2.link" "$1"; }

module_back() {
  [ -e "$2.old" ] || return 0
  [ -L "$1" ] || ! [ "$1" -ef "$2.old" ] || return 0
  module_is_ours "$@" || return 1
  [ ! -e "$2.back" ] || by_hand rm -f "$2.back"
  by_hand ln "$2.old" "$2.back" && by_hand mv -f "$2.back" "$1"
}

module_is_ours() { [ ! -e "$1" ] || [ "$1" -ef "$2.old" ] || [ "$1" -ef "$2.new" ] || [ "$1" -ef "$2.kept" ]; }

# sync_new: the new files are on the disk. Fails where sync takes no names.
sync_new() { sync "$S_work/new" 2>/dev/null && each_module module_sync; }

module_sync() { sync "$2.new" 2>/dev/null; }

module_install() {
  [ -e "$2.new" ] || return 0
  module_is_ours "$@" && by_hand mv -f "$2.new" "$1"
}

# module_retain: into KEEPING, with its path in a list.
module_retain() {
  retain "$2.old" "$KEEPING/${1##*/}" || return 1
  encode "$1"
  printf '%s\n' "$CODE" >>"$KEEPING/paths"
}

# retain FILE NAME: a second name where the file systems allow it, else a copy. What another user can lead is read as that user.
retain() {
  if [ -n "$HAND" ]; then hand_reads "$1" >"$2"
  else ln "$1" "$2" 2>/dev/null || cp -p "$1" "$2"; fi
}

# module_fetch: out of KEEPING.
module_fetch() {
  if [ -z "$HAND" ]; then cp -p "$KEEPING/${1##*/}" "$2.new"
  else hand_writes 60 "$2.new" <"$KEEPING/${1##*/}" >/dev/null && take_over_metadata "$1" "$2.new"; fi
}

# kept_modules SHA: S_modules as they went with that retained binary.
kept_modules() {
  local _path
  S_modules='' KEEPING=$D/retained/$1.modules
  [ -f "$KEEPING/paths" ] || return 0
  while IFS= read -r _path; do
    decode "$_path" && is_plain "$VALUE" || return 1
    S_modules="$S_modules$_path|"
  done <"$KEEPING/paths"
}

# wait_loaded: modules are read before the pid file is written (ngx_init_cycle). Exits: written; new master gone; deadline.
wait_loaded() {
  local _loaded_by
  uptime_now
  _loaded_by=$((NOW + S_ready))
  until pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_nm" ]; do
    uptime_now
    lives "$S_nm" "$S_nm_start" && [ "$NOW" -lt "$_loaded_by" ] || return 0
    may_act || return 0
    pause
  done
}

# A path of a module that is plain holds no "|".
module_bind() { BINDS="$BINDS$2.new|$1|"; }

# Runs in that namespace, before nginx takes its place.
# shellcheck disable=SC2016
FURNISH='
  mount --make-rprivate / 2>/dev/null || exit 125
  while [ -n "$BINDS" ]; do
    from=${BINDS%%"|"*} BINDS=${BINDS#*"|"}
    to=${BINDS%%"|"*} BINDS=${BINDS#*"|"}
    mount --bind "$from" "$to" 2>/dev/null || exit 125
  done
  unset BINDS from to
  exec "$@"'

# ------------------------------------------------------------------------------------------------------------- testing

# What the staged file says is heard where the master is: with its mounts and its network, as its user. What its `-t` makes
# (ngx_init_cycle opens logs and makes directories) is removed again. That is done afterwards and not prevented beforehand, by laying
# something of ours over those directories: then it would no more be these that are tried.

# try_staged TEST: VERSION_EXIT and BUILD are what the staged file says of itself. With TEST=yes TEST_EXIT and TEST_SAID are what its `-t`
# says of the configuration; no TEST_EXIT where that tells nothing, UNTESTED is why. LEFT_THERE is what is left of it.
try_staged() {
  TEST_EXIT='' TEST_SAID='' UNTESTED='' LEFT_THERE=''
  go_to_master
  # What the run knows of it need not be asked, where a test shows as well whether it runs here.
  if [ "$1" = yes ] && [ -n "$A_flags" ] && [ -z "$ENTER" ]; then VERSION_EXIT=0 BUILD=$A_flags; else ask_staged; fi
  # A container may forbid it.
  case $ENTER:$VERSION_EXIT:$BUILD in ?*:1:'nsenter: '*) AWAY=outside ENTER='' VIEW=''; ask_staged ;; esac
  [ "$1" = yes ] && [ "$VERSION_EXIT" = 0 ] || return 0
  # Outside of what its unit shuts it in, what that user has written would run with more than it has.
  if [ -n "$S_as" ] && is_shut_in "$S_om" && others_lead_settings; then UNTESTED=confined
  # What root makes in another place is of no use there, and in the way of others.
  elif [ -n "$AWAY" ] && [ -z "$S_as" ] && [ "$MY_UID" = 0 ]; then UNTESTED=$AWAY
  # What it would make, and where, was read elsewhere, or not to its end.
  elif [ "$S_kind" = plan ] && [ "$CONFIG_WHOLE" = 0 ]; then UNTESTED='cut'
  elif [ "$S_kind" = plan ] && ! same_config; then UNTESTED=other-config
  else
    test_staged
    # Else its own word tells a missing library from a wrong configuration.
    if [ "$BUILD" = "$A_flags" ] && [ "$TEST_EXIT" != 0 ]; then ask_staged; fi
  fi
  [ "$BUILD" != "$A_flags" ] || BUILD=''
}

# go_to_master: ENTER and VIEW; AWAY is why what runs here does not see what the master sees, empty where it does.
go_to_master() {
  AWAY='' VIEW=''
  way_in "$S_om" || AWAY=outside
  [ -n "$ENTER" ] || return 0
  view_of "$S_om"
  follow "$S_work"
  inode_of "$VIEW$FULL/new"
  [ "$INODE" = "$S_new_ino" ] || AWAY=other-root ENTER='' VIEW=''
}

ask_staged() {
  # shellcheck disable=SC2086
  heard 11 65536 within 10 env -i "PATH=$PATH" $ENTER $S_as "$S_work/new" -V
  VERSION_EXIT=${HEARD_EXIT:-137}
  one_line "$HEARD"
  BUILD=$LINE
}

test_staged() {
  note_missing
  lives "$S_om" "$S_om_start" || { UNTESTED=gone; return; }
  heard 62 4194304 test_config
  TEST_EXIT=${HEARD_EXIT:-137} TEST_SAID=$HEARD
  [ "$TEST_EXIT" != 137 ] || end_test
  # It makes its files under our umask.
  remove_made 600
  [ "$TEST_EXIT" = 0 ] || same_config || LEFT_THERE="${LEFT_THERE}what is named only where the master sees another configuration$NL"
  case $TEST_EXIT in
    0) ;;
    125) UNTESTED=no-namespace TEST_EXIT='' ;;
    # What is good counts in any place; what is bad may be so only here.
    *) [ -z "$AWAY" ] || UNTESTED=$AWAY TEST_EXIT='' ;;
  esac
}

# test_config: `nginx -t` of the staged binary. Where modules go with it, in a mount namespace of its own in which they lie
# at their paths already: on the disk they are still the old ones. Exit code 125 where no such namespace can be had, 137 where it
# had to be ended after a minute: what it opens may be a pipe that nobody reads.
test_config() {
  local _status
  if [ -n "$S_modules" ]; then
    ROOM='unshare -m'
    $ROOM true 2>/dev/null || ROOM='unshare --map-current-user -m'
    $ROOM true 2>/dev/null || { ROOM=''; return 125; }
    BINDS=''
    each_module module_bind
  fi
  LIMIT='timeout -s KILL 60'
  as_master "$S_work/new" -t
  _status=$?
  LIMIT=''
  ROOM='' BINDS=''
  return "$_status"
}

# end_test: not every timeout ends more than what it started itself. Nobody else can run a file in a directory of root's alone.
end_test() {
  local _p
  [ -z "$HAND$S_as" ] || return 0
  processes_of "$S_new_ino"
  for _p in $RUNNING; do ! start_of "$_p" || signal KILL "$_p" "$START"; done
}

# What nginx makes where neither the configuration nor the build says anything (auto/options), relative to its prefix.
STANDARD='logs/error.log logs/access.log client_body_temp proxy_temp fastcgi_temp uwsgi_temp scgi_temp'

# note_missing: what a test may make stands in D/made, a line each: the path, and where that leads. Not known here is what modules of others
# open, and what a configuration says beyond two thousand such paths. Where it is there already, whoever tested before was cut off: what was
# missing then is what counts, and its test is ended.
note_missing() {
  local _path
  if [ -s "$D/made" ]; then end_test; return 0; fi
  MISSING=''
  workers_of "$S_om"
  MADE_BESIDE=$STARTED
  [ -n "$PREFIX" ] || return 0
  start_paths "$BUILD"
  for _path in $STANDARD ${S_opt_e:+"$S_opt_e"}; do under "$PREFIX" "$_path"; PATHS="$PATHS$FULL$NL"; done
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $PATHS
  IFS=" $TAB$NL"
  set +f
  for _path in "$@"; do
    is_plain "$_path" && follow "$_path" && ! is_there "$FULL" || continue
    # The last one first: it may lie in one before it.
    case $NL$MISSING in *"$TAB$FULL$NL"*) ;; *) MISSING="$_path$TAB$FULL$NL$MISSING" ;; esac
  done
  # At once, without a process: who is cut off before its end has tested nothing.
  [ -z "$MISSING" ] || printf '%s\n' "$MADE_BESIDE" "$MISSING" >"$D/made"
}

# as_seen COMMAND...: does it with what lies where the master sees it.
as_seen() {
  view_of "$S_om"
  "$@"
  VIEW=''
}

# is_there PATH: as the master sees it.
is_there() { [ -e "$VIEW$1" ] || [ -L "$VIEW$1" ]; }

# remove_made [MODE]: of what was missing, what is there and empty, and files only with that mode, and of whoever tested: others make theirs
# in the same directories. LEFT_THERE is what cannot be removed, or was written to. Where the master has other workers than before, it
# was reloaded, and what is there may be theirs.
remove_made() {
  local _path _place _beside
  LEFT_THERE=''
  [ -s "$D/made" ] || return 0
  workers_of "$S_om"
  {
    IFS= read -r _beside || :
    while IFS=$TAB read -r _path _place; do
      [ -n "$_place" ] && is_there "$_place" || continue
      # A master that is told to open its logs again, in this very moment, goes on with them.
      if [ -f "$VIEW$_place" ] && { has_open "$S_om" "$VIEW$_place" || ! is_of_test "$VIEW$_place" "${1-}"; }; then continue; fi
      [ "$STARTED" != "$_beside" ] || remove_empty "$_path" "$_place"
      ! is_there "$_place" || LEFT_THERE="$LEFT_THERE$_path$NL"
    done
  } <"$D/made"
  : >"$D/made"
}

# is_of_test FILE MODE
is_of_test() {
  uid_of "$S_om"
  mode_of "$1" && [ "$OWNER" = "$UID_OF" ] && case $2 in '' | "$MODE") ;; *) return 1 ;; esac
}

# remove_empty PATH PLACE: with the rights of whoever leads there, who gets there himself: where he may not stand he must not be taken. Among
# the mounts of the master he cannot, so there only what root alone leads to is removed, and so it is where nobody can step down.
remove_empty() {
  READ_AS=$S_as PLACE=''
  if [ -z "$S_as" ] && [ "$MY_UID" = 0 ]; then
    place_of "${1%/*}"
    [ -n "$PLACE" ] || place_of "${2%/*}"
    reader_for "$PLACE"
  fi
  if [ -n "$READ_AS" ] && [ -z "$VIEW" ]; then
    # shellcheck disable=SC2086
    aside 5 $READ_AS /bin/sh -c "$REMOVE" remove "$2"
  elif [ -z "$READ_AS$PLACE" ]; then aside 5 /bin/sh -c "$REMOVE" remove "$VIEW$2"; fi
}

# shellcheck disable=SC2016
REMOVE='if [ -L "$1" ]; then :; elif [ -d "$1" ]; then rmdir "$1"; elif [ -f "$1" ] && [ ! -s "$1" ]; then rm -f "$1"; fi'

# forget_test: of whoever was cut off in one. Once the new file runs for good, what is there is its own.
forget_test() {
  [ -s "$D/made" ] && [ "$S_phase" = staged ] || return 0
  [ -n "$S_new_ino" ] || { inode_of "$S_work/new"; S_new_ino=$INODE; }
  end_test
  as_seen remove_made 600
  [ -z "$LEFT_THERE" ] || journal left paths "$LEFT_THERE"
}

# ---------------------------------------------------------------------------------------------------------- committing

# finish_commit: from the decision on, forward only. The new file takes the path, then the old master goes (QUIT).
finish_commit() {
  find_pair
  if [ "$NM_LIVES" = 0 ]; then turn_back new-master-died; return 1; fi
  retain_old
  install_new || return 1
  if [ "$OM_LIVES" = 1 ]; then
    # The last look before the point of no return: what was seen at the decision may be seconds old.
    new_stands || { turn_back new-master-died; return 1; }
    may_act commit || return 1
    S_quit=1
    save_state || { S_quit=''; turn_back state-unwritable; return 1; }
    journal quit-old pid "$S_om"
    signal QUIT "$S_om" "$S_om_start"
    remember_previous
    drain_old
    lives "$S_nm" "$S_nm_start" || { turn_back new-master-died; return 1; }
  fi
  # A master that was killed took its second pid file along as little as its workers.
  if [ "$OM_LIVES" = 0 ] && pid_in "$S_pidf.oldbin" && [ "$PID_TEXT" = "$S_om" ]; then at_pid_file "$DROP_OLDBIN"; fi
  quit_orphans
  [ "$S_quit" = 1 ] || remember_previous
  wait "$SYNCING" 2>/dev/null
  # Nobody asked for that one.
  if [ "$DECISION_WHY" = old-master-gone ]; then close_books changed-by-others old-master-gone
  else close_books committed "$DECISION_WHY"; fi
}

# install_new: the new file takes the path. False where another file came there meanwhile; the books are then closed.
install_new() {
  if [ ! -e "$S_work/new" ]; then
    inode_of "$S_bin"
    [ "$INODE" != "$S_new_ino" ] || return 0
  fi
  path_is_ours && [ -e "$S_bin" ] || { close_books changed-by-others "another file is at $S_bin"; return 1; }
  may_act commit || return 1
  journal install
  # Another actor than the one that staged has nothing to wait for, and syncs anew.
  wait "$SYNCING" 2>/dev/null || sync_new
  each_module module_install || { turn_back install-failed; return 1; }
  # What takes the path is what runs. Read-only or immutable by now: nothing was sent yet that could not be taken back.
  is_own_room "$S_work" && runs_file "$S_nm" "$S_work/new" && by_hand mv -f "$S_work/new" "$S_bin" ||
    { turn_back install-failed; return 1; }
  # Until it is on the disk, a power cut leads back to the old version, which is kept for that long.
  sync "${S_bin%/*}" 2>/dev/null &
  SYNCING=$!
}

# new_stands: the new master with workers, told without starting a process.
new_stands() {
  local _word
  lives "$S_nm" "$S_nm_start" || return 1
  for _word in $S_nw; do
    ! start_of "${_word%:*}" || [ "$START" != "${_word#*:}" ] || [ "$PARENT" != "$S_nm" ] || return 0
  done
  enough_accept
}

# turn_back WHY: the commit was decided and cannot be carried out. As long as the old master was not told to go, it takes
# over; after that only a cold start is left. Only the one actor may turn a decision, and only this one.
turn_back() {
  if lives "$S_om" "$S_om_start" && [ "$S_quit" != 1 ]; then
    may_act commit || return 1
    rm -f "$D/decision"
    decide rollback "$1" && undo
    return
  fi
  rescue
}

# drain_old: waits for the old master's end. Exits: gone, drain time over (it is left and reported), new master died.
drain_old() {
  local _drain_by
  uptime_now
  _drain_by=$((NOW + S_drain))
  while lives "$S_om" "$S_om_start"; do
    uptime_now
    [ "$NOW" -lt "$_drain_by" ] || return 0
    lives "$S_nm" "$S_nm_start" || return 0
    go_on_waiting
    pause
  done
  OM_LIVES=0
}

# quit_orphans: a stale `live` count makes a master exit without telling its workers (QUIT after WINCH and HUP,
# ngx_master_process_cycle); they would serve the old version for ever.
quit_orphans() {
  local _word
  [ "$OM_LIVES" = 0 ] || return 0
  for _word in $S_ow; do
    start_of "${_word%:*}" && [ "$START" = "${_word#*:}" ] && [ "$PARENT" != "$S_om" ] || continue
    inode_of_process "${_word%:*}"
    [ "$INODE" != "$S_old_ino" ] || signal QUIT "${_word%:*}" "${_word#*:}"
  done
}

# retain_old: the previous binary, named by its digest; a link where the file systems allow it.
retain_old() {
  retain_modules
  [ ! -e "$D/retained/$S_old_sha" ] || return 0
  # Where a package replaced the file on disk, or others could, the one that runs is the one to keep.
  if [ "$S_path_ino" != "$S_old_ino" ] || [ -n "$HAND" ]; then
    copy_running "$S_om" "$D/retained/.$S_old_sha" && mv -f "$D/retained/.$S_old_sha" "$D/retained/$S_old_sha"
    return
  fi
  retain_from_work
}

retain_modules() {
  KEEPING=$D/retained/.modules
  [ -n "$S_modules" ] && [ ! -d "$D/retained/$S_old_sha.modules" ] || return 0
  rm -rf "$KEEPING"
  mkdir "$KEEPING" && each_module module_retain && mv "$KEEPING" "$D/retained/$S_old_sha.modules"
}

retain_from_work() {
  ln "$S_work/old" "$D/retained/$S_old_sha" 2>/dev/null ||
    { retain "$S_work/old" "$D/retained/.$S_old_sha" && mv -f "$D/retained/.$S_old_sha" "$D/retained/$S_old_sha"; }
}

# remember_previous: what a later `rollback` goes back to, and which of the older binaries may go.
remember_previous() {
  local _kept _old
  if [ "$S_kind" = reverse ]; then rm -f "$D/previous"
  else
    encode "$S_old_version"
    write_file "$D/previous" "sha=$S_old_sha${NL}version=$CODE${NL}replaced_by=$S_new_sha"
  fi
  # No digest ends like the directories of modules do.
  set -- "$D/retained"/*[!s]
  [ $# -gt "$S_keep" ] || return 0
  _kept=0
  # By the time of their last link or copy: what they are dated is the age of the build.
  for _old in $(ls -tcd "$D/retained"/*[!s] 2>/dev/null); do
    _kept=$((_kept + 1))
    [ "$_kept" -le "$S_keep" ] || rm -rf "$_old" "$_old.modules"
  done
}

# --------------------------------------------------------------------------------------------------------------- facts

rec_process() { if [ -n "$2" ]; then rec_raw "$1" "{\"pid\":$2,\"startTime\":\"$3\"}"; else rec_raw "$1" null; fi; }

facts_host() {
  local _seen _p
  rec_raw uid "$MY_UID"
  if [ -d /run/systemd/system ]; then rec_raw systemd true; else rec_raw systemd false; fi
  guard_choice
  rec_text guardKind "$KIND"
  rec_text_or_null whyNot "$WHY_NOT"
  _seen=''
  # shellcheck disable=SC2086
  set -- $ROOTS $FOREIGN
  for _p in "$@"; do
    [ $# -le 20 ] || { shift; continue; }
    if [ "$_p" = "$SETTLED" ]; then TITLE=$OWN_TITLE; else title_of "$_p"; fi
    _seen="$_seen${_seen:+; }$_p $TITLE"
  done
  # What others call themselves is of no use to anybody.
  for _p in $STRANGERS; do uid_of "$_p"; _seen="$_seen${_seen:+; }$_p of user $UID_OF"; done
  rec_text masters "$_seen"
}

facts_master() {
  start_of "$OM"
  OM_START=$START
  rec_process master "$OM" "$START"
  rec_raw parent "$PARENT"
  if [ -n "$DRAINING" ]; then
    start_of "$DRAINING"
    rec_process predecessor "$DRAINING" "$START"
    workers_of "$DRAINING" "$OM"
    # shellcheck disable=SC2086
    rec_count predecessorWorkers $WORKERS
  else rec_raw predecessor null; rec_raw predecessorWorkers 0; fi
  rec_text title "$OWN_TITLE"
  rec_bool titleCut "$OWN_TITLE_CUT"
  rec_text argv0 "$ARGV0"
  under "$CWD" "$ARGV0"
  real_path "$FULL"
  BIN=$REAL
  is_plain "$BIN" || UNSAFE="$UNSAFE binary"
  led_paths "${BIN%/*}"
  place_of "${BIN%/*}"
  # Without root's rights there are none to be led.
  [ "$MY_UID" = 0 ] || PLACE=''
  rec_text binaryPlace "$PLACE"
  rec_text cwd "$CWD"
  rec_text path "$BIN"
  rec_text exe "$EXE"
  rec_text sha256 "$OLD_SHA"
  rec_raw diskFreeKb "$FREE"
  rec_text machine "$MACHINE"
  rec_raw cpus "$CPUS"
  rec_text libc "$LIBC"
  rec_text libraries "$LIBRARIES"
  look_at_binary "$OM"
  rec_text sharedWith "$SHARED"
  rec_text exeInode "$OLD_INO"
  rec_text pathInode "$PATH_INO"
  rec_bool sameMounts "$SAME_MOUNTS"
  rec_bool sameRoot "$SAME_ROOT"
  rec_bool sameNetwork "$SAME_NETWORK"
  rec_lines probe "$PROBE"
  rec_text package "$PACKAGE"
  rec_lines about "$ABOUT"
  rec_text magic "$MAGIC"
  rec_text build "$OLD_V"
  signals_of "$OM"
  rec_raw masterUid "$UID_OF"
  rec_text signals "$SIGNALS"
  # To root only an immutable file or a read-only file system says no.
  if [ -w "${BIN%/*}" ] && { [ "$MY_UID" != 0 ] || [ ! -e "$BIN" ] || [ -w "$BIN" ]; }; then rec_raw pathWritable true
  else rec_raw pathWritable false; fi
}

facts_config() {
  rec_text prefix "$PREFIX"
  rec_text conf "$CONF"
  rec_text pidFile "$PIDF"
  rec_text optC "$OPT_C"; rec_text optP "$OPT_P"; rec_text optE "$OPT_E"; rec_text optG "$OPT_G"
  rec_text pidDirective "$C_PID"
  rec_text user "$C_USER"
  rec_text daemon "$C_DAEMON"
  rec_text masterProcess "$C_MASTER"
  rec_text workerProcesses "$C_WORKERS"
  rec_text acceptMutex "$C_MUTEX"
  rec_text errorLog "$LOGFILE"
  json_lines "$DIRECTIVES" 3000
  rec_raw directives "$J"
  loaded_modules
  rec_lines modules "$MODULES"
  rec_text modulesPlace "$MODULES_PLACE"
  pid_in "$PIDF"
  if [ -e "$PIDF" ]; then rec_text pidText "$PID_TEXT"; else rec_raw pidText null; fi
  if [ -d "$PIDF.oldbin" ]; then rec_text oldbin directory
  elif [ -e "$PIDF.oldbin" ]; then pid_in "$PIDF.oldbin"; rec_text oldbin "$PID_TEXT"
  else rec_raw oldbin null; fi
  rec_lines ledPaths "$LED"
  can_write_pid_directory "$OM"
  rec_bool pidDirWritable "$((1 - $?))"
  facts_files
}

# facts_files: of the files that the new master would read, what says more than their directives.
facts_files() {
  rec_raw epoch "$EPOCH"
  rec_raw uptime "$WALL_UP"
  survey_files
  rec_text newestConfig "$NEWEST"
  rec_lines encryptedKeys "$KEYS"
  rec_text fileCapabilities "${CAPS#"$BIN "}"
  rec_text pathNginx "$PATH_NGINX"
  rec_text pathNginxVersion "$OTHER_V"
}

# loaded_modules: MODULES are the files behind `load_module`, one a line; relative ones start at the prefix (ngx_load_module).
# MODULES_PLACE is whose their directories are, as of place_of; `none` without any.
loaded_modules() {
  local _name _file
  MODULES='' MODULES_PLACE=none
  case $DIRECTIVES in *"main${TAB}load_module$TAB"*) ;; *) return 0 ;; esac
  while IFS=$TAB read -r _ _name _file; do
    [ "$_name" = load_module ] || continue
    under "$PREFIX" "$_file"
    real_path "$FULL"
    is_plain "$REAL" || { UNSAFE="$UNSAFE load_module"; continue; }
    MODULES="$MODULES$REAL$NL"
    place_of "${REAL%/*}"
    [ "$MY_UID" = 0 ] || PLACE=''
    case $MODULES_PLACE in "$PLACE" | none) MODULES_PLACE=$PLACE ;; *) MODULES_PLACE=several ;; esac
  done <<EOF
$DIRECTIVES
EOF
}

# A child is told by its inode, its role and what it accepts: a new master, a worker, a helper process.
facts_children() {
  local _all _list _takes _same _held _c _count
  listeners_of "$OM"
  json_lines "$L_ADDR"
  rec_raw listeners "$J"
  children_of "$OM"
  _all=$CHILDREN
  # shellcheck disable=SC2086
  accepting_among $_all
  # Seen a moment ago, but for who came since, or may be leaving.
  _list=''
  for _c in $_all; do
    case "$SEEN $ACCEPTING " in *" $_c=worker "*" $_c "* | *" $_c=cache "*) ;; *) _list="$_list $_c" ;; esac
  done
  # shellcheck disable=SC2086
  roles_of $_list
  ROLES=$ROLES$SEEN _list='' _count=0
  for _c in $_all; do
    start_of "$_c" || continue
    role_in "$_c"
    # A worker may call itself anything.
    [ "$ROLE" != master ] || is_of_same_user "$_c" "$OM" || ROLE=other
    # A record is read as a whole, and a master has as many children as its user likes.
    _count=$((_count + 1))
    [ "$_count" -le 2000 ] || break
    # A log pipe or a new master is no worker.
    if runs_like "$_c" "$OM"; then _same=true; else _same=false; fi
    case " $ACCEPTING " in *" $_c "*) _takes=true ;; *) _takes=false ;; esac
    case " $WATCHED " in *" $_c="*) _held=${WATCHED#*" $_c="} _held=${_held%% *} ;; *) _held=0 ;; esac
    _list="$_list,{\"pid\":$_c,\"startTime\":\"$START\",\"role\":\"$ROLE\",\"accepting\":$_takes,\"sameFile\":$_same,\"watched\":$_held}"
  done
  rec_raw children "[${_list#,}]"
}

# facts_unit: only if that unit starts this very nginx: a job's shell, too, may lie in the cgroup of a service.
facts_unit() {
  local _main _name
  _main=${SHOWN#*MainPID=}
  _main=${_main%%"$NL"*}
  case $SHOWN in
    *"path=$ARGV0 "* | *"path=$BIN "* | *"PIDFile=$PIDF$NL"*) ;;
    *) [ "$_main" = "$OM" ] || UNIT='' ;;
  esac
  if [ -z "$UNIT" ]; then rec_raw unit null; return 0; fi
  json_text "$UNIT"
  _name=$J
  json_lines "$SHOWN"
  if unit_starts "$BIN"; then _main=true; else _main=false; fi
  rec_raw unit "{\"name\":$_name,\"startsBinary\":$_main,\"properties\":$J}"
}

# unit_starts FILE: the service is started by this very file.
unit_starts() {
  local _line _found
  _found=1
  set -f
  IFS=$NL
  for _line in $SHOWN; do
    case $_line in 'ExecStart={ path='*) ;; *) continue ;; esac
    _line=${_line#'ExecStart={ path='}
    [ ! "${_line%% ;*}" -ef "$1" ] || _found=0
  done
  IFS=" $TAB$NL"
  set +f
  return "$_found"
}

# facts_ours: what an earlier or present run of ours left in this instance's directory.
facts_ours() {
  rec_text directory "$D"
  if [ -f "$D/lock" ]; then
    json_lines "$(cat "$D/lock")"; rec_raw lock "$J"
    if guard_lives || actor_lives; then rec_raw lockAlive true; else rec_raw lockAlive false; fi
  else rec_raw lock null; rec_raw lockAlive false; fi
  if load_state; then
    find_pair
    read_decision
    read_deadline
    uptime_now
    rec_raw upgrade "{$(state_fields)}"
  else rec_raw upgrade null; fi
  rec_text_or_null broken "$BROKEN"
  if [ -f "$D/previous" ]; then json_lines "$(cat "$D/previous")"; else J=null; fi
  rec_raw previous "$J"
  if [ -f "$D/last" ]; then json_lines "$(cat "$D/last")"; else J=null; fi
  rec_raw last "$J"
  J='[]'
  [ ! -d "$D/retained" ] || json_lines "$(cd "$D/retained" && ls -td -- *[!s] 2>/dev/null)"
  rec_raw retained "$J"
}

# The upgrade under way, as the inside of a JSON object.
state_fields() {
  local _saved _k
  _saved=$REC REC=''
  for _k in nonce phase kind run who old_sha new_sha old_version new_version; do
    eval "_v=\${S_$_k}"
    rec_text "$_k" "$_v"
  done
  value_in "$D/guard" kind
  rec_text guard_kind "$VALUE"
  rec_process oldMaster "$S_om" "$S_om_start"
  rec_process newMaster "$S_nm" "$S_nm_start"
  rec_bool parked "${S_winch:-0}"
  rec_bool oldLives "$OM_LIVES"
  rec_bool newLives "$NM_LIVES"
  rec_text decision "$DECISION"
  rec_text decisionWhy "$DECISION_WHY"
  if guard_lives; then rec_raw guardLives true; else rec_raw guardLives false; fi
  if [ "$S_boot" = "$BOOT" ]; then rec_raw sameBoot true; else rec_raw sameBoot false; fi
  rec_raw deadlineIn "$((DEADLINE - NOW))"
  printf '%s' "${REC#,}"
  REC=$_saved
}

# verb_facts: looked at again where the master ended in the middle of it; a mixture of two would be no fact.
verb_facts() {
  local _looks
  _looks=0
  while :; do
    look_around
    _looks=$((_looks + 1))
    [ -n "$OM" ] && [ "$_looks" -lt 3 ] || break
    ! lives "$OM" "$OM_START" || break
  done
  answer
}

look_around() {
  rec_new
  find_master "$A_pid_file"
  [ -z "$OM" ] || [ "$SETTLED" = "$OM" ] || settings_of "$OM"
  facts_host
  if [ -n "$OM" ]; then
    facts_master
    facts_unit
    facts_config
    facts_children
    rec_text unsafe "${UNSAFE# }"
    instance_of "$PIDF"
  elif [ -n "$A_pid_file" ]; then instance_of "$A_pid_file"
  elif [ "$WHY_NOT" = ambiguous-master ]; then instance_of /none
  else find_instance; fi
  facts_ours
}

# find_instance: with no master to name it, the one unfinished upgrade does; of several, none.
find_instance() {
  local _none _several _state
  instance_of /none
  _none=$D _several=0
  for _state in "${D%/*}"/*/upgrade; do
    [ -f "$_state" ] || continue
    D=${_state%/upgrade} _several=$((_several + 1))
  done
  [ "$_several" -le 1 ] || D=$_none
}

# -------------------------------------------------------------------------------------------------- the upgrade's verbs

# verb_prepare: lock, books, working directory, guard. From here on the target cleans up after itself.
verb_prepare() {
  local _missing
  rec_new
  # Before anything else, so that nothing is done where they cannot be read.
  load_state
  [ -z "$BROKEN" ] && in_place "$D" || { refuse internal "expected a directory of our own at $D"; return; }
  MADE=''
  _missing=$D
  while [ ! -d "$_missing" ]; do MADE=$_missing _missing=${_missing%/*}; done
  [ -d "$D/retained" ] && [ -d "$D/actor" ] || mkdir -p "$D/retained" "$D/actor" || { refuse internal "cannot create the state directory $D"; return; }
  take_lock || return
  take_mutex || { rm -f "$D/lock"; refuse internal "the previous actor (pid $H_PID) cannot be ended"; return; }
  # Whoever was ended just now may have closed its books to the end, and with them the lock.
  [ -e "$D/lock" ] || take_lock || return
  # Asked again after the answer was lost: what was prepared stands.
  if load_state && [ "$S_nonce" = "$A_nonce" ] && [ -d "$S_work" ]; then
    rearm_guard
    answer
    return
  fi
  [ ! -e "$D/decision" ] || rm -f "$D/decision"
  forget_state
  own_unit_of "$OM"
  S_nonce=$A_nonce S_phase=staged S_kind=$A_kind S_boot=$BOOT S_run=$A_run S_who=$A_who S_bin=$BIN S_pidf=$PIDF
  S_om=$OM S_old_ino=$OLD_INO S_old_sha=$OLD_SHA S_old_version=$A_old_version S_new_sha=$A_sha256 S_new_blake=$A_blake
  S_new_version=$A_new_version S_need=$A_need S_cover=$A_cover S_confirm=$A_confirm S_ready=$A_ready S_drain=$A_drain
  S_hold=$A_hold S_keep=$A_keep S_unit=$UNIT S_cwd=$CWD S_opt_c=$OPT_C S_opt_p=$OPT_P S_opt_e=$OPT_E S_opt_g=$OPT_G
  # As the facts saw it: what was judged is what may be replaced.
  S_path_ino=$PATH_INO
  if ! lives "$OM" "$OM_START" || ! start_of "$OM" || [ ! -f "$BIN" ]; then
    clear_books
    refuse changed-by-others "the master $OM or its file $BIN is gone"
    return
  fi
  S_om_start=$START S_session=$SESSION
  user_of "$OM" || { clear_books; refuse changed-by-others "the master $OM is gone"; return; }
  S_as=$AS
  if ! note_modules || ! choose_hand; then
    clear_books
    refuse changed-by-others "$WHY_NOT"
    return
  fi
  derive_state
  [ -f "$D/instance" ] || write_file "$D/instance" "$INSTANCE"
  printf '%65536s' '' 2>/dev/null >"$D/reserve"
  save_state || { clear_books; refuse internal "cannot write $D/upgrade"; return; }
  journal prepare run "$S_run" who "$S_who" old "$S_old_sha" new "$S_new_sha"
  if [ "$A_repair" = yes ] && [ "$S_kind" != plan ] && [ ! -e "$S_pidf" ]; then write_pid_file "$OM"; fi
  if ! make_room "$S_work" || ! each_module module_room; then
    close_books untouched 'no working directory'
    refuse internal "cannot create $S_work, or one like it beside the modules"
    return
  fi
  start_guard
  rec_text work "$S_work"
  answer
}

# note_modules: S_modules, of those that go with the new binary; false, with WHY_NOT, where what is named is none of the master's.
note_modules() {
  local _rest _path
  if [ "$S_kind" = reverse ]; then
    kept_modules "$S_new_sha" || { WHY_NOT="the list of modules that are kept with $S_new_sha cannot be read"; return 1; }
    return 0
  fi
  _rest=$A_modules S_modules=''
  while [ -n "$_rest" ]; do
    _path=${_rest%%'|'*} _rest=${_rest#*'|'}
    case $NL$MODULES in *"$NL$_path$NL"*) ;; *) WHY_NOT="$_path is no module that is loaded here"; return 1 ;; esac
    encode "$_path"
    S_modules="$S_modules$CODE|"
  done
}

# choose_hand: S_hand is who puts files beside the binary: nobody else where only we and root lead there; where another user does,
# that one, and only where the run was told to accept it. False, with WHY_NOT, where nothing may be put there.
choose_hand() {
  [ -z "$UNSAFE" ] || { WHY_NOT="a path holds characters that it must not hold: $UNSAFE"; return 1; }
  S_hand=''
  [ "$MY_UID" = 0 ] || return 0
  place_of "${BIN%/*}"
  [ "$PLACE" = "$A_hand" ] || { WHY_NOT="expected the directory of $BIN to be of ${A_hand:-root} alone, found ${PLACE:-root}"; return 1; }
  each_module module_has_hand || { WHY_NOT='the directory of a module is not as that of the binary'; return 1; }
  if [ -n "$S_as" ] && { [ -n "$PLACE" ] || ! unit_starts "$BIN"; }; then
    WHY_NOT="the master is no root, and $BIN is not the file of root's that its unit starts"
    return 1
  fi
  [ -n "$PLACE" ] || return 0
  reader_of "${BIN%/*}"
  S_hand=${READ_AS#*--reuid=}
  S_hand=${S_hand%% *}:${READ_AS#*--regid=}
  S_hand=${S_hand%% *}
  owner_of "$BIN"
  [ -n "$READ_AS" ] && [ "$OWNER" = "$PLACE" ] || { WHY_NOT="the directory of $BIN is of user $PLACE, the file of $OWNER"; return 1; }
}

module_has_hand() { place_of "${1%/*}" && [ "$PLACE" = "$A_hand" ]; }

# take_lock: exclusively; a lock whose owner is gone and left nothing to do is replaced.
take_lock() {
  uptime_now
  wall_now
  encode "$A_who"
  LOCK="nonce=$A_nonce${NL}who=$CODE"
  encode "$A_run"
  LOCK="$LOCK${NL}run=$CODE${NL}since=$WALL"
  create_file "$D/lock" "$LOCK" && return 0
  value_in "$D/lock" nonce
  [ "$VALUE" != "$A_nonce" ] || return 0
  if guard_lives || actor_lives || [ -f "$D/upgrade" ]; then
    LOCK=''
    for _k in who run since; do value_in "$D/lock" "$_k"; LOCK="$LOCK $_k=$VALUE"; done
    refuse locked "${LOCK# }"
    return 1
  fi
  rm -f "$D/lock"
  create_file "$D/lock" "$LOCK" || refuse locked 'another run took the lock in this moment'
}

# verb_receive: A_size bytes follow the request on standard input: a file of A_whole bytes, packed or not. They are taken off
# it whatever becomes of them, or the next request would be read out of their middle. The digest is taken of what passes by,
# and the size of what lies there: together they say that the file is whole. From then on it is W/new, with owner and mode
# of the present file.
verb_receive() {
  local _sum
  rec_new
  PART=/dev/null DEST='' MODEL=''
  if load_state && [ "$S_nonce" = "$A_nonce" ]; then
    DEST=$S_work/new MODEL=$S_bin
    [ -z "$A_module" ] || each_module module_dest || :
    PART=$DEST.part
  fi
  # Whoever still writes to an earlier one writes to a file without a name.
  [ ! -f "$PART" ] || by_hand rm -f "$PART"
  choose_hasher
  [ -z "$A_module" ] || choose_hasher "$A_sha256" "$A_blake"
  case $A_encoding in
    gzip) _sum=$(counted_input "$A_size" | unpacked | hand_writes 3600 "$PART" 2>/dev/null | beside 3601 "$HASHER") ;;
    *) _sum=$(counted_input "$A_size" | hand_writes 3600 "$PART" 2>/dev/null | beside 3601 "$HASHER") ;;
  esac
  [ "$PART" != /dev/null ] || { refuse changed-by-others "this upgrade ($A_nonce) is not prepared here"; return; }
  is_whole "${_sum%% *}" "$A_whole" && take_over_metadata "$MODEL" "$PART" || return
  by_hand mv -f "$PART" "$DEST" || { refuse upload-failed "cannot rename $PART"; return; }
  answer
}

# counted_input N: exactly N bytes of standard input. head reads ahead in some systems, dd does not.
counted_input() {
  if dd if=/dev/null of=/dev/null iflag=fullblock,count_bytes 2>/dev/null; then
    dd bs=65536 iflag=fullblock,count_bytes count="$1" 2>/dev/null
  else
    dd bs=1 count="$1" 2>/dev/null
  fi
}

# unpacked: what cannot be unpacked is read all the same.
unpacked() {
  gzip -dc 2>/dev/null
  cat >/dev/null
}

# is_whole SUM SIZE: what arrived is what was sent; else it is removed.
is_whole() {
  local _size
  size_of "$PART"
  _size=$SIZE
  [ "$1:$_size" != "$EXPECTED:$2" ] || return 0
  free_beside "$PART"
  by_hand rm -f "$PART"
  refuse upload-failed "of $2 bytes with the digest $EXPECTED, $_size arrived with the digest $1; $FREE KiB are free"
}

# fetch_retained: the binary to go back to lies here already; it is copied, since what is at the path must not be the kept
# file itself.
fetch_retained() {
  local _sum _kept
  DEST=$S_work/new MODEL=$S_bin PART=$S_work/new.part _kept=$D/retained/$S_new_sha
  choose_hasher
  _sum=$(hand_writes 60 "$PART" <"$_kept" | beside 61 "$HASHER")
  KEEPING=$_kept.modules
  size_of "$_kept"
  is_whole "${_sum%% *}" "$SIZE" && take_over_metadata "$MODEL" "$PART" && by_hand mv -f "$PART" "$DEST" && each_module module_fetch
}

# choose_hasher [SHA256 BLAKE2]: HASHER and what it must say, of the binary where nothing else is meant. b2sum takes a third of
# the time; not every base system has it.
choose_hasher() {
  HASHER=sha256sum EXPECTED=${1-$S_new_sha}
  if [ -n "${2-$S_new_blake}" ] && command -v b2sum >/dev/null; then HASHER=b2sum EXPECTED=${2-$S_new_blake}; fi
}

# module_dest PATH BASE: where a module with the name of the one that is asked for goes.
module_dest() { [ "$1" != "$A_module" ] || DEST=$2.new MODEL=$1; }

# take_over_metadata MODEL FILE: owner, mode, access list and label of the present file; capabilities only where that is the file
# that runs. What gives more rights to whoever runs a file is never taken along: its path may lead anywhere.
take_over_metadata() {
  local _what
  _what=mode,ownership,xattr
  [ "$S_path_ino" = "$S_old_ino" ] || _what=mode,ownership
  # All at once where cp can, by hand where it cannot.
  if by_hand cp --attributes-only "--preserve=$_what" "$1" "$2" 2>/dev/null; then
    ! has_labels || by_hand chcon "--reference=$1" "$2" 2>/dev/null
  else
    metadata_by_hand "$1" "$2" || return 1
  fi
  [ ! -u "$2" ] && [ ! -g "$2" ] && [ ! -k "$2" ] || by_hand chmod ug-s,o-t "$2"
  [ ! -u "$2" ] && [ ! -g "$2" ] || { refuse upload-failed "cannot take the setuid bit off $2"; return 1; }
}

metadata_by_hand() {
  local _mode
  mode_of "$1" || { refuse changed-by-others "$1 is gone"; return 1; }
  _mode=${MODE#"${MODE%???}"}
  if [ "$MY_UID" = 0 ] && [ -z "$HAND" ]; then chown "$OWNER:$GROUP" "$2"; fi
  by_hand chmod "$_mode" "$2" || { refuse upload-failed "cannot set mode $_mode on $2"; return 1; }
  capabilities_of "$1"
  [ -z "$CAPS" ] || [ "$S_path_ino" != "$S_old_ino" ] || setcap "$CAPS" "$2" || { refuse upload-failed "cannot set $CAPS on $2"; return 1; }
}

# verb_check: what the staged file says of itself here and (where asked) of the configuration.
verb_check() {
  rec_new
  load_state && [ "$S_nonce" = "${A_nonce:-$S_nonce}" ] || { refuse changed-by-others "this upgrade ($A_nonce) is not prepared here"; return; }
  if [ "$S_kind" = reverse ] && [ ! -e "$S_work/new" ]; then fetch_retained || return; fi
  inode_of "$S_work/new"
  [ -n "$INODE" ] || { refuse upload-failed "no file has arrived in $S_work"; return; }
  S_new_ino=$INODE
  # A master of another user reaches the staged file through this directory.
  [ -z "$S_as" ] || { open_room "$S_work" && each_module module_open; } || { refuse internal "cannot open $S_work to the group of the master"; return; }
  # On its way to the disk while nginx is tried; the commit waits for it before the file takes the path.
  (sync_new || sync) &
  SYNCING=$!
  if ! same_machine "$S_work/new" "$S_om"; then
    rec_raw testExit null
    rec_text untested ''
    rec_lines left ''
    rec_raw versionExit 126
    rec_text build 'Exec format error: the file is for another machine than the one that runs'
    answer
    return
  fi
  try_staged "$A_test"
  ENTER='' VIEW=''
  rec_raw testExit "$TEST_EXIT"
  rec_text untested "$UNTESTED"
  # What ends it stands at its end, behind any number of warnings.
  rec_lines test "$(printf '%s\n' "$TEST_SAID" | tail -n 100)"
  rec_lines left "$LEFT_THERE"
  rec_raw versionExit "$VERSION_EXIT"
  rec_text build "$BUILD"
  answer
}

# second_names: of the present file, so that no rename over the path destroys the inode that runs; and the name by which the
# new file takes the path for the exec. A symbolic link keeps /proc/PID/exe clean after the commit; a confined master may
# run the path only as a plain file.
second_names() {
  [ -e "$S_work/old" ] || by_hand ln "$S_bin" "$S_work/old"
  if [ ! -L "$S_work/link" ] && [ ! -e "$S_work/link" ]; then
    if confined "$S_om"; then by_hand ln "$S_work/new" "$S_work/link"; else by_hand ln -s "$S_work/new" "$S_work/link"; fi
  fi
  each_module module_names
}

# verb_unstage: only what this very run has staged; where that is gone already, there is nothing to do.
verb_unstage() {
  rec_new
  if load_state; then
    [ "$S_nonce" = "$A_nonce" ] || { refuse changed-by-others "another upgrade ($S_nonce) is under way here"; return; }
    if [ "$S_phase" = staged ] && may_act; then
      # One that is still on its way would be there for a moment when all is told to be gone.
      wait_for_guard || :
      close_books untouched "${A_why:-planned}"
    elif [ "$S_phase" = rehearsing ] && decide rollback "${A_why:-refused}"; then undo
    fi
  fi
  answer_unless_broken
}

# lost_ground: the one answer for a verb that may not act any more.
lost_ground() {
  read_decision
  if [ -n "$DECISION" ]; then refuse decided "$DECISION $DECISION_WHY"; else refuse changed-by-others 'another actor took over'; fi
}

# can_switch: this very upgrade is prepared, the old master lives, and a guard watches.
can_switch() {
  load_state && [ "$S_nonce" = "${A_nonce:-$S_nonce}" ] || { refuse changed-by-others 'no such upgrade is prepared here'; return 1; }
  [ -e "$S_work/new" ] || { refuse upload-failed "$S_work/new is gone"; return 1; }
  [ -n "$S_new_ino" ] || { inode_of "$S_work/new"; S_new_ino=$INODE; }
  sign_of_life
  find_pair
  [ "$OM_LIVES" = 1 ] || { refuse changed-by-others "the old master $S_om is gone"; return 1; }
  rearm_guard || { refuse internal 'the guard did not start within 5 s, and not at a second try'; return 1; }
}

# verb_rehearse: the running master executes a stub, which runs the new file's `-t` as the master would run it: with its
# user, capabilities, limits, namespaces and environment. No worker notices. What it says is for the run to judge.
verb_rehearse() {
  local _exit
  rec_new
  can_switch || return
  case $S_phase in
    staged) ;;
    # Asked again after the answer was lost.
    rehearsing) rehearsal_settles && rehearsal_over || return ;;
    *) refuse changed-by-others "the upgrade is in the phase $S_phase already"; return ;;
  esac
  as_seen note_missing
  if ! raise_stub; then
    free_reader
    ! may_act || { S_usr2='' S_phase=staged; save_state; }
    return
  fi
  _exit=null
  ! stub_ends || _exit=$STUB_EXIT
  if [ "$_exit" = null ]; then evidence; rehearsal_settles || return; fi
  end_rehearsal
  as_seen remove_made
  rehearsal_over || return
  ! is_poisoned || heal
  rec_bool poisoned "$POISONED"
  rec_raw exit "$_exit"
  rec_lines said "$(tail -n 100 "$D/said" 2>/dev/null | grep -v '^stub ')"
  rec_lines left "$LEFT_THERE"
  S_usr2=''
  save_state || { refuse internal "cannot write $D/upgrade: the old generation serves"; return; }
  journal rehearsed exit "$_exit"
  answer
}

rehearsal_settles() {
  exec_settles || { refuse not-ready "the master $S_om has not taken USR2 in all this time: the guard waits for it"; return 1; }
}

# rehearsal_over: nothing of it runs, the old file is at its path, and the upgrade is staged as before.
rehearsal_over() {
  end_rehearsal
  may_act || { lost_ground; return 1; }
  put_old || { refuse changed-by-others "another file was put at $S_bin"; return 1; }
  lives "$S_om" "$S_om_start" || { refuse changed-by-others "the master $S_om was ended by others"; return 1; }
  pid_file_is "$S_om" || { refuse internal "the master $S_om did not put its pid file back"; return 1; }
  S_phase=staged
}

# raise_stub: at the binary's path, and USR2. Its words come through a pipe: the master may see this directory read-only.
raise_stub() {
  second_names 2>/dev/null || { refuse internal "cannot link $S_bin, or a module of it, to a second name"; return 1; }
  read_inodes "$S_work/old" "$S_bin"
  [ "$INODE_1:$INODE_2" = "$S_path_ino:$S_path_ino" ] || { refuse changed-by-others "another file was put at $S_bin"; return 1; }
  pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_om" ] || { refuse changed-by-others "$S_pidf holds \"$PID_TEXT\", expected $S_om"; return 1; }
  make_pipe && write_stub "$(rehearsal_of)" || { refuse internal "cannot write a stub to $S_work"; return 1; }
  # Whatever becomes of us, it ends soon after the time is over. First of all: what is written and left before it has opened the pipe is
  # lost.
  from_pipe "$((S_ready / 10 + 60))" "$S_work/pipe" >"$D/said" &
  READER=$!
  staff_of "$S_om"
  S_ow=$STAFF_STARTED S_phase=rehearsing S_usr2=stub
  logs_from_here
  save_state || { refuse internal "cannot write $D/upgrade: nothing was done"; return 1; }
  journal rehearse old "$S_om"
  may_act || { lost_ground; return 1; }
  by_hand mv -f "$S_work/stub.link" "$S_bin" || { refuse changed-by-others "nothing can be put at $S_bin"; return 1; }
  may_act || { put_old; lost_ground; return 1; }
  lives "$S_om" "$S_om_start" || { put_old; refuse changed-by-others "the old master $S_om is gone"; return 1; }
  sign_of_pid_file
  PID_CTIME=$PID_SIGN
  signal USR2 "$S_om" "$S_om_start" || { put_old; refuse changed-by-others "the old master $S_om is gone"; return 1; }
}

make_pipe() {
  rm -f "$D/said" && by_hand rm -f "$S_work/pipe" && by_hand mkfifo -m 600 "$S_work/pipe" || return 1
  uid_of "$S_om"
  [ "$UID_OF" = "$MY_UID" ] || chown "$UID_OF" "$S_work/pipe"
}

# rehearsal_of: what the stub does. With the variables of inherited sockets `-t` would take these for its own. New modules lie
# at their paths only for it; 125 is the end where that cannot be.
rehearsal_of() {
  shell_word "$S_work/pipe"
  printf '%s\n' "exec 1<>$WORD 2>&1" 'echo "stub started"' 'unset NGINX ANGIE NGINX_BPF_MAPS'
  shell_word "$S_work/new"
  if [ -z "$S_modules" ]; then printf '%s\n' "$WORD \"\$@\" -t"
  else
    BINDS=''
    each_module module_bind
    set -- "$WORD"
    shell_word "$FURNISH"
    set -- "$1" "$WORD"
    shell_word "$BINDS"
    BINDS=''
    # shellcheck disable=SC2016
    printf '%s\n' "room='unshare -m'" '$room true 2>/dev/null || room="unshare --map-current-user -m"' \
      '$room true 2>/dev/null || { echo "stub 125"; exit 1; }' \
      "BINDS=$WORD \$room /bin/sh -c $2 room $1 \"\$@\" -t"
  fi
  printf '%s\n' 'echo "stub $?"' 'exit 1'
}

# write_stub SCRIPT: for the master's own child. Whoever else runs the path meanwhile waits until it is the old file again.
write_stub() {
  local _old _stub
  shell_word "$S_work/old"
  _old=$WORD
  shell_word "$S_work/stub"
  _stub=$WORD
  by_hand rm -f "$S_work/stub" "$S_work/stub.link"
  hand_writes 10 "$S_work/stub" >/dev/null 2>&1 <<EOF || return 1
#!/bin/sh
if [ "\$PPID" != $S_om ]; then
  n=0
  while [ "\$0" -ef $_stub ] && [ \$n -lt 100 ]; do n=\$((n + 1)); sleep 0.1 2>/dev/null || sleep 1; done
  [ "\$0" -ef $_stub ] || exec "\$0" "\$@"
  exec $_old "\$@"
fi
$1
EOF
  by_hand chmod 755 "$S_work/stub" || return 1
  if confined "$S_om"; then by_hand ln "$S_work/stub" "$S_work/stub.link"; else by_hand ln -s "$S_work/stub" "$S_work/stub.link"; fi
}

# stub_ends: true with STUB_EXIT where the new file was run and ended. The old file is back at its path as soon as the stub
# runs. Exits: the pid file was renamed there and back; USR2 was taken and nothing happens for two seconds; the master died;
# a decision; deadline.
stub_ends() {
  local _by _sign_by _first
  uptime_now
  _by=$((NOW + S_ready)) _sign_by=$((NOW + 20)) RENAMED=0 _first=''
  while lives "$S_om" "$S_om_start" && may_act && [ "$NOW" -lt "$_by" ]; do
    if [ -z "$_first" ] && { read -r _first <"$D/said"; } 2>/dev/null; then put_old || return 1; fi
    sign_of_pid_file
    if [ -f "$S_pidf.oldbin" ] || [ "$PID_SIGN" != "$PID_CTIME" ]; then RENAMED=1; fi
    if [ "$RENAMED" = 0 ]; then [ "$NOW" -lt "$_sign_by" ] || usr2_pending || break
    elif [ ! -f "$S_pidf.oldbin" ] && pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_om" ]; then break; fi
    pause
    uptime_now
  done
  free_reader
  _by=$((NOW + 50))
  until stub_exit || [ "$NOW" -ge "$_by" ]; do pause; uptime_now; done
  kill "$READER" 2>/dev/null
  wait "$READER" 2>/dev/null
  stub_exit
}

# free_reader: where nobody wrote, it still waits for the pipe to open.
# shellcheck disable=SC2016,SC2086
free_reader() { [ ! -p "$S_work/pipe" ] || by_hand /bin/sh -c 'true <>"$1"' free "$S_work/pipe"; }

# stub_exit: whoever owns the pipe can write anything into it: a number is all that is taken.
stub_exit() {
  STUB_EXIT=$(tail -n 1 "$D/said" 2>/dev/null)
  case $STUB_EXIT in 'stub '[0-9]*) STUB_EXIT=${STUB_EXIT#stub } ;; *) return 1 ;; esac
  case $STUB_EXIT in *[!0-9]* | ????*) return 1 ;; esac
}

# end_rehearsal: ends what still runs of it. KILL: a child of the master inherits its blocked signals.
end_rehearsal() {
  local _by _word
  [ "$S_usr2" = stub ] || return 0
  free_reader
  uptime_now
  _by=$((NOW + 30))
  while [ "$NOW" -lt "$_by" ]; do
    generation_of "$S_new_ino"
    workers_of "$S_om"
    for _word in $STARTED; do
      among "$S_ow" "${_word%:*}" || runs_like "${_word%:*}" "$S_om" || RUNNING="$RUNNING $_word"
    done
    [ -n "$RUNNING" ] && may_act rollback || return 0
    # shellcheck disable=SC2086
    signal_all KILL $RUNNING
    pause
    uptime_now
  done
}

# shell_word TEXT: WORD is the text as one word of a shell's.
shell_word() {
  local _rest
  _rest=$1 WORD="'"
  while :; do
    case $_rest in *"'"*) ;; *) break ;; esac
    WORD="$WORD${_rest%%"'"*}'\\''" _rest=${_rest#*"'"}
  done
  WORD="$WORD$_rest'"
}

# verb_begin: swap, USR2, the old name back, new workers accepting.
verb_begin() {
  rec_new
  can_switch || return
  if [ "$NM_LIVES" = 0 ]; then
    listeners_of "$S_om"
    swap_and_signal || return
  else put_old; fi
  rec_process newMaster "$S_nm" "$S_nm_start"
  wait_ready || return
  S_phase=ready S_nw=$STAFF_STARTED
  save_state || { refuse internal "cannot write $D/upgrade: the old generation still serves"; return; }
  journal ready workers "$STAFF"
  event ready
  answer
}

swap_and_signal() {
  local _found _names
  second_names 2>/dev/null &
  _names=$!
  pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_om" ] || { refuse changed-by-others "$S_pidf holds \"$PID_TEXT\", expected $S_om"; return 1; }
  staff_of "$S_om"
  S_ow=$STAFF_STARTED S_phase=begun S_usr2=1 S_nm='' S_nm_start=''
  note_unix_listeners
  logs_from_here
  save_state || { refuse internal "cannot write $D/upgrade: nothing was done"; return 1; }
  journal begin old "$S_om"
  wait "$_names" || { refuse internal "cannot link $S_bin, or a module of it, to a second name"; return 1; }
  { [ -e "$S_work/old" ] && [ -e "$S_work/link" ]; } || { refuse internal "cannot link $S_bin to $S_work/old"; return 1; }
  read_inodes "$S_work/old" "$S_bin"
  [ "$INODE_1:$INODE_2" = "$S_path_ino:$S_path_ino" ] || { refuse changed-by-others "another file was put at $S_bin"; return 1; }
  may_act || { lost_ground; return 1; }
  each_module module_swap || { put_old; refuse changed-by-others 'a module could not be replaced'; return 1; }
  is_own_room "$S_work" && by_hand mv -f "$S_work/link" "$S_bin" || { put_old; refuse changed-by-others "nothing can be put at $S_bin"; return 1; }
  event swap
  may_act || { put_old; lost_ground; return 1; }
  lives "$S_om" "$S_om_start" || { put_old; refuse changed-by-others "the old master $S_om is gone"; return 1; }
  # The ctime tells a rename there and back again that fits between two looks.
  sign_of_pid_file
  PID_CTIME=$PID_SIGN
  signal USR2 "$S_om" "$S_om_start" || { put_old; refuse changed-by-others "the old master $S_om is gone"; return 1; }
  find_new
  _found=$?
  # Renamed there and back: it is over, unless it failed inside the master.
  [ "$NM_LIVES" = 1 ] || [ "$RENAMED" = 0 ] || is_poisoned || S_usr2=''
  # Binary and modules go back together: what a restart would find in between must fit.
  [ -z "$S_modules" ] || [ "$NM_LIVES" = 0 ] || wait_loaded
  put_old || { refuse changed-by-others "another file was put at $S_bin"; return 1; }
  # On the disk, too, the old name must be back soon.
  sync "${S_bin%/*}" 2>/dev/null &
  save_state
  event exec
  return "$_found"
}

# note_unix_listeners: their paths outlive a master that is killed.
note_unix_listeners() {
  S_unix='' S_listen=$L_DEC OLD_ADDR=$L_ADDR
  while read -r _ _kind _path; do
    [ "$_kind" = unix ] && [ -S "$_path" ] && is_plain "$_path" || continue
    sign_of_socket "$_path"
    encode "$_path"
    S_unix="$S_unix$SIGN $CODE|"
  done <<EOF
$L_ADDR
EOF
}

# find_new: a child of the old master that runs the new file. Exits: found; nginx took its pid file's name back, so
# the new binary ended; no sign of an upgrade within two seconds; a decision; deadline.
find_new() {
  local _new_by _sign_by
  uptime_now
  _new_by=$((NOW + S_ready)) _sign_by=$((NOW + 20)) RENAMED=0
  while :; do
    find_pair
    [ "$NM_LIVES" = 0 ] || { journal new-master pid "$S_nm"; return 0; }
    [ "$OM_LIVES" = 1 ] || { refuse changed-by-others "the old master $S_om died after USR2"; return 1; }
    uptime_now
    if [ -f "$S_pidf.oldbin" ]; then RENAMED=1
    else
      sign_of_pid_file
      [ "$PID_SIGN" = "$PID_CTIME" ] || RENAMED=1
    fi
    if [ -f "$S_pidf.oldbin" ]; then :
    elif [ "$RENAMED" = 1 ] && pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_om" ]; then
      evidence; refuse new-master-died 'the new binary ended before its master came up'; return 1
    elif [ "$RENAMED" = 0 ] && [ "$NOW" -ge "$_sign_by" ] && ! usr2_pending; then
      evidence; refuse not-ready 'USR2 had no effect within 2 s: no new process, pid file not renamed'; return 1
    fi
    may_act || { lost_ground; return 1; }
    [ "$NOW" -lt "$_new_by" ] || { evidence; refuse not-ready 'no new master within ready-timeout'; return 1; }
    pause
  done
}

# enough_accept: the new workers cover every listener, and there are as many as wanted.
enough_accept() {
  ACCEPTING='' COVERED=0
  staff_of "$S_nm"
  # shellcheck disable=SC2086
  set -- $STAFF
  [ $# -ge "$S_need" ] || return 1
  listeners_of "$S_nm"
  accepting_among "$@"
  # shellcheck disable=SC2086
  set -- $L_DEC
  [ "$COVERED" -ge $# ] || return 1
  # shellcheck disable=SC2086
  set -- $ACCEPTING
  [ $# -ge "$S_cover" ]
}

# orphan_listeners: ORPHANS are sockets that only the old master holds although the new one listens on their address, too: with
# `reuseport` and fewer workers, what the kernel hands to them waits until the old master ends. L_ is the new master's here.
orphan_listeners() {
  local _ino _where
  ORPHANS=''
  while read -r _ino _where; do
    case " $L_DEC " in *" $_ino "*) continue ;; esac
    case $L_ADDR in *" $_where$NL"*) ;; *) continue ;; esac
    case $_where in unix*) _where=${_where#unix } ;; *) _where="port $((0x${_where##*:}))" ;; esac
    ORPHANS="$ORPHANS${ORPHANS:+, }socket $_ino of $_where"
  done <<EOF
$OLD_ADDR
EOF
}

# wait_ready: exits: accepting and pid file written; new master died; workers die again and again; a decision; deadline.
wait_ready() {
  local _ready_by _churn _count _p
  uptime_now
  _ready_by=$((NOW + S_ready)) _churn='' _count=0
  # Known already, except where this is asked for again.
  [ -n "$OLD_ADDR" ] || { listeners_of "$S_om"; OLD_ADDR=$L_ADDR; }
  while :; do
    lives "$S_nm" "$S_nm_start" || { evidence; refuse new-master-died "the new master $S_nm died before its workers accepted"; return 1; }
    if enough_accept && pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_nm" ]; then
      orphan_listeners
      [ -z "$ORPHANS" ] || { evidence; refuse not-ready "nobody would accept what comes to sockets that only the old master holds, on addresses of the new one: $ORPHANS"; return 1; }
      return 0
    fi
    for _p in $STAFF; do
      case "$_churn " in *" $_p "*) ;; *) _churn="$_churn $_p" _count=$((_count + 1)) ;; esac
    done
    [ "$_count" -le $((S_need * 4 + 4)) ] || { evidence; refuse workers-crashing "$_count workers were started, $S_need are wanted"; return 1; }
    may_act || { lost_ground; return 1; }
    uptime_now
    if [ "$NOW" -ge "$_ready_by" ]; then
      evidence
      refuse not-ready "within ready-timeout $S_need workers should accept on all $(printf '%s' "$L_DEC" | wc -w) listeners; found ${ACCEPTING:-none} covering $COVERED, pid file \"$PID_TEXT\""
      return 1
    fi
    pause
  done
}

# whole_generation: the new master with the workers that were ready, or with a full set that replaced them in one go, as
# a reload from outside does (a certificate hook). Looks for up to a second, since a reload takes its time.
whole_generation() {
  local _whole_by _word
  uptime_now
  _whole_by=$((NOW + 10))
  while :; do
    lives "$S_nm" "$S_nm_start" || { evidence; refuse new-master-died "the new master $S_nm is gone"; return 1; }
    count_gone
    [ "$GONE" != 0 ] || return 0
    [ "$KEPT" != 0 ] || ! enough_accept || break
    uptime_now
    numbers_in "$S_nw"
    [ "$NOW" -lt "$_whole_by" ] || { evidence; refuse workers-crashing "of the new workers$NUMBERS, $GONE are gone"; return 1; }
    pause
  done
  # Crashed workers are replaced as well, but nginx says so.
  new_log_lines "$BY_NGINX\\[[a-z]+\\] $S_nm#[0-9]+: worker process [0-9]+ exited (on signal|with (fatal )?code [1-9])"
  [ -z "$LINES_FOUND" ] || { evidence; refuse workers-crashing "workers of the new master crash: $LINES_FOUND"; return 1; }
  journal reload-seen workers "$ACCEPTING"
  S_nw=''
  for _word in $STAFF_STARTED; do
    case " $ACCEPTING " in *" ${_word%:*} "*) S_nw="$S_nw $_word" ;; esac
  done
  save_state
}

# count_gone: how many of the workers that were ready are GONE or shutting down, and how many are KEPT.
count_gone() {
  local _word
  GONE=0 KEPT=0
  numbers_in "$S_nw"
  # shellcheck disable=SC2086
  roles_lately $NUMBERS
  for _word in $S_nw; do
    role_in "${_word%:*}"
    start_of "${_word%:*}" && [ "$START" = "${_word#*:}" ] && [ "$PARENT" = "$S_nm" ] || ROLE=''
    case $ROLE in '' | leaving) GONE=$((GONE + 1)) ;; *) KEPT=$((KEPT + 1)) ;; esac
  done
}

# verb_retire: WINCH, and no old worker accepts any more.
verb_retire() {
  rec_new
  load_state || { refuse changed-by-others 'no upgrade is under way here'; return; }
  # Asked along with begin, and that failed.
  case $S_phase in ready | retired | held) ;; *) refuse not-ready 'the new generation was not ready'; return ;; esac
  sign_of_life
  find_pair
  [ "$OM_LIVES" = 1 ] || { refuse changed-by-others "the old master $S_om is gone"; return; }
  whole_generation || return
  old_listeners
  workers_of "$S_om" "$S_nm"
  S_ow="$S_ow$STARTED" S_winch=1 S_phase=retired
  save_state || { refuse internal "cannot write $D/upgrade: the old generation still serves"; return; }
  journal winch-old workers "$WORKERS"
  winch_old || return
  wait_retired || return
  whole_generation || return
  # shellcheck disable=SC2086
  rec_count draining $WORKERS
  rec_errors
  answer
}

wait_retired() {
  local _retired_by
  uptime_now
  _retired_by=$((NOW + S_ready))
  while :; do
    workers_of "$S_om" "$S_nm"
    # shellcheck disable=SC2086
    listening_among $WORKERS
    [ -n "$LISTENING" ] || return 0
    lives "$S_nm" "$S_nm_start" || { evidence; refuse new-master-died "the new master $S_nm died while the old workers stopped"; return 1; }
    may_act || { lost_ground; return 1; }
    uptime_now
    [ "$NOW" -lt "$_retired_by" ] || { evidence; refuse not-ready "the old workers $LISTENING still accept after WINCH"; return 1; }
    pause
  done
}

# verb_look: a sign of life from the run, and what can be seen: is the new generation whole and the old one parked?
verb_look() {
  rec_new
  load_state || { refuse changed-by-others 'no upgrade is under way here'; return; }
  sign_of_life
  rearm_guard
  read_decision
  [ -z "$DECISION" ] || { lost_ground; return; }
  # First: whoever restarts the service ends both, and the new one is not to blame for that.
  lives "$S_om" "$S_om_start" || { refuse changed-by-others "the old master $S_om is gone"; return; }
  whole_generation || return
  still_accept || return
  # shellcheck disable=SC2086
  rec_count accepting $ACCEPTING
  REPARKED=0
  [ "$S_winch" != 1 ] || repark_old || return
  workers_of "$S_om" "$S_nm"
  # shellcheck disable=SC2086
  rec_count draining $WORKERS
  rec_bool reparked "$REPARKED"
  rec_errors
  # After its log was read: the log is found through what the old master has open, and that changes now.
  follow_rotation
  answer
}

# still_accept: the new workers; a second is given to those that pause (see old_serves).
still_accept() {
  local _accept_by
  uptime_now
  _accept_by=$((NOW + 10))
  until enough_accept; do
    uptime_now
    [ "$NOW" -lt "$_accept_by" ] || { evidence; refuse not-ready "the new workers accept no more: found ${ACCEPTING:-none}"; return 1; }
    pause
  done
}

verb_extend() {
  rec_new
  if load_state && [ "${A_nonce:-$S_nonce}" = "$S_nonce" ]; then
    read_decision
    [ -n "$DECISION" ] || set_deadline "${A_confirm:-$S_confirm}"
  fi
  answer_unless_broken
}

# verb_hold: the run ends here, the guard goes on: old master parked, new generation serving.
verb_hold() {
  rec_new
  load_state || { refuse changed-by-others 'no upgrade is under way here'; return; }
  may_act || { lost_ground; return; }
  lives "$S_nm" "$S_nm_start" || { refuse new-master-died "there is no new master to hold"; return; }
  rearm_guard || { refuse internal 'no guard could be started, and nothing is held without one'; return; }
  S_phase=held
  save_state || { refuse internal "cannot write $D/upgrade"; return; }
  journal held
  set_deadline "$S_hold"
  value_in "$D/guard" kind
  rec_text guardKind "$VALUE"
  rec_raw deadlineIn "$S_hold"
  rec_bool parked "${S_winch:-0}"
  answer
}

# verb_adopt: a later run, or this one after its connection broke, becomes the actor.
verb_adopt() {
  rec_new
  load_state || { rec_closed; refuse changed-by-others 'no upgrade is under way here'; return; }
  [ "$S_boot" = "$BOOT" ] || { take_mutex && close_after_boot; rec_text outcome "$OUTCOME"; refuse rebooted "the host was restarted: $OUTCOME"; return; }
  [ -z "$A_nonce" ] || [ "$A_nonce" = "$S_nonce" ] || { refuse changed-by-others 'another upgrade is under way here'; return; }
  # Decided before anybody is ended, so that who comes back for it finds it decided.
  if [ -n "$A_decide" ]; then decide "$A_decide" "$A_why" || { lost_ground; return; }; fi
  take_mutex || { refuse internal "the previous actor (pid $H_PID) cannot be ended"; return; }
  load_state || { rec_closed; refuse changed-by-others 'the upgrade was closed meanwhile'; return; }
  BIN=$S_bin PIDF=$S_pidf
  [ -z "$A_drain" ] || { S_drain=$A_drain; save_state; }
  set_deadline "$S_confirm"
  # A rollback needs none to go on.
  rearm_guard || :
  journal adopt run "$A_run"
  find_pair
  read_decision
  uptime_now
  read_deadline
  rec_raw upgrade "{$(state_fields)}"
  answer
}

# rec_closed: how the upgrade that was asked for was closed. The guard carries out what is decided, and may do so before we take over.
rec_closed() {
  value_in "$D/last" nonce
  [ -n "$A_nonce" ] && [ "$VALUE" = "$A_nonce" ] || return 0
  value_in "$D/last" outcome
  rec_text outcome "$VALUE"
  value_in "$D/last" why
  rec_text why "$VALUE"
}

# close_after_boot: the disk said old, so the old version serves; but for a power cut in the instant of the swap, when
# the path was a link to the staged file. Then whichever of both was started at boot keeps the path.
close_after_boot() {
  local _outcome
  _outcome=rolled-back
  if is_own_room "$S_work" && { [ -L "$S_bin" ] || { [ -e "$S_work/new" ] && [ "$S_bin" -ef "$S_work/new" ]; } || is_stub; }; then
    if [ -n "$OM" ] && runs_file "$OM" "$S_work/new"; then
      retain_modules
      retain_from_work
      each_module module_install
      [ ! -L "$S_bin" ] || by_hand mv -f "$S_work/new" "$S_bin"
    else
      each_module module_back
      by_hand rm -f "$S_work/back"
      by_hand ln "$S_work/old" "$S_work/back" && by_hand mv -f "$S_work/back" "$S_bin"
    fi
  fi
  digest_of "$S_bin"
  if [ "$DIGEST" = "$S_new_sha" ]; then
    _outcome=committed
    remember_previous
  fi
  close_books "$_outcome" reboot
}

# verb_release: this run lets go; whoever carries out what was decided need not wait for it.
verb_release() { rec_new; release_mutex; answer; }

verb_commit() {
  rec_new
  load_state || { refuse changed-by-others 'no upgrade is under way here'; return; }
  read_decision
  if [ "$DECISION" != commit ]; then
    find_pair
    [ "$NM_LIVES" = 1 ] || { evidence; refuse new-master-died "the new master $S_nm is gone"; return; }
    enough_accept || { evidence; refuse workers-crashing "before the commit the new workers should accept on all listeners; found ${ACCEPTING:-none}"; return; }
    pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_nm" ] || { refuse changed-by-others "$S_pidf holds \"$PID_TEXT\", expected $S_nm"; return; }
    [ "$S_bin" -ef "$S_work/old" ] || { refuse changed-by-others "another file than before is at $S_bin"; return; }
    if [ "$OM_LIVES" = 1 ]; then repark_old || return; fi
    decide commit run || { lost_ground; return; }
  fi
  if ! finish_commit; then
    rec_text outcome "${OUTCOME:-stuck}"
    if [ -n "$OUTCOME" ]; then rec_text why "$WHY"; else rec_text why "$DECISION_WHY"; fi
    refuse outage "the commit could not be finished: ${OUTCOME:-the guard tries again}"
    return
  fi
  rec_final "$S_nm" "$S_nm_start"
  answer
}

# repark_old: a HUP from outside may have given the old master workers again; QUIT would orphan them (F2).
repark_old() {
  old_listeners
  workers_of "$S_om" "$S_nm"
  # shellcheck disable=SC2086
  listening_among $WORKERS
  [ -n "$LISTENING" ] || return 0
  journal rewinch workers "$LISTENING"
  S_ow="$S_ow$STARTED" REPARKED=1
  save_state
  winch_old && wait_retired
}

# winch_old: both looked at once more in the same breath: where the new master is gone, nginx revives its old workers, and
# a WINCH would take the only ones that accept.
winch_old() {
  may_act || { lost_ground; return 1; }
  lives "$S_nm" "$S_nm_start" || { evidence; refuse new-master-died "the new master $S_nm is gone"; return 1; }
  signal WINCH "$S_om" "$S_om_start" || { refuse changed-by-others "the old master $S_om is gone"; return 1; }
}

verb_rollback() {
  rec_new
  load_state || { refuse changed-by-others 'no upgrade is under way here'; return; }
  decide rollback "${A_why:-run}" || { lost_ground; return; }
  evidence
  if ! undo && [ "${OUTCOME:-stuck}" = stuck ]; then
    rec_text outcome stuck
    refuse internal "the rollback could not be finished; the guard tries again"
    return
  fi
  rec_text outcome "$OUTCOME"
  rec_text why "$WHY"
  rec_final "$S_om" "$S_om_start"
  answer
}

# verb_cancel: on a channel of its own while another verb waits: the guard acts now. Answers within five seconds.
verb_cancel() {
  local _cancel_by _mine
  rec_new
  if ! load_state || [ "$S_nonce" != "$A_nonce" ]; then
    [ -z "$BROKEN" ] || { refuse internal ''; return; }
    rec_text closed "$(tr '\n' ' ' <"$D/last" 2>/dev/null)"
    answer
    return
  fi
  read_decision
  journal cancel
  if [ "$DECISION" != commit ] && decide rollback cancelled; then
    set_deadline 0
    if guard_lives; then signal USR1 "$GUARD_PID" "$GUARD_START"; elif take_mutex; then undo; fi
  fi
  uptime_now
  _cancel_by=$((NOW + 45)) _mine=$S_nonce
  while load_state && [ "$S_nonce" = "$_mine" ]; do
    uptime_now
    [ "$NOW" -lt "$_cancel_by" ] || break
    pause
  done
  [ -f "$D/upgrade" ] || wait_for_guards_end
  if [ -f "$D/upgrade" ]; then rec_text closed ''; else rec_text closed "$(tr '\n' ' ' <"$D/last")"; fi
  answer
}

# rec_final MASTER START: what is true after the last change, read back.
rec_final() {
  local _seen _key _value
  if ! lives "$1" "$2"; then
    pid_in "$S_pidf" && start_of "$PID_TEXT" && set -- "$PID_TEXT" "$START" || set -- '' ''
  fi
  rec_process master "$1" "$2"
  rec_bool poisoned "$POISONED"
  if lives "$S_om" "$S_om_start"; then rec_raw oldGone false; else rec_raw oldGone true; fi
  [ -n "$1" ] || return 0
  # One that others started has sockets of its own.
  case $1 in "$S_om" | "$S_nm") ;; *) L_DEC='' ;; esac
  [ -n "$L_DEC" ] || listeners_of "$1"
  workers_of "$1" "$S_nm"
  # What takes a process of its own, side by side.
  _seen=$(
    (digest_of_process "$1" && printf 'sha=%s\n' "$DIGEST") &
    # shellcheck disable=SC2086
    (accepting_among $WORKERS && set -- $ACCEPTING && printf 'accepting=%s\n' $#) &
    wait
  )
  while IFS='=' read -r _key _value; do
    case $_key in sha) rec_text runningSha256 "$_value" ;; accepting) rec_raw accepting "$_value" ;; esac
  done <<EOF
$_seen
EOF
  # Or it is what was there before, where that was another file already.
  if runs_file "$1" "$S_bin"; then rec_bool diskRuns 1
  else
    inode_of "$S_bin"
    [ "$1" = "$S_om" ] && [ "$INODE" = "$S_path_ino" ]
    rec_bool diskRuns "$((1 - $?))"
  fi
  pid_in "$S_pidf"
  rec_text pidText "$PID_TEXT"
  if [ -e "$S_pidf.oldbin" ]; then rec_raw oldbin true; else rec_raw oldbin false; fi
}

# ------------------------------------------------------------------------------------------------------------- evidence

# rec_errors: serious lines that the new generation wrote since the swap, its master first among its pids, and what was in the
# logs before: who decides takes what is new.
rec_errors() {
  local _pids
  numbers_in "$S_nw"
  # shellcheck disable=SC2086
  set -- $S_nm $NUMBERS
  _pids=$(IFS='|'; echo "$*")
  new_log_lines "$BY_NGINX\\[(emerg|alert|crit)\\] ($_pids)#"
  rec_lines errorLog "$LINES_FOUND"
  [ -n "$LINES_FOUND" ] || return 0
  rec_text newPids "$*"
  # Looked for once, as long as the log is there.
  [ -f "$D/errors" ] || each_log lines_before '' >"$D/errors" 2>/dev/null
  rec_lines errorsBefore "$(cat "$D/errors" 2>/dev/null)"
}

# follow_rotation [DECISION]: USR1 goes to whom the pid file names, so that after a log rotation the old generation would go on
# writing to the file that was moved away.
follow_rotation() {
  # Once for each new file: a master that cannot reopen it would be asked for ever.
  log_was_rotated && [ "$LOG_FILES" != "$ROTATED" ] && may_act "${1-}" || return 0
  ROTATED=$LOG_FILES
  journal reopen-old log "$LOG_PATH"
  signal USR1 "$S_om" "$S_om_start"
}

# evidence: taken before anything is undone.
evidence() {
  new_log_lines '\[(emerg|alert|crit|error|warn)\]|^nginx: |error while loading'
  rec_lines evidenceLog "$LINES_FOUND"
  rec_lines evidenceProcesses "$(both_generations)"
}

# both_generations: one line a process: what it is, and whose child.
both_generations() {
  local _those _told _p
  children_of "$S_om"
  _those="$S_om $CHILDREN"
  children_of "$S_nm"
  _those="$_those $S_nm $CHILDREN"
  generation_of "$S_new_ino"
  numbers_in "$RUNNING"
  # shellcheck disable=SC2086
  roles_of $_those $NUMBERS
  _told=' '
  for _p in $_those $NUMBERS; do
    case $_told in *" $_p "*) continue ;; esac
    _told="$_told$_p "
    start_of "$_p" || continue
    role_in "$_p"
    case $ROLE in leaving) ROLE='worker, shutting down' ;; cache) ROLE='cache process or agent' ;; other | '') ROLE='another process' ;; esac
    printf '%s child of %s: %s\n' "$_p" "$PARENT" "$ROLE"
  done
}

# -------------------------------------------------------------------------------------------------------- conversation

REQUEST_KEYS='pid_file nonce run who kind hand sha256 blake old_version new_version need cover confirm ready drain hold keep dir
encoding size whole module modules test why repair decide probe flags'

# parse_request LINE: ID, VERB and the A_ variables.
parse_request() {
  local _line _field _k
  for _k in $REQUEST_KEYS; do eval "A_$_k=''"; done
  _line=$1$TAB
  ID=${_line%%"$TAB"*} _line=${_line#*"$TAB"}
  VERB=${_line%%"$TAB"*} _line=${_line#*"$TAB"}
  set -f
  IFS=$TAB
  for _field in $_line; do
    _k=${_field%%=*}
    case " $REQUEST_KEYS " in *[[:space:]]"$_k"[[:space:]]*) eval "A_$_k=\${_field#*=}" ;; esac
  done
  IFS=" $TAB$NL"
  set +f
}

run_verb() {
  if [ -n "$A_dir" ]; then
    in_place "$A_dir" || { rec_new; refuse internal "$A_dir is no directory of an instance"; return; }
    D=$A_dir
  fi
  case $VERB in
    facts) verb_facts ;;
    prepare) verb_prepare ;;
    receive) verb_receive ;;
    check) verb_check ;;
    unstage) verb_unstage ;;
    rehearse) verb_rehearse ;;
    begin) verb_begin ;;
    retire) verb_retire ;;
    look) verb_look ;;
    extend) verb_extend ;;
    hold) verb_hold ;;
    adopt) verb_adopt ;;
    release) verb_release ;;
    commit) verb_commit ;;
    rollback) verb_rollback ;;
    cancel) verb_cancel ;;
    *) rec_new; refuse internal "unknown verb" ;;
  esac
}

# read_hello: "nhu1 MARKER".
read_hello() {
  local _hello
  IFS= read -r _hello || return 1
  case $_hello in nhu1"$TAB"*) ;; *) return 1 ;; esac
  parse_request "$_hello"
  MARKER=$VERB ID=0 VERB=hello
}

session() {
  local _request
  trap '' HUP PIPE
  boot_id
  my_uid
  read_hello || exit 64
  ACTOR=$1
  start_of $$
  rec_new
  rec_raw uid "$MY_UID"
  if [ "$2" = elevated ]; then rec_raw elevated true; else rec_raw elevated false; fi
  answer
  while IFS= read -r _request; do
    parse_request "$_request"
    # What follows on standard input is the next request, or a binary: nobody else may read of it.
    case $VERB in receive) run_verb ;; *) run_verb </dev/null ;; esac
    [ "$1" = session ] || break
  done
}

main() {
  case ${1-} in
    session | once) session "$1" "${2-}" ;;
    guard) guard_main "$2" "$3" ;;
    *) printf 'usage: nginx-hot-upgrade session|once|guard\n' >&2; exit 64 ;;
  esac
}

main "$@"