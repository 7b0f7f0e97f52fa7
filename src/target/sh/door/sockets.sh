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
