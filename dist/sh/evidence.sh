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
