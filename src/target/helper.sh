#!/bin/sh
# shellcheck shell=dash
# Set and read by name through eval (A_, S_): SC2154, SC2034. Lists of /proc and of digests, no odd names: SC2012, SC2013,
# SC2045. `A && B || C` where B cannot fail: SC2015. Titles, not names, are looked for: SC2009.
# shellcheck disable=SC2154,SC2034,SC2012,SC2013,SC2045,SC2015,SC2009
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
ROOM='' BINDS=''
AS='' LOGFILE='' MADE='' SOCKETS="$NL" OM='' OLD_LISTED='' OLD_ADDR='' REPARKED=0 ROTATED='' POISONED=0 OUTCOME='' CHILDREN='' WORKERS='' ACCEPTING='' COVERED=0 L_FD='' L_DEC='' L_HEX='' DECISION='' DECISION_WHY='' NOW=0 PID_TEXT=''
WALL_UP=''
TERM_COUNT=0
EXTENDED_AT=0

# ---------------------------------------------------------------------------------------------------------- records

# json_text TEXT: J becomes the quoted JSON form. Control characters turn into blanks.
json_text() {
  case $1 in
    *[\\\"]* | *[![:print:]]*)
      J=\"$(printf '%s' "$1" | tr '\000-\037\177' ' ' | sed 's/[\\"]/\\&/g')\" ;;
    *) J=\"$1\" ;;
  esac
}

# json_lines TEXT [MOST]: J becomes a JSON array of the lines of TEXT (at most 200 lines of 500 characters).
json_lines() {
  case $1 in
    '') J='[]'; return 0 ;;
    *[\\\"]* | *[!\ -~"$NL"]*) ;;
    *) plain_lines "$1"; return 0 ;;
  esac
  J=[$(printf '%s\n' "$1" | awk -v MOST="${2-200}" '
    NR > MOST || $0 == "" { next }
    { line = substr($0, 1, 500); gsub(/[\001-\037\177]/, " ", line); gsub(/[\\"]/, "\\\\&", line)
      printf "%s\"%s\"", sep, line; sep = "," }')]
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

# refuse REASON SENTENCE: the verb's negative answer, with the fields gathered so far.
refuse() {
  tidy
  [ -z "$OUTCOME" ] || guard_gone
  json_text "$2"
  printf '@%s {"v":%s,"id":%s,"verb":"%s","ok":false,"reason":"%s","message":%s%s}\n' \
    "$MARKER" "$VERSION" "$ID" "$VERB" "$1" "$J" "$REC"
  return 1
}

# --------------------------------------------------------------------------------------------------- time, processes

# UP: seconds as text; NOW: tenths of a second.
uptime_now() {
  local _fraction
  read -r UP _ </proc/uptime
  _fraction=${UP#*.}
  NOW=${UP%.*}${_fraction%"${_fraction#?}"}
  NOW=${NOW#0}
}

# WALL: the wall clock for people, to the second of uptime.
wall_now() {
  [ "${UP%.*}" != "$WALL_UP" ] || return 0
  WALL_UP=${UP%.*}
  WALL=$(date -u +%Y-%m-%dT%H:%M:%SZ)
}

my_uid() { uid_of self; MY_UID=$UID_OF; }

boot_id() { read -r BOOT </proc/sys/kernel/random/boot_id; }

# pause: between two looks; most waits are over in a few milliseconds. Not every sleep knows fractions.
pause() {
  local _tick
  LOOKS=$((LOOKS + 1))
  if [ "$LOOKS" -le 5 ]; then _tick=0.004; elif [ "$LOOKS" -le 50 ]; then _tick=0.01; else _tick=0.05; fi
  sleep "$_tick" 2>/dev/null || sleep 1
}

# start_of PID: START and PARENT of a living process; fails where there is none (a zombie is none).
start_of() {
  local _line
  START='' PARENT=''
  { read -r _line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The name may hold blanks and parentheses: count from behind the last one (proc(5), /proc/pid/stat).
  _line=${_line##*) }
  # shellcheck disable=SC2086
  set -- $_line
  case $1 in Z | X) return 1 ;; esac
  PARENT=$2
  START=${20}
}

# lives PID START: the very process, not one that got its number later.
lives() { [ -n "$1" ] && [ "$1" != 0 ] && start_of "$1" && [ "$START" = "$2" ]; }

# uid_of PID: UID_OF is the user that it runs as (the real one), empty where there is no such process.
uid_of() {
  local _key _real
  UID_OF=''
  while read -r _key _real _; do
    [ "$_key" != Uid: ] || { UID_OF=$_real; return 0; }
  done 2>/dev/null <"/proc/$1/status"
}

# inode_of PATH: INODE is device:inode of what PATH leads to, empty where nothing is there.
inode_of() { INODE=$(stat -L -c %d:%i "$1" 2>/dev/null) || INODE=''; }

children_of() {
  CHILDREN=''
  if [ -e "/proc/$1/task/$1/children" ]; then
    { read -r CHILDREN <"/proc/$1/task/$1/children"; } 2>/dev/null
  else
    CHILDREN=$(awk -v P="$1" '{ sub(/^.*\) /, ""); if ($2 == P && $1 != "Z") { split(FILENAME, f, "/"); print f[3] } }' \
      /proc/[0-9]*/stat 2>/dev/null | tr '\n' ' ')
  fi
}

# title_of PID: TITLE is what the process calls itself. A title of nginx is one string, blank or zero padded.
title_of() {
  TITLE=''
  { IFS= read -r TITLE <"/proc/$1/cmdline"; } 2>/dev/null || :
  TITLE=${TITLE%"${TITLE##*[! ]}"}
}

# processes_of INODE: RUNNING lists every process that runs this very file.
processes_of() {
  RUNNING=''
  [ -n "$1" ] || return 0
  # shellcheck disable=SC2012
  RUNNING=$(stat -L -c '%d:%i %n' /proc/[0-9]*/exe 2>/dev/null | awk -v I="$1" '
    $1 == I { split($2, p, "/"); printf "%s ", p[3] }')
}

# kill_all SIGNAL PID...
kill_all() {
  local _signal _p
  _signal=$1
  shift
  for _p in "$@"; do kill "-$_signal" "$_p" 2>/dev/null; done
}

# ---------------------------------------------------------------------------------------------------- accepting or not

# old_listeners: those of the old master, looked for once: it keeps them until it quits.
old_listeners() {
  if [ "$OLD_LISTED" = "$S_om" ]; then L_FD=$OLD_FD L_DEC=$OLD_DEC L_HEX=$OLD_HEX; return 0; fi
  listeners_of "$S_om"
  OLD_LISTED=$S_om OLD_FD=$L_FD OLD_DEC=$L_DEC OLD_HEX=$L_HEX
}

# listeners_of MASTER: its listening sockets. L_FD: descriptors; L_DEC, L_HEX: inodes; L_ADDR: "inode proto address" lines.
# Reading the kernel's tables takes milliseconds (the hash of a large machine is walked from end to end), so each socket is
# looked up once: SOCKETS holds what is known of it, "inode proto address", or "inode -" where it does not listen.
listeners_of() {
  local _fds _unknown _fd _inode _rest _known
  L_FD='' L_DEC='' L_HEX='' L_ADDR='' _unknown=''
  _fds=$(ls -ln "/proc/$1/fd" 2>/dev/null | awk '
    NF == 11 && $9 ~ /^[0-9]+$/ && $11 ~ /^socket:\[[0-9]+\]$/ { i = $11; gsub(/[^0-9]/, "", i); print $9, i }')
  while read -r _fd _inode; do
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
# new master mostly. What stands in no table may be about to listen: that is not remembered, but of a master at rest.
look_up_sockets() {
  local _left _inode _inodes _kind
  _left=$2
  for _kind in unix tcp tcp6; do
    [ -n "$_left" ] || return 0
    socket_table "$1" "$_left" "$_kind"
    _inodes=$_left _left=''
    for _inode in $_inodes; do
      case $SOCKETS in *"$NL$_inode "*) ;; *) _left="$_left $_inode" ;; esac
    done
  done
  [ "$1" != "$OM" ] || for _inode in $_left; do SOCKETS="$SOCKETS$_inode -$NL"; done
}

# socket_table MASTER INODES KIND
socket_table() {
  [ -r "/proc/$1/net/$3" ] || return 0
  SOCKETS=$SOCKETS$(awk -v W="$2" -v K="$3" '
    BEGIN { n = split(W, w, " "); for (i = 1; i <= n; i++) want[w[i]] = 1 }
    K == "unix" { if ($7 in want) { if ($4 == "00010000") print $7, K, $8; else print $7, "-" } next }
    ($10 in want) { if ($4 == "0A") print $10, K, $2; else print $10, "-" }' "/proc/$1/net/$3")$NL
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
  # shellcheck disable=SC2012,SC2086
  eval "$(ls -ln $_dirs /dev/null 2>/dev/null | awk '
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
  # shellcheck disable=SC2086,SC2012
  LISTENING=$(ls -ln $_paths 2>/dev/null | awk -v L="$L_DEC" '
    BEGIN { n = split(L, l, " "); for (i = 1; i <= n; i++) want["socket:[" l[i] "]"] = 1 }
    NF == 11 && $11 in want { split($9, p, "/"); if (!seen[p[3]]++) printf "%s ", p[3] }')
}

# workers_of MASTER [NOT]: WORKERS are its children but for NOT, a new master.
workers_of() {
  local _c
  children_of "$1"
  WORKERS=''
  for _c in $CHILDREN; do
    [ "$_c" = "${2-}" ] || { start_of "$_c" && WORKERS="$WORKERS $_c"; }
  done
}

# staff_of MASTER: STAFF are its workers, not its cache manager, its cache loader (which ends by itself after a minute) or
# other helpers. Where the title says nothing, it is taken for a worker.
staff_of() {
  local _p
  workers_of "$1" "${2-}"
  STAFF=''
  for _p in $WORKERS; do
    title_of "$_p"
    case $TITLE in *': ca'* | *': pr'* | *': ma'*) ;; *) STAFF="$STAFF $_p" ;; esac
  done
}

# --------------------------------------------------------------------------------------------------- effective settings

# read_directives [ctx=CONTEXT] FILE...: what matters to us of these files, each line once: context TAB name TAB arguments.
# A context is the blocks around a directive, such as http.server. A reader of our own, since `nginx -T` opens logs, creates
# an empty pid file and changes owners (ngx_init_cycle in test mode), and prints secrets. It reads what the master can read.
read_directives() {
  # shellcheck disable=SC2016,SC2086
  $AS awk '
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
    function tell(line) { if (!(line in told)) { told[line] = 1; print line } }
    function directive(   i, line, where) {
      if (n == 0) return
      where = context()
      if (words[1] == "listen") listened[depth] = 1
      else if (words[1] == "include" && !listened[depth]) listened[depth] = 2
      if (matters(where, words[1])) {
        line = where "\t" words[1] "\t"
        # A value in the environment may be a secret.
        if (words[1] == "env") sub(/=.*/, "", words[2])
        for (i = 2; i <= n; i++) { gsub(/[\t\r\n]/, " ", words[i]); line = line (i > 2 ? " " : "") words[i] }
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
    FNR == 1 { base = ctx == "" ? "main" : ctx; depth = n = 0; token = quote = ""; has = 0 }
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

# under BASE PATH: FULL is PATH, made absolute from BASE where it is not.
under() { case $2 in /*) FULL=$2 ;; *) FULL=${1%/}/$2 ;; esac; }

# apply_directives TEXT: sets what its main level says, and gathers all of it in DIRECTIVES. A later line wins only where
# nginx would refuse two anyway.
apply_directives() {
  local _where _name _args
  while IFS=$TAB read -r _where _name _args; do
    case $_where:$_name in
      :) continue ;;
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
    DIRECTIVES="$DIRECTIVES$_where$TAB$_name$TAB$_args$NL"
  done <<EOF
$1
EOF
}

# config_of FILE: reads FILE and what it includes, level by level, into DIRECTIVES and the C_ variables. CONFIG_FILES are
# all files that were read, one a line.
config_of() {
  local _depth _dir _where _pattern _file _text
  # Includes are relative to the directory of the main file (ngx_conf_include, conf_prefix).
  _dir=${1%/*} _depth=0 C_INCLUDE='' CONFIG_FILES=$1$NL
  # What blocks is no configuration.
  [ -f "$1" ] || return 0
  set -- ctx=main "$1"
  while [ $# -gt 0 ] && [ "$_depth" -lt 8 ]; do
    _depth=$((_depth + 1))
    _text=$(read_directives "$@")
    C_INCLUDE=''
    apply_directives "$_text"
    set --
    while IFS=$TAB read -r _where _pattern; do
      [ -n "$_pattern" ] || continue
      under "$_dir" "$_pattern"
      set -- "$@" "ctx=$_where"
      IFS=$NL
      for _file in $FULL; do
        IFS=" $TAB$NL"
        [ -f "$_file" ] && [ -r "$_file" ] || continue
        set -- "$@" "$_file"
      done
      IFS=" $TAB$NL"
    done <<EOF
$C_INCLUDE
EOF
    has_files "$@" || set --
  done
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

# build_flag NAME: FLAG is the value that `nginx -V` shows for --NAME, or empty.
build_flag() {
  FLAG=''
  case " $OLD_V " in *" --$1="*) FLAG=${OLD_V#*" --$1="}; FLAG=${FLAG%% *}; FLAG=${FLAG#\'}; FLAG=${FLAG%\'} ;; esac
}

# command_line MASTER: ARGV0 and the options of the running master, taken from its title.
command_line() {
  local _words _want _w
  title_of "$1"
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

# own_version MASTER: what its file says of itself. Opened by us: its user may not follow the link where the file has
# capabilities, and the name may lead elsewhere by now.
own_version() {
  user_of "$1"
  # shellcheck disable=SC2086
  env -i "PATH=$PATH" $AS /proc/self/fd/9 -V 2>&1 </dev/null 9<"/proc/$1/exe"
}

# survey MASTER: what takes a process of its own to find out, side by side: OLD_V, OLD_SHA, FREE, CWD, EXE, MACHINE, CPUS,
# ABOUT (what the kernel says), PACKAGE, and SHOWN, what systemd says of the unit.
survey() {
  local _replies _sum _text _free
  unit_of "$1"
  uptime_now
  WALL_UP=${UP%.*}
  OLD_V='' OLD_SHA='' FREE=0 CWD=/ MACHINE='' LIBC='' LIBRARIES='' ABOUT='' PACKAGE='' EPOCH=0 SHOWN=''
  count_processors
  # One by one: busybox takes no two.
  EXE=$(readlink "/proc/$1/exe")
  CWD=$(readlink "/proc/$1/cwd") || CWD=/
  _replies=$(
    (one_line "$(own_version "$1")" && printf 'build=%s\n' "$LINE") &
    (_sum=$(sha256sum <"/proc/$1/exe" 2>/dev/null) && printf 'sha=%s\n' "${_sum%% *}") &
    df -Pk "/proc/$1/exe" 2>/dev/null | { read -r _; read -r _ _ _ _free _ && printf 'free=%s\n' "$_free"; } &
    printf 'machine=%s\nlibc=%s\n' "$(uname -m)" "$(getconf GNU_LIBC_VERSION 2>/dev/null)" &
    library_names &
    told_sockets "$1" &
    surroundings "$1" &
    package_of &
    date -u '+wall=%Y-%m-%dT%H:%M:%SZ %s' &
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
      build=*) OLD_V="${_text#*=} " ;;
      sha=*) OLD_SHA=${_text#*=} ;;
      free=*) FREE=${_text#*=} ;;
      machine=*) MACHINE=${_text#*=} ;;
      libc=*) LIBC=${_text#*=} ;;
      libraries=*) LIBRARIES=$LIBRARIES${_text#*=} ;;
      wall=*) WALL=${_text#*=} EPOCH=${WALL#* } WALL=${WALL% *} ;;
      about=*) ABOUT="$ABOUT${_text#*=}$NL" ;;
      package=*) PACKAGE=${_text#*=} ;;
      socket=*) SOCKETS="$SOCKETS${_text#*=}$NL" ;;
      *) SHOWN="$SHOWN$_text$NL" ;;
    esac
  done
  IFS=" $TAB$NL"
  set +f
}

# shown_of UNIT: what systemd says of it. Of variables only the names: what they hold may be secret.
shown_of() {
  systemctl show -p Type -p PIDFile -p MainPID -p ExecStart -p ExecReload -p Restart -p NeedDaemonReload -p LimitNOFILE \
    -p Environment -p EnvironmentFiles -p AmbientCapabilities "$1" 2>/dev/null | awk '
    { fflush() }
    !/^Environment=/ { print; next }
    { n = split(substr($0, 13), words, " "); printf "Environment="
      for (i = 1; i <= n; i++) if (match(words[i], /^["\047]?[A-Za-z_][A-Za-z0-9_]*=/))
        { name = substr(words[i], 1, RLENGTH - 1); sub(/^["\047]/, "", name); printf "%s ", name }
      print "" }'
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
  awk -v M="$1" -v C="$CHILDREN" -v EXE="$EXE" -v LABEL="$_label" -v TASKS="$_tasks" '
    # At once: what fills a buffer would be cut among the lines of others.
    function say(key, value) { if (value != "") { print "about=" key "=" value; fflush() } }
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
        if (match(line, /\/[^ ]*\/lib(jemalloc|tcmalloc|mimalloc|faketime)[^ \/]*$/)) preload[substr(line, RSTART)] = 1
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
  [ -z "$_found" ] || printf 'package=%s\n' "$_found"
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
  while read -r _told; do [ -z "$_told" ] || printf 'socket=%s\n' "$_told"; done <<EOF
$SOCKETS
EOF
}

# settings_of MASTER: what this master runs with: OLD_V, PREFIX, CONF, PIDF, LOGFILE and the C_ variables.
settings_of() {
  command_line "$1"
  survey "$1"
  build_flag prefix
  # Built with an empty one, it is the directory where nginx was started.
  case " $OLD_V" in *" --prefix= "*) FLAG=$CWD ;; esac
  PREFIX=${OPT_P:-${FLAG:-/usr/local/nginx}}
  under "$CWD" "$PREFIX"; PREFIX=$FULL
  build_flag conf-path
  under "$PREFIX" "${OPT_C:-${FLAG:-conf/nginx.conf}}"; CONF=$FULL
  C_PID='' C_USER='' C_DAEMON='' C_MASTER='' C_WORKERS='' C_MUTEX='' C_LOG='' C_LOCK='' DIRECTIVES=''
  user_of "$1"
  config_of "$CONF"
  [ -z "$OPT_G" ] || apply_directives "$(printf '%s;\n' "$OPT_G" | read_directives -)"
  build_flag pid-path
  under "$PREFIX" "${C_PID:-${FLAG:-logs/nginx.pid}}"; PIDF=$FULL
  build_flag error-log-path
  under "$PREFIX" "${C_LOG:-${OPT_E:-${FLAG:-logs/error.log}}}"; LOGFILE=$FULL
}

# ------------------------------------------------------------------------------------------------------------ masters

# all_masters: MASTERS are all processes that call themselves a master, lie in our pid namespace, and are of our own user, or
# of a system service where we are root. FOREIGN lie in other namespaces. STRANGERS are other users': anybody may call a
# process so. What a master names is never run here with more rights than its own.
# Titles may be cut to what argv and environment left room for (ngx_setproctitle), hence the short pattern.
all_masters() {
  local _paths _spaces _mine _p
  MASTERS='' FOREIGN='' _paths=''
  titled_masters
  for _p in $TITLED; do _paths="$_paths /proc/$_p/ns/pid"; done
  # shellcheck disable=SC2086
  _spaces=$(stat -L -c '%i %n' /proc/self/ns/pid $_paths 2>/dev/null)
  _mine=${_spaces%% *}
  STRANGERS=''
  for _p in $TITLED; do
    start_of "$_p" || continue
    uid_of "$_p"
    [ "$UID_OF" = "$MY_UID" ] || of_service "$_p" || { STRANGERS="$STRANGERS $_p"; continue; }
    case $_spaces$NL in
      *"$NL$_mine /proc/$_p/ns/pid$NL"*) MASTERS="$MASTERS $_p" ;;
      # What may not be looked into is no other namespace's for that.
      *" /proc/$_p/ns/pid$NL"*) FOREIGN="$FOREIGN $_p" ;;
      *) MASTERS="$MASTERS $_p" ;;
    esac
  done
}

# of_service PID: under another user it is what a system service with that `User=` was started for, or the other generation of
# it, and its file lies where only root can put one. A cgroup alone proves nothing: users' cron jobs lie in that of cron.
of_service() {
  local _main _user _exe
  [ "$MY_UID" = 0 ] && command -v setpriv >/dev/null || return 1
  unit_of "$1"
  [ -n "$UNIT" ] || return 1
  _main=$(systemctl show -p MainPID -p User "$UNIT" 2>/dev/null)
  _user=${_main##*User=} _main=${_main##*MainPID=}
  _user=${_user%%"$NL"*} _main=${_main%%"$NL"*}
  [ -n "$_user" ] && [ "$(id -u "$_user" 2>/dev/null)" = "$UID_OF" ] || return 1
  start_of "$1" || return 1
  children_of "$1"
  case " $1 $PARENT $CHILDREN " in *" ${_main:-0} "*) ;; *) return 1 ;; esac
  _exe=$(readlink "/proc/$1/exe") && only_root_writes "${_exe%' (deleted)'}"
}

# only_root_writes FILE: it, and all the directories that lead to it. A file that is gone says nothing against its directory.
only_root_writes() {
  local _path
  _path=$1
  set --
  [ ! -e "$_path" ] || set -- "$_path"
  while _path=${_path%/*}; [ -n "$_path" ]; do set -- "$@" "$_path"; done
  set -- "$@" /
  stat -L -c '%u %A' "$@" 2>/dev/null | awk -v N="$#" '
    $1 != 0 || substr($2, 6, 1) == "w" || substr($2, 9, 1) == "w" { bad = 1 }
    END { exit bad || NR != N }'
}

# user_of PID: AS is what runs a program with its user, groups and ambient capabilities; empty where these are ours, and what
# runs nothing where they cannot be told.
user_of() {
  local _key _values _uid _gid _groups _caps _rest _at _digit
  AS=false _uid='' _gid='' _groups='' _caps=''
  while read -r _key _values; do
    case $_key in
      Uid:) _uid=${_values%%[!0-9]*}; [ "$_uid" != "$MY_UID" ] || { AS=''; return 0; } ;;
      Gid:) _gid=${_values%%[!0-9]*} ;;
      Groups:) _groups=$_values ;;
      CapAmb:) _caps=$_values ;;
    esac
  done 2>/dev/null <"/proc/$1/status"
  [ -n "$_uid" ] && [ -n "$_gid" ] || return 1
  # shellcheck disable=SC2086
  set -- $_groups
  if [ $# = 0 ]; then AS="setpriv --reuid=$_uid --regid=$_gid --clear-groups"
  else AS="setpriv --reuid=$_uid --regid=$_gid --groups=$(IFS=,; echo "$*")"; fi
  # Digit by digit: not every shell counts to 64 bits.
  set --
  _at=0
  while [ -n "$_caps" ]; do
    _rest=${_caps%?}
    _digit=$((0x${_caps#"$_rest"})) _caps=$_rest
    [ $((_digit & 1)) = 0 ] || set -- "$@" "+cap_$_at"
    [ $((_digit & 2)) = 0 ] || set -- "$@" "+cap_$((_at + 1))"
    [ $((_digit & 4)) = 0 ] || set -- "$@" "+cap_$((_at + 2))"
    [ $((_digit & 8)) = 0 ] || set -- "$@" "+cap_$((_at + 3))"
    _at=$((_at + 4))
  done
  [ $# = 0 ] || { _caps=$(IFS=,; echo "$*"); AS="$AS --inh-caps=-all,$_caps --ambient-caps=-all,$_caps"; }
}

# titled_masters: TITLED are all processes that call themselves a master.
titled_masters() {
  local _f
  TITLED=''
  for _f in $(grep -lE '^(nginx|angie): ma' /proc/[0-9]*/cmdline 2>/dev/null); do
    _f=${_f#/proc/}
    _f=${_f%/cmdline}
    # grep looks at every argument: a search for a master is none.
    title_of "$_f"
    case $TITLE in 'nginx: ma'* | 'angie: ma'*) TITLED="$TITLED $_f" ;; esac
  done
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

# pid_in FILE: PID_TEXT is the number in FILE, empty, or says that it is none, where it fails.
pid_in() {
  PID_TEXT=''
  [ -f "$1" ] || return 1
  { read -r PID_TEXT <"$1"; } 2>/dev/null || [ -n "$PID_TEXT" ] || return 1
  # It may be a link that another user made, to what only we can read: no word of that gets out.
  case $PID_TEXT in '') return 1 ;; *[!0-9]*) PID_TEXT='(no number)'; return 1 ;; esac
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

# find_root PIDFILE-OR-EMPTY: the same, but always the oldest of a line of masters.
find_root() {
  local _named _p
  OM='' WHY_NOT=''
  all_masters
  roots_among
  if [ -n "$1" ]; then
    if pid_in "$1.oldbin"; then _named=$PID_TEXT; elif pid_in "$1"; then _named=$PID_TEXT; else _named=''; fi
    for _p in $MASTERS; do [ "$_p" != "$_named" ] || OM=$_p; done
    if [ -n "$OM" ]; then start_of "$OM"; case " $MASTERS " in *" $PARENT "*) OM=$PARENT ;; esac; return 0; fi
    # The pid file may be lost while its master lives: a master that would write this very file is the one.
    for _p in $ROOTS; do settings_of "$_p"; [ "$PIDF" != "$1" ] || OM=$_p; done
    [ -n "$OM" ] || WHY_NOT=not-running
    case " $STRANGERS " in *" ${_named:-none} "*) WHY_NOT=master-user ;; esac
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


# --------------------------------------------------------------------------------------------- the instance's directory

# State of one upgrade, kept in D/upgrade as key=value lines and mirrored in S_ variables.
STATE_KEYS='nonce phase kind boot run who since bin work pidf om om_start nm nm_start old_ino path_ino new_ino old_sha new_sha new_blake
old_version new_version modules need cover ow nw unix listen usr2 winch quit confirm ready drain hold keep unit logs cwd as
opt_c opt_p opt_e opt_g'

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
  if [ "$MY_UID" = 0 ]; then D=/var/lib/nginx-hot-upgrade/$_name
  else D=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/nginx-hot-upgrade/$_name; fi
  # Two paths may look the same with their slashes gone: the directory belongs to the first that came.
  while [ -f "$D/instance" ] && { read -r _owner <"$D/instance"; } && [ "$_owner" != "$INSTANCE" ]; do D=${D}_; done
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

save_state() {
  local _text _k
  _text=''
  for _k in $STATE_KEYS; do
    eval "_v=\${S_$_k-}"
    [ -z "$_v" ] || _text="$_text$_k=$_v$NL"
  done
  write_file "$D/upgrade" "$_text"
}

load_state() {
  local _k _v
  for _k in $STATE_KEYS; do eval "S_$_k=''"; done
  [ -f "$D/upgrade" ] || return 1
  while IFS='=' read -r _k _v; do
    case " $STATE_KEYS " in *[[:space:]]"$_k"[[:space:]]*) eval "S_$_k=\$_v" ;; esac
  done <"$D/upgrade"
  [ -n "$S_nonce" ]
}

# value_in FILE KEY: VALUE of one key=value line.
value_in() {
  local _k _v
  VALUE=''
  [ -f "$1" ] || return 0
  while IFS='=' read -r _k _v; do [ "$_k" != "$2" ] || VALUE=$_v; done 2>/dev/null <"$1"
}

# journal EVENT [key value]...: one line for every transition, written before its effect.
journal() {
  local _event _extra
  # A plan leaves nothing behind.
  [ "$S_kind" != plan ] || return 0
  _event=$1
  shift
  _extra=''
  while [ $# -ge 2 ]; do json_text "$2"; _extra="$_extra,\"$1\":$J"; shift 2; done
  uptime_now
  wall_now
  printf '{"at":"%s","up":"%s","nonce":"%s","actor":"%s %s","event":"%s"%s}\n' \
    "$WALL" "$UP" "$S_nonce" "$ACTOR" "$$" "$_event" "$_extra" >>"$D/journal.jsonl"
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

# end_process PID START: stops it first, so that it starts nothing more, then ends its children and itself.
end_process() {
  local _parent _end_by _p
  lives "$1" "$2" || return 0
  _parent=$PARENT
  kill -STOP "$1" 2>/dev/null
  children_of "$1"
  guard_lives || GUARD_PID=''
  for _p in $CHILDREN; do
    case $_p in "$$" | "$GUARD_PID") ;; *) kill -KILL "$_p" 2>/dev/null ;; esac
  done
  kill -KILL "$1" 2>/dev/null
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

read_deadline() { DEADLINE=0; { read -r DEADLINE <"$D/deadline"; } 2>/dev/null; }

guard_lives() {
  local _guard_start
  value_in "$D/guard" boot
  [ "$VALUE" = "$BOOT" ] || return 1
  value_in "$D/guard" start
  _guard_start=$VALUE
  value_in "$D/guard" pid
  GUARD_PID=$VALUE
  lives "$GUARD_PID" "$_guard_start"
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

# guard_choice: KIND of guard that this host allows.
guard_choice() {
  KIND=detached
  [ -d /run/systemd/system ] && command -v systemd-run >/dev/null || return 0
  if [ "$MY_UID" = 0 ]; then KIND=systemd
  # Without lingering, a user's services end with the last login.
  elif [ -e "/var/lib/systemd/linger/$(id -un)" ]; then KIND=systemd-user; fi
}

# launch_guard: as a process outside the login's session and outside nginx's cgroup, with an empty environment.
launch_guard() {
  local _scope
  guard_choice
  case $KIND in systemd) _scope=--system ;; systemd-user) _scope=--user ;; *) _scope='' ;; esac
  if [ -n "$_scope" ] && systemd-run "$_scope" --quiet --no-block --collect --unit="nginx-hot-upgrade-$S_nonce" \
    -p Restart=on-failure -p RestartSec=1 -p OOMScoreAdjust=-900 -p "Description=Guard of a hot upgrade of nginx" \
    /bin/sh "$D/helper" guard "$D" "$KIND" </dev/null >/dev/null 2>&1; then return 0; fi
  if command -v setsid >/dev/null; then
    env -i "PATH=$PATH" setsid /bin/sh "$D/helper" guard "$D" detached </dev/null >/dev/null 2>&1 &
  else
    (trap '' HUP; exec env -i "PATH=$PATH" /bin/sh "$D/helper" guard "$D" detached) </dev/null >/dev/null 2>&1 &
  fi
}

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

# rearm_guard: a service manager starts its guard again by itself; another one is started where none comes back.
rearm_guard() {
  ! guard_lives || return 0
  value_in "$D/guard" kind
  case $VALUE in systemd*) ! wait_for_guard || return 0 ;; esac
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
    [ "$NOW" -lt "$_guard_by" ] || { kill -KILL "$GUARD_PID" 2>/dev/null; rm -f "$D/guard"; return 0; }
    pause
  done
}

# guard_main DIR KIND: a loop of a second; ends when the books are closed.
guard_main() {
  local _sleeper _mine
  D=$1 ACTOR=guard
  trap '' HUP PIPE
  trap 'kill "$_sleeper" 2>/dev/null; tidy; forget_guard; exit 0' TERM INT
  trap 'kill "$_sleeper" 2>/dev/null' USR1
  _sleeper=''
  boot_id
  my_uid
  load_state && [ "$S_boot" = "$BOOT" ] || exit 0
  start_of $$
  write_file "$D/guard" "pid=$$${NL}start=$START${NL}boot=$BOOT${NL}kind=$2"
  _mine=$S_nonce
  while load_state && [ "$S_nonce" = "$_mine" ]; do
    guard_turn
    tidy
    load_state && [ "$S_nonce" = "$_mine" ] || break
    sleep 1 &
    _sleeper=$!
    wait "$_sleeper" 2>/dev/null
  done
  # Whoever closed the books was cut off before the end.
  value_in "$D/lock" nonce
  [ "$VALUE" != "$_mine" ] || clear_books
  forget_guard
  exit 0
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
    commit) take_mutex && load_state && finish_commit ;;
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
    take_mutex && load_state && may_act && forward
    return 0
  fi
  listeners_of "$S_om"
  workers_of "$S_om" "$S_nm"
  # shellcheck disable=SC2086
  accepting_among $WORKERS
  [ -n "$ACCEPTING" ] && [ "$S_winch" = 1 ] || return 0
  take_mutex && may_act || return 0
  journal rewinch workers "$ACCEPTING"
  if lives "$S_nm" "$S_nm_start" && lives "$S_om" "$S_om_start"; then kill -WINCH "$S_om"; fi
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
      case " $S_ow " in *" $_c "*) continue ;; esac
      runs_new "$_c" && start_of "$_c" && S_nm=$_c S_nm_start=$START
    done
  fi
  lives "$S_nm" "$S_nm_start" && NM_LIVES=1
  return 0
}

# runs_new PID: without starting a process, as long as the file has its name in the working directory.
runs_new() {
  if [ -e "$S_work/new" ]; then [ "/proc/$1/exe" -ef "$S_work/new" ]; return; fi
  inode_of "/proc/$1/exe"
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
    for _c in $CHILDREN; do
      case " $S_ow " in *" $_c "*) continue ;; esac
      title_of "$_c"
      case $TITLE in *': ma'*) _child=$_c ;; esac
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

# is_stub: at the binary's path is a stub of ours.
is_stub() { [ -e "$S_work/stub" ] && [ "$S_bin" -ef "$S_work/stub" ]; }

# put_old: the old binary is at its path again, and so are the modules that go with it. Never overwrites a file that is not
# ours.
put_old() { put_old_binary && each_module module_back; }

put_old_binary() {
  [ -n "$S_work" ] && [ -e "$S_work/old" ] || return 0
  [ -L "$S_bin" ] || ! [ "$S_bin" -ef "$S_work/old" ] || return 0
  path_is_ours || return 1
  # A second name first: renaming over the last one would destroy the inode that runs.
  [ ! -e "$S_work/back" ] || rm -f "$S_work/back"
  ln "$S_work/old" "$S_work/back" && mv -f "$S_work/back" "$S_bin"
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
  for _p in $WORKERS; do
    title_of "$_p"
    case $TITLE in
      *'shutting down'*) ;;
      *': wo'*) case " $S_ow " in *" $_p "*) STAYING="$STAYING $_p" ;; *) FRESH="$FRESH $_p" ;; esac ;;
    esac
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
      kill -HUP "$S_om"
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
      kill -QUIT "$S_nm"
      gone_within "$S_drain" "$S_nm" "$S_nm_start" || { kill -TERM "$S_nm"; gone_within 30 "$S_nm" "$S_nm_start"; }
    else
      kill -TERM "$S_nm"
      gone_within 5 "$S_nm" "$S_nm_start"
    fi
    lives "$S_nm" "$S_nm_start" && kill -KILL "$S_nm"
    gone_within 50 "$S_nm" "$S_nm_start"
  fi
  sweep_new
}

# sweep_new: workers of a killed master go on accepting as orphans. The staged file is this upgrade's own, so whoever
# runs its inode descends from it.
sweep_new() {
  local _quit_by _asked
  uptime_now
  _quit_by=$((NOW + S_drain)) _asked=''
  processes_of "$S_new_ino"
  while [ -n "$RUNNING" ]; do
    may_act rollback || return 1
    uptime_now
    # shellcheck disable=SC2086
    if [ "$NOW" -ge "$_quit_by" ]; then kill_all KILL $RUNNING
    elif [ "$_asked" != "$RUNNING" ]; then kill_all QUIT $RUNNING; _asked=$RUNNING; fi
    [ "$NOW" -lt $((_quit_by + 50)) ] || return 1
    go_on_waiting
    pause
    processes_of "$S_new_ino"
  done
}

# pid_file_is PID [TENTHS]: waits until nginx itself has put the name back; repairs it after that.
pid_file_is() {
  local _pid_by
  uptime_now
  _pid_by=$((NOW + ${2:-30}))
  until pid_in "$S_pidf" && [ "$PID_TEXT" = "$1" ] && [ ! -e "$S_pidf.oldbin" ]; do
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

# at_pid_file SCRIPT [ARG]: with the rights of the master, whose user may own the directory and must not choose what is written
# or removed with ours. $1 is the pid file there, $2 ARG.
at_pid_file() {
  # shellcheck disable=SC2086
  env -i "PATH=$PATH" ${S_as:+timeout 5} $S_as /bin/sh -c "$1" at "$S_pidf" "${2-}" </dev/null 2>/dev/null
}

# undo: back to the old generation, from whatever state. OUTCOME: untouched, rolled-back, committed, changed-by-others,
# outage. Needs no new bytes: links and renames only.
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
  if [ "$OM_LIVES" = 0 ] && [ "$NM_LIVES" = 1 ]; then forward; return; fi
  if ! put_old; then close_books changed-by-others "another file is at $S_bin"; return 1; fi
  # A rehearsal changes nothing that serves: whoever ended the master meanwhile meant it.
  if [ "$OM_LIVES" = 0 ] && [ "$S_usr2" = stub ]; then close_books untouched "$DECISION_WHY"; return 0; fi
  if [ "$OM_LIVES" = 0 ]; then rescue; return; fi
  set_deadline "$S_confirm"
  if old_serves && end_new && pid_file_is "$S_om"; then
    ! is_poisoned || heal
    follow_rotation rollback
    close_books rolled-back "$DECISION_WHY"
  elif lives "$S_om" "$S_om_start"; then
    may_act rollback || return 1
    # Not finished: the guard tries again in five seconds.
    journal stuck accepting "$ACCEPTING" workers "$WORKERS"
    set_deadline 50
    return 1
  else
    rescue
  fi
}


# is_poisoned: USR2 led to no new process, and nginx says why. A rename or a fork that fails leaves the master with a new binary of
# -1 (ngx_exec_new_binary, ngx_spawn_process): it would never reload again, and each HUP would add a set of workers.
is_poisoned() {
  [ -n "$S_usr2" ] && [ -z "$S_nm" ] || return 1
  new_log_lines 'rename\(\) .* failed .*before executing new binary|fork\(\) failed while spawning "new binary|processes can be spawned'
  [ -n "$LINES_FOUND" ]
}

# heal: a child that ends at once is all that such a master needs: it reaps it and forgets. What hindered the first must be gone.
heal() {
  local _by _last _sign _logs _over
  POISONED=1
  journal poisoned why "$LINES_FOUND"
  pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_om" ] && [ ! -d "$S_pidf.oldbin" ] && path_is_ours || return 0
  write_stub 'exit 1' || return 0
  _sign=$(stat -c '%z %i' "$S_pidf") _logs=$S_logs
  logs_from_here
  if may_act rollback && mv -f "$S_work/stub.link" "$S_bin"; then
    kill -USR2 "$S_om"
    uptime_now
    _by=$((NOW + 20)) _last=$((NOW + S_ready))
    # Renamed there and back again: its ctime tells.
    _over=1
    until [ ! -e "$S_pidf.oldbin" ] && [ "$(stat -c '%z %i' "$S_pidf" 2>/dev/null)" != "$_sign" ]; do
      uptime_now
      [ "$NOW" -lt "$_by" ] || { [ "$NOW" -lt "$_last" ] && usr2_pending; } || { _over=0; break; }
      pause
    done
    [ "$_over" = 0 ] || is_poisoned || { POISONED=0; journal healed; }
  fi
  S_logs=$_logs
  put_old
}

# forward: the old master is gone and the new one lives: nothing to go back to. Where it serves, the books follow the
# truth; where it does not within ready-timeout, only a cold start is left.
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
  local _remains _held _left _path _p _inode
  processes_of "$S_new_ino"
  _remains=$RUNNING
  # The old file may be another instance's as well: only who holds our sockets is of ours.
  processes_of "$S_old_ino"
  for _p in $RUNNING; do
    _held=$(ls -ln "/proc/$_p/fd" 2>/dev/null)
    for _inode in $S_listen; do
      case $_held in *"socket:[$_inode]"*) _remains="$_remains $_p"; break ;; esac
    done
  done
  # shellcheck disable=SC2086
  kill_all KILL $_remains
  # A listening unix socket that nobody holds any more would make the start fail with "address in use".
  _left=$S_unix
  while [ -n "$_left" ]; do
    _path=${_left%%"|"*} _left=${_left#*"|"}
    if [ -S "$_path" ] && ! grep -qF " $_path" /proc/net/unix; then rm -f "$_path"; fi
  done
}

# rescue: nobody is left. Ends what still holds the sockets, puts the old binary back and starts it the way the host does.
rescue() {
  local _outcome
  read_decision
  may_act "$DECISION" || return 1
  journal outage
  # An old master that still drains would delete the pid file of the one that is started now.
  if lives "$S_om" "$S_om_start"; then
    kill -TERM "$S_om"
    gone_within 20 "$S_om" "$S_om_start" || kill -KILL "$S_om"
    gone_within 20 "$S_om" "$S_om_start"
  fi
  end_remains
  put_old
  at_pid_file "$DROP_BOTH"
  may_act "$DECISION" || return 1
  # A start may take longer than the guard waits for a sign of life.
  set_deadline 1200
  if [ -n "$S_unit" ] && command -v systemctl >/dev/null; then
    systemctl reset-failed "$S_unit" 2>/dev/null
    systemctl restart "$S_unit" 2>/dev/null
  else
    as_master "$S_bin" >/dev/null 2>&1
  fi
  _outcome=outage
  pid_in "$S_pidf" && start_of "$PID_TEXT" || _outcome=down
  close_books "$_outcome" "$DECISION_WHY"
}

# close_books OUTCOME WHY: nothing of ours stays but journal, decision, last and the retained binaries. In an order that
# lets the guard, or the next run, do the same again wherever this is cut off.
close_books() {
  OUTCOME=$1
  journal closed outcome "$1" why "${2-}"
  if [ "$S_kind" = plan ]; then rm -f "$D/decision"
  else write_file "$D/last" "nonce=$S_nonce${NL}outcome=$1${NL}why=${2-}"; fi
  each_module module_room_gone
  # Never while the path still leads in there.
  case $([ ! -L "$S_bin" ] || readlink "$S_bin") in
    "${S_work:-none}"/*) clear_books ;;
    *) if is_stub; then clear_books; else clear_books "$S_work"; fi ;;
  esac
  # Told now, waited for by guard_gone: it needs a moment.
  # The word of one that died is of no use to anybody.
  if ! guard_lives; then rm -f "$D/guard"
  elif [ "$GUARD_PID" != $$ ]; then kill -TERM "$GUARD_PID" 2>/dev/null; fi
  return 0
}

# clear_books [WORK]: the lock goes last; while it stands nobody else begins here.
clear_books() { rm -rf ${1+"$1"} "$D/upgrade" "$D/errors" "$D/reserve" "$D/deadline" "$D/helper" "$D/actor" "$D"/*.new.[0-9]* "$D/lock"; }

# as_master FILE [ARG]...: runs FILE as the running master was run: its user, options and directory, an almost empty environment.
as_master() {
  local _program
  _program=$1
  shift
  [ -z "$S_opt_c" ] || set -- -c "$S_opt_c" "$@"
  [ -z "$S_opt_p" ] || set -- -p "$S_opt_p" "$@"
  [ -z "$S_opt_e" ] || set -- -e "$S_opt_e" "$@"
  [ -z "$S_opt_g" ] || set -- -g "$S_opt_g" "$@"
  # shellcheck disable=SC2086
  (
    cd "${S_cwd:-/}" || exit 1
    [ -n "$ROOM" ] || exec env -i "PATH=$PATH" $S_as "$_program" "$@" </dev/null
    BINDS=$BINDS exec $ROOM /bin/sh -c "$FURNISH" room env -i "PATH=$PATH" $S_as "$_program" "$@" </dev/null
  )
}

# ------------------------------------------------------------------------------------------------------------- modules

# Dynamic modules go with their binary as one set. S_modules lists their paths, each with "|" behind it. Beside each lies a
# directory of ours: NAME.new is what replaces it, NAME.old and NAME.kept are second names of the old one and of the new
# one, so that no rename destroys either, NAME.link takes the path for the start of the new master.

# each_module ACTION: ACTION PATH BASE for every one, where BASE begins our own names for it. Ends at the first that fails.
each_module() {
  local _modules _path
  _modules=$S_modules
  while [ -n "$_modules" ]; do
    _path=${_modules%%"|"*} _modules=${_modules#*"|"}
    "$1" "$_path" "${_path%/*}/.nginx-hot-upgrade-$S_nonce/${_path##*/}" || return 1
  done
}

module_of_root() { only_root_writes "$1"; }

module_room() { [ -d "${2%/*}" ] || mkdir "${2%/*}"; }

module_open() { chmod 711 "${2%/*}"; }

# The room is shared by all modules of a directory.
module_room_gone() { [ ! -d "${2%/*}" ] || [ -L "$1" ] || rm -rf "${2%/*}"; }

module_names() {
  [ -e "$2.old" ] || ln "$1" "$2.old" || return 1
  [ -e "$2.kept" ] || ln "$2.new" "$2.kept" || return 1
  [ ! -L "$2.link" ] && [ ! -e "$2.link" ] || return 0
  if confined "$S_om"; then ln "$2.new" "$2.link"; else ln -s "$2.new" "$2.link"; fi
}

module_swap() { may_act && mv -f "$2.link" "$1"; }

module_back() {
  [ -e "$2.old" ] || return 0
  [ -L "$1" ] || ! [ "$1" -ef "$2.old" ] || return 0
  module_is_ours "$@" || return 1
  [ ! -e "$2.back" ] || rm -f "$2.back"
  ln "$2.old" "$2.back" && mv -f "$2.back" "$1"
}

module_is_ours() { [ ! -e "$1" ] || [ "$1" -ef "$2.old" ] || [ "$1" -ef "$2.new" ] || [ "$1" -ef "$2.kept" ]; }

# sync_new: the new files are on the disk. Fails where sync takes no names.
sync_new() { sync "$S_work/new" 2>/dev/null && each_module module_sync; }

module_sync() { sync "$2.new" 2>/dev/null; }

module_install() {
  [ -e "$2.new" ] || return 0
  module_is_ours "$@" && mv -f "$2.new" "$1"
}

# module_retain: into KEEPING, with its path in a list.
module_retain() {
  ln "$2.old" "$KEEPING/${1##*/}" 2>/dev/null || cp -p "$2.old" "$KEEPING/${1##*/}" || return 1
  printf '%s\n' "$1" >>"$KEEPING/paths"
}

# module_fetch: out of KEEPING.
module_fetch() { cp -p "$KEEPING/${1##*/}" "$2.new"; }

# kept_modules SHA: S_modules as they went with that retained binary.
kept_modules() {
  local _path
  S_modules='' KEEPING=$D/retained/$1.modules
  [ -f "$KEEPING/paths" ] || return 0
  while IFS= read -r _path; do S_modules="$S_modules$_path|"; done <"$KEEPING/paths"
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

# test_config: `nginx -t` of the staged binary. Where modules go with it, in a mount namespace of its own in which they lie
# at their paths already: on the disk they are still the old ones. Exit code 125 where no such namespace can be had.
test_config() {
  local _status
  if [ -n "$S_modules" ]; then
    ROOM='unshare -m'
    $ROOM true 2>/dev/null || ROOM='unshare --map-current-user -m'
    $ROOM true 2>/dev/null || { ROOM=''; return 125; }
    BINDS=''
    each_module module_bind
  fi
  as_master "$S_work/new" -t
  _status=$?
  ROOM='' BINDS=''
  return "$_status"
}

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
    kill -QUIT "$S_om"
    remember_previous
    drain_old
    lives "$S_nm" "$S_nm_start" || { turn_back new-master-died; return 1; }
  fi
  # A master that was killed took its second pid file along as little as its workers.
  if [ "$OM_LIVES" = 0 ] && pid_in "$S_pidf.oldbin" && [ "$PID_TEXT" = "$S_om" ]; then at_pid_file "$DROP_OLDBIN"; fi
  quit_orphans
  [ "$S_quit" = 1 ] || remember_previous
  wait "$SYNCING" 2>/dev/null
  close_books committed "$DECISION_WHY"
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
  # Read-only or immutable by now: nothing was sent yet that could not be taken back.
  mv -f "$S_work/new" "$S_bin" || { turn_back install-failed; return 1; }
  # Until it is on the disk, a power cut leads back to the old version, which is kept for that long.
  sync "${S_bin%/*}" 2>/dev/null &
  SYNCING=$!
}

# new_stands: the new master with workers, told without starting a process.
new_stands() {
  lives "$S_nm" "$S_nm_start" || return 1
  count_gone
  [ "$KEPT" != 0 ] || enough_accept
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
  local _p
  [ "$OM_LIVES" = 0 ] || return 0
  for _p in $S_ow; do
    start_of "$_p" || continue
    inode_of "/proc/$_p/exe"
    [ "$INODE" != "$S_old_ino" ] || { start_of "$_p" && [ "$PARENT" != "$S_om" ] && kill -QUIT "$_p"; }
  done
}

# retain_old: the previous binary, named by its digest; a link where the file systems allow it.
retain_old() {
  retain_modules
  [ ! -e "$D/retained/$S_old_sha" ] || return 0
  # Where a package replaced the file on disk, the one that runs is the one to keep.
  if [ "$S_path_ino" != "$S_old_ino" ]; then
    cp "/proc/$S_om/exe" "$D/retained/.$S_old_sha" && mv -f "$D/retained/.$S_old_sha" "$D/retained/$S_old_sha"
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
    { cp -p "$S_work/old" "$D/retained/.$S_old_sha" && mv -f "$D/retained/.$S_old_sha" "$D/retained/$S_old_sha"; }
}

# remember_previous: what a later `rollback` goes back to, and which of the older binaries may go.
remember_previous() {
  local _kept _old
  if [ "$S_kind" = reverse ]; then rm -f "$D/previous"
  else write_file "$D/previous" "sha=$S_old_sha${NL}version=$S_old_version${NL}replaced_by=$S_new_sha"; fi
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
  for _p in $ROOTS $FOREIGN $STRANGERS; do title_of "$_p"; _seen="$_seen${_seen:+; }$_p $TITLE"; done
  rec_text masters "$_seen"
}

facts_master() {
  local _signals _key _value
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
  title_of "$OM"
  rec_text title "$TITLE"
  rec_text argv0 "$ARGV0"
  under "$CWD" "$ARGV0"
  real_path "$FULL"
  BIN=$REAL
  rec_text cwd "$CWD"
  rec_text path "$BIN"
  rec_text exe "$EXE"
  rec_text sha256 "$OLD_SHA"
  rec_raw diskFreeKb "$FREE"
  rec_text machine "$MACHINE"
  rec_raw cpus "$CPUS"
  rec_text libc "$LIBC"
  rec_text libraries "$LIBRARIES"
  path_nginx
  read_inodes "/proc/$OM/exe" "$BIN" "/proc/$OM/ns/mnt" /proc/self/ns/mnt "${BIN%/*}" "/proc/$OM/root${BIN%/*}" "$PATH_NGINX"
  OLD_INO=$INODE_1 PATH_INO=$INODE_2
  shared_with
  rec_text sharedWith "$SHARED"
  rec_text exeInode "$OLD_INO"
  rec_text pathInode "$INODE_2"
  [ "$INODE_3" = "$INODE_4" ]
  rec_bool sameMounts "$((1 - $?))"
  # What we put beside the binary has to lie there for the master, too. What may not be looked into is taken for the same.
  [ -z "$INODE_6" ] || [ "$INODE_5" = "$INODE_6" ]
  rec_bool sameRoot "$((1 - $?))"
  [ -z "$INODE_7" ] || [ "$INODE_7" != "$INODE_1" ] || PATH_NGINX=''
  rec_text package "$PACKAGE"
  rec_lines about "$ABOUT"
  # What runs is a program; anything else at the path must show what it is.
  if [ "$INODE_1" = "$INODE_2" ]; then rec_text magic 7f454c46
  else rec_text magic "$(od -An -tx1 -N4 "$BIN" 2>/dev/null)"; fi
  rec_text build "$OLD_V"
  _signals=''
  while read -r _key _value _; do
    case $_key in
      Uid:) rec_raw masterUid "$_value" ;;
      SigBlk: | SigCgt:) _signals="$_signals$_key$_value " ;;
    esac
  done <"/proc/$OM/status"
  rec_text signals "$_signals"
  # To root only an immutable file or a read-only file system says no.
  if [ -w "${BIN%/*}" ] && { [ "$MY_UID" != 0 ] || [ ! -e "$BIN" ] || [ -w "$BIN" ]; }; then rec_raw pathWritable true
  else rec_raw pathWritable false; fi
}

# path_nginx: PATH_NGINX is what people start who only say `nginx`.
path_nginx() {
  local _rest
  PATH_NGINX='' _rest=$PATH:
  while [ -n "$_rest" ]; do
    if [ -x "${_rest%%:*}/nginx" ]; then PATH_NGINX=${_rest%%:*}/nginx; return 0; fi
    _rest=${_rest#*:}
  done
}

# shared_with: SHARED are the other masters that run the very same file.
shared_with() {
  local _paths _p
  SHARED='' _paths=''
  for _p in $ROOTS; do
    case $_p in "$OM" | "$DRAINING") ;; *) _paths="$_paths /proc/$_p/exe" ;; esac
  done
  [ -n "$_paths" ] || return 0
  # shellcheck disable=SC2086
  for _p in $(stat -L -c '%d:%i=%n' $_paths 2>/dev/null); do
    [ "${_p%%=*}" != "$OLD_INO" ] || { _p=${_p#*=/proc/}; SHARED="$SHARED${SHARED:+, }${_p%/exe}"; }
  done
}

# read_inodes PATH...: INODE_1, INODE_2 ... of what the paths lead to, empty where nothing is there.
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
  pid_in "$PIDF"
  if [ -e "$PIDF" ]; then rec_text pidText "$PID_TEXT"; else rec_raw pidText null; fi
  if [ -d "$PIDF.oldbin" ]; then rec_text oldbin directory
  elif [ -e "$PIDF.oldbin" ]; then pid_in "$PIDF.oldbin"; rec_text oldbin "$PID_TEXT"
  else rec_raw oldbin null; fi
  # As the master sees it: a unit may have made it read-only for it alone.
  _root=/proc/$OM/root
  [ -e "$_root${PIDF%/*}" ] || _root=''
  # shellcheck disable=SC2086
  if [ -w "$_root${PIDF%/*}" ] && $AS test -w "${PIDF%/*}"; then rec_raw pidDirWritable true; else rec_raw pidDirWritable false; fi
  facts_files
}

# facts_files: of the files that the new master would read, what says more than their directives.
facts_files() {
  local _replies _text
  rec_raw epoch "$EPOCH"
  rec_raw uptime "$WALL_UP"
  NEWEST='' KEYS='' OTHER_V='' CAPS=''
  _replies=$(
    newest_config &
    encrypted_keys &
    if [ -n "$PATH_NGINX" ]; then printf 'other=%s\n' "$(env -i "PATH=$PATH" "$PATH_NGINX" -v 2>&1 </dev/null)"; fi &
    printf 'caps=%s\n' "$(getcap "$BIN" 2>/dev/null)" &
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
  rec_text newestConfig "$NEWEST"
  rec_lines encryptedKeys "$KEYS"
  rec_text fileCapabilities "${CAPS#"$BIN "}"
  rec_text pathNginx "$PATH_NGINX"
  rec_text pathNginxVersion "$OTHER_V"
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
    [ "${_time:-0}" -le "$_newest" ] || _newest=$_time _which=$_file
  done <<EOF
$(stat -L -c '%Y %n' -- "$@" 2>/dev/null)
EOF
  printf 'newest=%s %s\n' "$_newest" "$_which"
}

# encrypted_keys: files of private keys that want a passphrase. Paths start at the directory of the configuration
# (ngx_conf_full_name); what is no file is not looked at.
encrypted_keys() {
  local _path
  case $DIRECTIVES in *"${TAB}ssl_certificate_key$TAB"*) ;; *) return 0 ;; esac
  printf '%s' "$DIRECTIVES" | awk -F "$TAB" '
    $2 == "ssl_certificate_key" && $3 !~ /[$]|^(data|engine|store):/ && !seen[$3]++ { print $3 }' |
    while IFS= read -r _path; do
      under "${CONF%/*}" "$_path"
      _path=$FULL
      [ -f "$_path" ] || continue
      # shellcheck disable=SC2086
      ! $AS grep -qsE '^Proc-Type: 4,ENCRYPTED|^-----BEGIN ENCRYPTED' "$_path" || printf 'key=%s\n' "$_path"
    done
}

# loaded_modules: MODULES are the files behind `load_module`, one a line; relative ones start at the prefix (ngx_load_module).
loaded_modules() {
  local _name _file
  MODULES=''
  case $DIRECTIVES in *"main${TAB}load_module$TAB"*) ;; *) return 0 ;; esac
  while IFS=$TAB read -r _ _name _file; do
    [ "$_name" = load_module ] || continue
    under "$PREFIX" "$_file"
    real_path "$FULL"
    MODULES="$MODULES$REAL$NL"
  done <<EOF
$DIRECTIVES
EOF
}

# A child is told by its inode, its title and what it accepts: a new master, a worker, a helper process.
facts_children() {
  local _all _paths _inodes _list _takes _same _held _c
  listeners_of "$OM"
  json_lines "$L_ADDR"
  rec_raw listeners "$J"
  children_of "$OM"
  _all=$CHILDREN
  # shellcheck disable=SC2086
  accepting_among $_all
  _paths=''
  for _c in $_all; do _paths="$_paths /proc/$_c/exe"; done
  # shellcheck disable=SC2086
  _inodes=${_paths:+$(stat -L -c '%d:%i=%n' $_paths 2>/dev/null)}
  _list=''
  for _c in $_all; do
    start_of "$_c" || continue
    title_of "$_c"
    case " $ACCEPTING " in *" $_c "*) _takes=true ;; *) _takes=false ;; esac
    case $NL$_inodes$NL in *"$NL$OLD_INO=/proc/$_c/exe$NL"*) _same=true ;; *) _same=false ;; esac
    case " $WATCHED " in *" $_c="*) _held=${WATCHED#*" $_c="} _held=${_held%% *} ;; *) _held=0 ;; esac
    json_text "$TITLE"
    _list="$_list,{\"pid\":$_c,\"startTime\":\"$START\",\"title\":$J,\"accepting\":$_takes,\"sameFile\":$_same,\"watched\":$_held}"
  done
  rec_raw children "[${_list#,}]"
}

# unit_of MASTER: UNIT is the service in whose cgroup it lies, if any.
unit_of() {
  UNIT=''
  while IFS=: read -r _ _controllers _group; do
    case $_controllers in '' | name=systemd) case $_group in */user@*) ;; *.service) UNIT=${_group##*/} ;; esac ;; esac
  done 2>/dev/null <"/proc/$1/cgroup"
  command -v systemctl >/dev/null || UNIT=''
}

# real_path FILE: REAL is its absolute path without links.
real_path() {
  if [ -L "$1" ]; then REAL=$(readlink -f "$1" 2>/dev/null) || REAL=$1; return; fi
  REAL=$(cd -P "${1%/*}/" 2>/dev/null && pwd -P) || { REAL=$1; return; }
  REAL=${REAL%/}/${1##*/}
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
  rec_raw unit "{\"name\":$_name,\"properties\":$J}"
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
  facts_host
  if [ -n "$OM" ]; then
    settings_of "$OM"
    facts_master
    facts_unit
    facts_config
    facts_children
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
  local _missing _k
  rec_new
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
    guard_lives || start_guard
    answer
    return
  fi
  [ ! -e "$D/decision" ] || rm -f "$D/decision"
  for _k in $STATE_KEYS; do eval "S_$_k=''"; done
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
  S_om_start=$START
  [ -z "$A_modules" ] || S_modules=$A_modules
  [ "$S_kind" != reverse ] || kept_modules "$S_new_sha"
  user_of "$OM" || { clear_books; refuse changed-by-others "the master $OM is gone"; return; }
  S_as=$AS
  if [ -n "$S_as" ] && ! { only_root_writes "$BIN" && each_module module_of_root; }; then
    clear_books
    refuse changed-by-others "others than root can write to the directory of $BIN, or of a module: nothing is put there with root's rights"
    return
  fi
  S_work=${BIN%/*}/.nginx-hot-upgrade-$S_nonce
  [ -f "$D/instance" ] || write_file "$D/instance" "$INSTANCE"
  printf '%65536s' '' 2>/dev/null >"$D/reserve"
  save_state || { clear_books; refuse internal "cannot write $D/upgrade"; return; }
  journal prepare run "$S_run" who "$S_who" old "$S_old_sha" new "$S_new_sha"
  if [ "$A_repair" = yes ] && [ "$S_kind" != plan ] && [ ! -e "$S_pidf" ]; then write_pid_file "$OM"; fi
  if ! mkdir "$S_work" || ! each_module module_room; then
    close_books untouched 'no working directory'
    refuse internal "cannot create $S_work, or one like it beside the modules"
    return
  fi
  # A master of another user must reach the staged file through this directory.
  [ -z "$S_as" ] || { chmod 711 "$S_work"; each_module module_open; }
  start_guard
  rec_text work "$S_work"
  answer
}

# take_lock: exclusively; a lock whose owner is gone and left nothing to do is replaced.
take_lock() {
  uptime_now
  wall_now
  LOCK="nonce=$A_nonce${NL}who=$A_who${NL}run=$A_run${NL}since=$WALL"
  create_file "$D/lock" "$LOCK" && return 0
  value_in "$D/lock" nonce
  [ "$VALUE" != "$A_nonce" ] || return 0
  if guard_lives || actor_lives || [ -f "$D/upgrade" ]; then
    refuse locked "$(tr '\n' ' ' <"$D/lock")"
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
  [ ! -f "$PART" ] || rm -f "$PART"
  choose_hasher
  [ -z "$A_module" ] || choose_hasher "$A_sha256" "$A_blake"
  case $A_encoding in
    gzip) _sum=$(counted_input "$A_size" | unpacked | tee "$PART" 2>/dev/null | $HASHER) ;;
    *) _sum=$(counted_input "$A_size" | tee "$PART" 2>/dev/null | $HASHER) ;;
  esac
  [ "$PART" != /dev/null ] || { refuse changed-by-others "this upgrade ($A_nonce) is not prepared here"; return; }
  is_whole "${_sum%% *}" "$A_whole" && take_over_metadata || return
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
  _size=$(stat -c %s "$PART")
  [ "$1:$_size" != "$EXPECTED:$2" ] || return 0
  rm -f "$PART"
  refuse upload-failed "of $2 bytes with the digest $EXPECTED, $_size arrived with the digest $1; $(df -Pk "$S_work" | awk 'NR == 2 { print $4 }') KiB are free"
}

# fetch_retained: the binary to go back to lies here already; it is copied, since what is at the path must not be the kept
# file itself.
fetch_retained() {
  local _sum _kept
  DEST=$S_work/new MODEL=$S_bin PART=$S_work/new.part _kept=$D/retained/$S_new_sha
  choose_hasher
  _sum=$(tee "$PART" <"$_kept" | $HASHER)
  KEEPING=$_kept.modules
  is_whole "${_sum%% *}" "$(stat -c %s "$_kept")" && take_over_metadata && each_module module_fetch
}

# choose_hasher [SHA256 BLAKE2]: HASHER and what it must say, of the binary where nothing else is meant. b2sum takes a third of
# the time; not every base system has it.
choose_hasher() {
  HASHER=sha256sum EXPECTED=${1-$S_new_sha}
  if [ -n "${2-$S_new_blake}" ] && command -v b2sum >/dev/null; then HASHER=b2sum EXPECTED=${2-$S_new_blake}; fi
}

# module_dest PATH BASE: where a module with the name of the one that is asked for goes.
module_dest() { [ "$1" != "$A_module" ] || DEST=$2.new MODEL=$1; }

# take_over_metadata: owner, mode, label and capabilities of the present file.
take_over_metadata() {
  # Owner, mode, access list, label, capabilities: all at once where cp can, by hand where it cannot.
  if cp --attributes-only --preserve=mode,ownership,xattr "$MODEL" "$PART" 2>/dev/null; then
    if [ -d /sys/fs/selinux ]; then chcon "--reference=$MODEL" "$PART" 2>/dev/null; fi
  else
    metadata_by_hand || return 1
  fi
  mv -f "$PART" "$DEST"
}

metadata_by_hand() {
  local _owner _mode _caps
  _owner=$(stat -c '%u:%g %a' "$MODEL") || { refuse changed-by-others "$MODEL is gone"; return 1; }
  _mode=${_owner#* } _owner=${_owner% *}
  if [ "$MY_UID" = 0 ]; then chown "$_owner" "$PART"; fi
  chmod "$_mode" "$PART" || { refuse upload-failed "cannot set mode $_mode on $PART"; return 1; }
  if ! command -v getcap >/dev/null; then return 0; fi
  _caps=$(getcap "$MODEL" 2>/dev/null)
  [ -z "$_caps" ] || setcap "${_caps##* }" "$PART" || { refuse upload-failed "cannot set ${_caps##* } on $PART"; return 1; }
}

# verb_check: what the staged file says of itself here and (where asked) of the configuration.
verb_check() {
  local _output _exit
  rec_new
  load_state && [ "$S_nonce" = "${A_nonce:-$S_nonce}" ] || { refuse changed-by-others "this upgrade ($A_nonce) is not prepared here"; return; }
  if [ "$S_kind" = reverse ] && [ ! -e "$S_work/new" ]; then fetch_retained || return; fi
  inode_of "$S_work/new"
  [ -n "$INODE" ] || { refuse upload-failed "no file has arrived in $S_work"; return; }
  S_new_ino=$INODE
  # On its way to the disk while nginx is tried; the commit waits for it before the file takes the path.
  (sync_new || sync) &
  SYNCING=$!
  if ! same_machine "$S_work/new" "/proc/$S_om/exe"; then
    rec_raw testExit null
    rec_raw versionExit 126
    rec_text build 'Exec format error: the file is for another machine than the one that runs'
    answer
    return
  fi
  if [ "$A_test" = yes ]; then
    _output=$(test_config 2>&1)
    _exit=$?
    if [ "$_exit" = 125 ]; then rec_raw testExit null; else rec_raw testExit "$_exit"; fi
    # What ends it stands at its end, behind any number of warnings.
    rec_lines test "$(printf '%s\n' "$_output" | tail -n 100)"
  else
    _exit=1
    rec_raw testExit null
  fi
  # What passed the test runs here; else its own word tells a missing library from a wrong configuration.
  if [ "$_exit" = 0 ]; then
    rec_raw versionExit 0
    rec_text build ''
  else
    # shellcheck disable=SC2086
    _output=$(env -i "PATH=$PATH" $S_as "$S_work/new" -V 2>&1 </dev/null)
    rec_raw versionExit $?
    one_line "$_output"
    rec_text build "$LINE"
  fi
  answer
}

# second_names: of the present file, so that no rename over the path destroys the inode that runs; and the name by which the
# new file takes the path for the exec. A symbolic link keeps /proc/PID/exe clean after the commit; a confined master may
# run the path only as a plain file.
second_names() {
  [ -e "$S_work/old" ] || ln "$S_bin" "$S_work/old"
  if [ ! -L "$S_work/link" ] && [ ! -e "$S_work/link" ]; then
    if confined "$S_om"; then ln "$S_work/new" "$S_work/link"; else ln -s "$S_work/new" "$S_work/link"; fi
  fi
  each_module module_names
}

# same_machine FILE OTHER: both ELF headers name the same class, byte order and machine. What the kernel refuses to run,
# shells and env (execvp) run as a script: a file of another machine must not even be tried.
same_machine() {
  local _kind
  elf_kind "$1"
  _kind=$KIND_BYTES
  elf_kind "$2"
  [ "$_kind" = "$KIND_BYTES" ]
}

elf_kind() {
  # shellcheck disable=SC2046
  set -- $(od -An -tx1 -N20 "$1" 2>/dev/null)
  KIND_BYTES="${5-} ${6-} ${19-} ${20-}"
}

# verb_unstage: only what this very run has staged; where that is gone already, there is nothing to do.
verb_unstage() {
  rec_new
  if load_state; then
    [ "$S_nonce" = "$A_nonce" ] || { refuse changed-by-others "another upgrade ($S_nonce) is under way here"; return; }
    if [ "$S_phase" = staged ] && may_act; then
      # One that is still on its way would find nothing to run, and a service manager would try it again and again.
      wait_for_guard || :
      close_books untouched "${A_why:-planned}"
    elif [ "$S_phase" = rehearsing ] && decide rollback "${A_why:-refused}"; then undo
    fi
  fi
  answer
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
  wait_for_guard || rearm_guard || { refuse internal 'the guard did not start within 5 s, and not at a second try'; return 1; }
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
  if ! raise_stub; then
    free_reader
    ! may_act || { S_usr2='' S_phase=staged; save_state; }
    return
  fi
  _exit=null
  ! stub_ends || _exit=$STUB_EXIT
  if [ "$_exit" = null ]; then evidence; rehearsal_settles || return; fi
  rehearsal_over || return
  ! is_poisoned || heal
  rec_bool poisoned "$POISONED"
  rec_raw exit "$_exit"
  rec_lines said "$(tail -n 100 "$S_work/said" 2>/dev/null | grep -v '^stub ')"
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
  staff_of "$S_om"
  S_ow=$STAFF S_phase=rehearsing S_usr2=stub
  logs_from_here
  save_state || { refuse internal "cannot write $D/upgrade: nothing was done"; return 1; }
  journal rehearse old "$S_om"
  may_act || { lost_ground; return 1; }
  cat "$S_work/pipe" >"$S_work/said" &
  READER=$!
  mv -f "$S_work/stub.link" "$S_bin" || { refuse changed-by-others "nothing can be put at $S_bin"; return 1; }
  may_act || { put_old; lost_ground; return 1; }
  lives "$S_om" "$S_om_start" || { put_old; refuse changed-by-others "the old master $S_om is gone"; return 1; }
  PID_CTIME=$(stat -c '%z %i' "$S_pidf")
  kill -USR2 "$S_om" || { put_old; refuse changed-by-others "the old master $S_om is gone"; return 1; }
}

make_pipe() {
  rm -f "$S_work/pipe" "$S_work/said" && mkfifo -m 600 "$S_work/pipe" || return 1
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
  write_file "$S_work/stub" "#!/bin/sh
if [ \"\$PPID\" != $S_om ]; then
  n=0
  while [ \"\$0\" -ef $_stub ] && [ \$n -lt 100 ]; do n=\$((n + 1)); sleep 0.1 2>/dev/null || sleep 1; done
  [ \"\$0\" -ef $_stub ] || exec \"\$0\" \"\$@\"
  exec $_old \"\$@\"
fi
$1" && chmod 755 "$S_work/stub" && rm -f "$S_work/stub.link" || return 1
  if confined "$S_om"; then ln "$S_work/stub" "$S_work/stub.link"; else ln -s "$S_work/stub" "$S_work/stub.link"; fi
}

# stub_ends: true with STUB_EXIT where the new file was run and ended. The old file is back at its path as soon as the stub
# runs. Exits: the pid file was renamed there and back; USR2 was taken and nothing happens for two seconds; the master died;
# a decision; deadline.
stub_ends() {
  local _by _sign_by _sign _first
  uptime_now
  _by=$((NOW + S_ready)) _sign_by=$((NOW + 20)) RENAMED=0 _first=''
  while lives "$S_om" "$S_om_start" && may_act && [ "$NOW" -lt "$_by" ]; do
    if [ -z "$_first" ] && { read -r _first <"$S_work/said"; } 2>/dev/null; then put_old || return 1; fi
    _sign=$(stat -c '%z %i' "$S_pidf" 2>/dev/null)
    if [ -f "$S_pidf.oldbin" ] || [ "$_sign" != "$PID_CTIME" ]; then RENAMED=1; fi
    if [ "$RENAMED" = 0 ]; then [ "$NOW" -lt "$_sign_by" ] || usr2_pending || break
    elif [ ! -f "$S_pidf.oldbin" ] && pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_om" ]; then break; fi
    pause
    uptime_now
  done
  free_reader
  _by=$((NOW + 10))
  until stub_exit || [ "$NOW" -ge "$_by" ]; do pause; uptime_now; done
  kill "$READER" 2>/dev/null
  wait "$READER" 2>/dev/null
  stub_exit
}

# free_reader: where nobody wrote, it still waits for the pipe to open.
free_reader() { [ ! -p "$S_work/pipe" ] || true <>"$S_work/pipe"; }

stub_exit() {
  STUB_EXIT=$(tail -n 1 "$S_work/said" 2>/dev/null)
  case $STUB_EXIT in 'stub '[0-9]*) STUB_EXIT=${STUB_EXIT#stub } ;; *) return 1 ;; esac
}

# end_rehearsal: ends what still runs of it. KILL: a child of the master inherits its blocked signals.
end_rehearsal() {
  local _by _c
  [ "$S_usr2" = stub ] || return 0
  free_reader
  uptime_now
  _by=$((NOW + 30))
  while [ "$NOW" -lt "$_by" ]; do
    processes_of "$S_new_ino"
    children_of "$S_om"
    for _c in $CHILDREN; do
      case " $S_ow " in *" $_c "*) continue ;; esac
      [ "/proc/$_c/exe" -ef "/proc/$S_om/exe" ] || RUNNING="$RUNNING $_c"
    done
    [ -n "$RUNNING" ] && may_act rollback || return 0
    # shellcheck disable=SC2086
    kill_all KILL $RUNNING
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
  S_phase=ready S_nw=$STAFF
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
  S_ow=$STAFF S_phase=begun S_usr2=1 S_nm='' S_nm_start=''
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
  mv -f "$S_work/link" "$S_bin" || { put_old; refuse changed-by-others "nothing can be put at $S_bin"; return 1; }
  event swap
  may_act || { put_old; lost_ground; return 1; }
  lives "$S_om" "$S_om_start" || { put_old; refuse changed-by-others "the old master $S_om is gone"; return 1; }
  # The ctime tells a rename there and back again that fits between two looks.
  PID_CTIME=$(stat -c '%z %i' "$S_pidf")
  kill -USR2 "$S_om" || { put_old; refuse changed-by-others "the old master $S_om is gone"; return 1; }
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
    [ "$_kind" != unix ] || S_unix="$S_unix$_path|"
  done <<EOF
$L_ADDR
EOF
}

confined() {
  local _label
  _label=unconfined
  { read -r _label <"/proc/$1/attr/current"; } 2>/dev/null
  case $_label in '' | unconfined* | *:unconfined_t:* | kernel | *initrc_t*) return 1 ;; esac
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
    if [ -f "$S_pidf.oldbin" ] || [ "$(stat -c '%z %i' "$S_pidf" 2>/dev/null)" != "$PID_CTIME" ]; then RENAMED=1; fi
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
  local _whole_by
  uptime_now
  _whole_by=$((NOW + 10))
  while :; do
    lives "$S_nm" "$S_nm_start" || { evidence; refuse new-master-died "the new master $S_nm is gone"; return 1; }
    count_gone
    [ "$GONE" != 0 ] || return 0
    [ "$KEPT" != 0 ] || ! enough_accept || break
    uptime_now
    [ "$NOW" -lt "$_whole_by" ] || { evidence; refuse workers-crashing "of the new workers$S_nw, $GONE are gone"; return 1; }
    pause
  done
  # Crashed workers are replaced as well, but nginx says so.
  new_log_lines 'worker process [0-9]+ exited (on signal|with (fatal )?code [1-9])'
  [ -z "$LINES_FOUND" ] || { evidence; refuse workers-crashing "workers of the new master crash: $LINES_FOUND"; return 1; }
  journal reload-seen workers "$ACCEPTING"
  S_nw=" $ACCEPTING"
  save_state
}

# count_gone: how many of the workers that were ready are GONE or shutting down, and how many are KEPT.
count_gone() {
  local _p
  GONE=0 KEPT=0
  for _p in $S_nw; do
    TITLE=''
    start_of "$_p" && [ "$PARENT" = "$S_nm" ] && title_of "$_p"
    case $TITLE in '' | *'shutting down'*) GONE=$((GONE + 1)) ;; *) KEPT=$((KEPT + 1)) ;; esac
  done
}

# verb_retire: WINCH, and no old worker accepts any more.
verb_retire() {
  rec_new
  load_state
  # Asked along with begin, and that failed.
  case $S_phase in ready | retired | held) ;; *) refuse not-ready 'the new generation was not ready'; return ;; esac
  sign_of_life
  find_pair
  [ "$OM_LIVES" = 1 ] || { refuse changed-by-others "the old master $S_om is gone"; return; }
  whole_generation || return
  old_listeners
  workers_of "$S_om" "$S_nm"
  S_ow="$S_ow $WORKERS" S_winch=1 S_phase=retired
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
  load_state
  sign_of_life
  rearm_guard
  read_decision
  [ -z "$DECISION" ] || { lost_ground; return; }
  whole_generation || return
  still_accept || return
  # shellcheck disable=SC2086
  rec_count accepting $ACCEPTING
  lives "$S_om" "$S_om_start" || { refuse changed-by-others "the old master $S_om is gone"; return; }
  REPARKED=0
  [ "$S_winch" != 1 ] || repark_old || return
  follow_rotation
  workers_of "$S_om" "$S_nm"
  # shellcheck disable=SC2086
  rec_count draining $WORKERS
  rec_bool reparked "$REPARKED"
  rec_errors
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
  answer
}

# verb_hold: the run ends here, the guard goes on: old master parked, new generation serving.
verb_hold() {
  rec_new
  load_state
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
  load_state || { refuse changed-by-others 'no upgrade is under way here'; return; }
  [ "$S_boot" = "$BOOT" ] || { take_mutex && close_after_boot; rec_text outcome "$OUTCOME"; refuse rebooted "the host was restarted: $OUTCOME"; return; }
  [ -z "$A_nonce" ] || [ "$A_nonce" = "$S_nonce" ] || { refuse changed-by-others 'another upgrade is under way here'; return; }
  # Decided before anybody is ended, so that who comes back for it finds it decided.
  if [ -n "$A_decide" ]; then decide "$A_decide" "$A_why" || { lost_ground; return; }; fi
  take_mutex || { refuse internal "the previous actor (pid $H_PID) cannot be ended"; return; }
  load_state || { refuse changed-by-others 'the upgrade was closed meanwhile'; return; }
  BIN=$S_bin PIDF=$S_pidf
  [ -z "$A_drain" ] || { S_drain=$A_drain; save_state; }
  set_deadline "$S_confirm"
  guard_lives || { journal guard-lost; start_guard; }
  journal adopt run "$A_run"
  find_pair
  read_decision
  uptime_now
  read_deadline
  rec_raw upgrade "{$(state_fields)}"
  answer
}

# close_after_boot: the disk said old, so the old version serves; but for a power cut in the instant of the swap, when
# the path was a link to the staged file. Then whichever of both was started at boot keeps the path.
close_after_boot() {
  local _outcome _sum
  _outcome=rolled-back
  if [ -L "$S_bin" ] || { [ -e "$S_work/new" ] && [ "$S_bin" -ef "$S_work/new" ]; } || is_stub; then
    if [ -n "$OM" ] && [ "/proc/$OM/exe" -ef "$S_work/new" ]; then
      retain_modules
      retain_from_work
      each_module module_install
      [ ! -L "$S_bin" ] || mv -f "$S_work/new" "$S_bin"
    else
      each_module module_back
      rm -f "$S_work/back"
      ln "$S_work/old" "$S_work/back" && mv -f "$S_work/back" "$S_bin"
    fi
  fi
  _sum=$(sha256sum <"$S_bin" 2>/dev/null)
  if [ "${_sum%% *}" = "$S_new_sha" ]; then
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
    rec_text why "$DECISION_WHY"
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
  S_ow="$S_ow $WORKERS" REPARKED=1
  save_state
  winch_old && wait_retired
}

# winch_old: both looked at once more in the same breath: where the new master is gone, nginx revives its old workers, and
# a WINCH would take the only ones that accept.
winch_old() {
  may_act || { lost_ground; return 1; }
  lives "$S_nm" "$S_nm_start" || { evidence; refuse new-master-died "the new master $S_nm is gone"; return 1; }
  lives "$S_om" "$S_om_start" || { refuse changed-by-others "the old master $S_om is gone"; return 1; }
  kill -WINCH "$S_om"
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
  rec_final "$S_om" "$S_om_start"
  answer
}

# verb_cancel: on a channel of its own while another verb waits: the guard acts now. Answers within five seconds.
verb_cancel() {
  local _cancel_by _mine
  rec_new
  D=$A_dir
  load_state && [ "$S_nonce" = "$A_nonce" ] || { rec_text closed "$(cat "$D/last" 2>/dev/null)"; answer; return; }
  read_decision
  journal cancel
  if [ "$DECISION" != commit ] && decide rollback cancelled; then
    set_deadline 0
    if guard_lives; then kill -USR1 "$GUARD_PID"; elif take_mutex; then undo; fi
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
  local _seen _exe _key _value
  if ! lives "$1" "$2"; then
    pid_in "$S_pidf" && start_of "$PID_TEXT" && set -- "$PID_TEXT" "$START" || set -- '' ''
  fi
  rec_process master "$1" "$2"
  rec_bool poisoned "$POISONED"
  if lives "$S_om" "$S_om_start"; then rec_raw oldGone false; else rec_raw oldGone true; fi
  [ -n "$1" ] || return 0
  [ -n "$L_DEC" ] || listeners_of "$1"
  workers_of "$1" "$S_nm"
  # What takes a process of its own, side by side.
  _seen=$(
    (_exe=$(sha256sum <"/proc/$1/exe") && printf 'sha=%s\n' "${_exe%% *}") &
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
  if [ "/proc/$1/exe" -ef "$S_bin" ]; then rec_bool diskRuns 1
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

# logs_from_here: remembers how long the error logs are now, as "SIZE INODE PATH" entries separated by "|". The first is what
# the old master writes to.
logs_from_here() {
  local _log
  S_logs=''
  for _log in "$(readlink "/proc/$S_om/fd/2")" "$LOGFILE"; do
    [ -f "$_log" ] || continue
    case "|$S_logs" in *" $_log|"*) ;; *) S_logs="$S_logs$(stat -c '%s %i' "$_log") $_log|" ;; esac
  done
}

# each_log ACTION PATTERN: ACTION FILE FROM SIZE PATTERN for every log, where FROM is the size that it had then. One that was
# rotated since is two: what it was called before, and its successor from the start.
each_log() {
  local _rest _one _from _ino _file _now
  _rest=$S_logs
  while [ -n "$_rest" ]; do
    _one=${_rest%%"|"*}
    _rest=${_rest#*"|"}
    _from=${_one%% *} _one=${_one#* }
    _ino=${_one%% *} _file=${_one#* }
    # A log that was replaced by something that blocks is none.
    [ -f "$_file" ] || continue
    _now=$(stat -c '%s %i' "$_file" 2>/dev/null) || continue
    if [ "${_now#* }" != "$_ino" ] || [ "${_now% *}" -lt "$_from" ]; then
      _one=$([ ! -f "$_file.1" ] || stat -c '%s %i' "$_file.1")
      [ "${_one#* }" != "$_ino" ] || "$1" "$_file.1" "$_from" "${_one% *}" "$2"
      _from=0
    fi
    "$1" "$_file" "$_from" "${_now% *}" "$2"
  done
}

# new_log_lines PATTERN: LINES_FOUND are the lines since then that match, known harmless ones excepted.
new_log_lines() {
  LINES_FOUND=''
  each_log lines_after "$1"
  LINES_FOUND=${LINES_FOUND%"$NL"}
}

lines_after() {
  [ "$3" -gt "$2" ] || return 0
  LINES_FOUND="$LINES_FOUND$(tail -c "+$(($2 + 1))" "$1" 2>/dev/null | grep -aE "$4" |
    grep -avE '\[crit\].*(unlink\(\) ".*" failed \(2|SSL_[a-z_]+\(\) failed)' | tail -n 40)$NL"
}

# lines_before: the serious lines of the last four megabytes before, the same text once.
lines_before() {
  local _start
  [ "$2" -gt 0 ] || return 0
  _start=$(($2 - 4194304))
  [ "$_start" -ge 0 ] || _start=0
  tail -c "+$((_start + 1))" "$1" 2>/dev/null | head -c $(($2 - _start)) | grep -aE '\[(emerg|alert|crit)\] [0-9]+#' | awk '
    { text = $0; sub(/^.*\[/, "", text); sub(/\] [0-9#]*: (\*[0-9]+ )?/, "]", text); sub(/, (client|server|upstream|responder|peer): .*/, "", text) }
    !seen[text]++ && n++ < 400'
}

# rec_errors: serious lines that the new generation wrote since the swap, its master first among its pids, and what was in the
# logs before: who decides takes what is new.
rec_errors() {
  local _pids
  _pids=$S_nm$S_nw
  # shellcheck disable=SC2086
  set -- $_pids
  _pids=$(IFS='|'; echo "$*")
  new_log_lines "\\[(emerg|alert|crit)\\] ($_pids)#"
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
  local _log _inodes
  _log=${S_logs%%"|"*}
  _log=${_log#* }
  _log=${_log#* }
  [ -n "$_log" ] && [ -f "$_log" ] || return 0
  _inodes=$(stat -L -c '%i' "$_log" "/proc/$S_om/fd/2" 2>/dev/null)
  # Once for each new file: a master that cannot reopen it would be asked for ever.
  case $_inodes in "${_inodes#*"$NL"}$NL"* | "$ROTATED" | '') return 0 ;; *"$NL"*) ;; *) return 0 ;; esac
  may_act "${1-}" || return 0
  ROTATED=$_inodes
  journal reopen-old log "$_log"
  kill -USR1 "$S_om"
}

# evidence: taken before anything is undone.
evidence() {
  new_log_lines '\[(emerg|alert|crit|error|warn)\]|^nginx: |error while loading'
  rec_lines evidenceLog "$LINES_FOUND"
  rec_lines evidenceProcesses "$(both_generations)"
}

# both_generations: one line a process: what it is called, and whose child it is. No other process's words get out of here.
both_generations() {
  local _those _told _p
  children_of "$S_om"
  _those="$S_om $CHILDREN"
  children_of "$S_nm"
  processes_of "$S_new_ino"
  _told=' '
  for _p in $_those $S_nm $CHILDREN $RUNNING; do
    case $_told in *" $_p "*) continue ;; esac
    _told="$_told$_p "
    start_of "$_p" || continue
    title_of "$_p"
    printf '%s child of %s: %s\n' "$_p" "$PARENT" "$TITLE"
  done
}

# -------------------------------------------------------------------------------------------------------- conversation

REQUEST_KEYS='pid_file nonce run who kind sha256 blake old_version new_version need cover confirm ready drain hold keep dir
encoding size whole module modules test why repair decide'

# parse_request LINE: ID, VERB and the A_ variables.
parse_request() {
  local _line _field _k
  for _k in $REQUEST_KEYS; do eval "A_$_k=''"; done
  _line=$1$TAB
  ID=${_line%%"$TAB"*} _line=${_line#*"$TAB"}
  VERB=${_line%%"$TAB"*} _line=${_line#*"$TAB"}
  while [ -n "$_line" ]; do
    _field=${_line%%"$TAB"*} _line=${_line#*"$TAB"}
    _k=${_field%%=*}
    case " $REQUEST_KEYS " in *[[:space:]]"$_k"[[:space:]]*) eval "A_$_k=\${_field#*=}" ;; esac
  done
}

run_verb() {
  [ -z "$A_dir" ] || D=$A_dir
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

# read_hello [MARKER]: "nhu1 MARKER", unless the gate has read it already.
read_hello() {
  if [ -n "${1-}" ]; then HELLO=nhu1$TAB$1; fi
  [ -n "${HELLO-}" ] || IFS= read -r HELLO || return 1
  case $HELLO in nhu1"$TAB"*) ;; *) return 1 ;; esac
  parse_request "$HELLO"
  MARKER=$VERB ID=0 VERB=hello
}

session() {
  local _request
  trap '' HUP PIPE
  boot_id
  my_uid
  read_hello "${3-}" || exit 64
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
    session | once) session "$1" "${2-}" "${3-}" ;;
    guard) guard_main "$2" "$3" ;;
    *) printf 'usage: nginx-hot-upgrade session|once|guard\n' >&2; exit 64 ;;
  esac
}

main "$@"
