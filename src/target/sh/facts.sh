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
