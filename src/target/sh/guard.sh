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
