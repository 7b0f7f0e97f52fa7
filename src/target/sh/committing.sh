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
