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
