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
