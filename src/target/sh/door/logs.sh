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
