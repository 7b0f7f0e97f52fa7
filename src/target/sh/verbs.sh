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
