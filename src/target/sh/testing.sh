# ------------------------------------------------------------------------------------------------------------- testing

# What the staged file says is heard where the master is: with its mounts and its network, as its user. What its `-t` makes
# (ngx_init_cycle opens logs and makes directories) is removed again. That is done afterwards and not prevented beforehand, by laying
# something of ours over those directories: then it would no more be these that are tried.

# try_staged TEST: VERSION_EXIT and BUILD are what the staged file says of itself. With TEST=yes TEST_EXIT and TEST_SAID are what its `-t`
# says of the configuration; no TEST_EXIT where that tells nothing, UNTESTED is why. LEFT_THERE is what is left of it.
try_staged() {
  TEST_EXIT='' TEST_SAID='' UNTESTED='' LEFT_THERE=''
  go_to_master
  ask_staged
  # A container may forbid it.
  case $ENTER:$VERSION_EXIT:$BUILD in ?*:1:'nsenter: '*) AWAY=outside ENTER='' VIEW=''; ask_staged ;; esac
  [ "$1" = yes ] && [ "$VERSION_EXIT" = 0 ] || return 0
  # Outside of what its unit shuts it in, what that user has written would run with more than it has.
  if [ -n "$S_as" ] && is_shut_in "$S_om" && others_lead_settings; then UNTESTED=confined
  # What root makes in another place is of no use there, and in the way of others.
  elif [ -n "$AWAY" ] && [ -z "$S_as" ] && [ "$MY_UID" = 0 ]; then UNTESTED=$AWAY
  # What it would make, and where, was read elsewhere.
  elif [ "$S_kind" = plan ] && ! same_config; then UNTESTED=other-config
  else test_staged; fi
}

# go_to_master: ENTER and VIEW; AWAY is why what runs here does not see what the master sees, empty where it does.
go_to_master() {
  AWAY='' VIEW=''
  way_in "$S_om" || AWAY=outside
  [ -n "$ENTER" ] || return 0
  view_of "$S_om"
  follow "$S_work"
  inode_of "$VIEW$FULL/new"
  [ "$INODE" = "$S_new_ino" ] || AWAY=other-root ENTER='' VIEW=''
}

ask_staged() {
  # shellcheck disable=SC2086
  heard 11 65536 within 10 env -i "PATH=$PATH" $ENTER $S_as "$S_work/new" -V
  VERSION_EXIT=${HEARD_EXIT:-137}
  one_line "$HEARD"
  BUILD=$LINE
}

test_staged() {
  note_missing
  lives "$S_om" "$S_om_start" || { UNTESTED=gone; return; }
  heard 62 4194304 test_config
  TEST_EXIT=${HEARD_EXIT:-137} TEST_SAID=$HEARD
  [ "$TEST_EXIT" != 137 ] || end_test
  remove_made
  case $TEST_EXIT in
    0) ;;
    125) UNTESTED=no-namespace TEST_EXIT='' ;;
    # What is good counts in any place; what is bad may be so only here.
    *) [ -z "$AWAY" ] || UNTESTED=$AWAY TEST_EXIT='' ;;
  esac
}

# test_config: `nginx -t` of the staged binary. Where modules go with it, in a mount namespace of its own in which they lie
# at their paths already: on the disk they are still the old ones. Exit code 125 where no such namespace can be had, 137 where it
# had to be ended after a minute: what it opens may be a pipe that nobody reads.
test_config() {
  local _status
  if [ -n "$S_modules" ]; then
    ROOM='unshare -m'
    $ROOM true 2>/dev/null || ROOM='unshare --map-current-user -m'
    $ROOM true 2>/dev/null || { ROOM=''; return 125; }
    BINDS=''
    each_module module_bind
  fi
  LIMIT='timeout -s KILL 60'
  as_master "$S_work/new" -t
  _status=$?
  LIMIT=''
  ROOM='' BINDS=''
  return "$_status"
}

# end_test: not every timeout ends more than what it started itself. Nobody else can run a file in a directory of root's alone.
end_test() {
  local _p
  [ -z "$HAND$S_as" ] || return 0
  processes_of "$S_new_ino"
  for _p in $RUNNING; do ! start_of "$_p" || signal KILL "$_p" "$START"; done
}

# What nginx makes where neither the configuration nor the build says anything (auto/options), relative to its prefix.
STANDARD='logs/error.log logs/access.log client_body_temp proxy_temp fastcgi_temp uwsgi_temp scgi_temp'

# note_missing: MISSING is what a test may make, a line each: the path, and where that leads. Not known here is what modules of others
# open, and what a configuration says beyond two thousand such paths.
note_missing() {
  local _path
  MISSING=''
  [ -n "$PREFIX" ] || return 0
  start_paths "$BUILD"
  for _path in $STANDARD ${S_opt_e:+"$S_opt_e"}; do under "$PREFIX" "$_path"; PATHS="$PATHS$FULL$NL"; done
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $PATHS
  IFS=" $TAB$NL"
  set +f
  for _path in "$@"; do
    is_plain "$_path" && follow "$_path" && ! is_there "$FULL" || continue
    # The last one first: it may lie in one before it.
    case $NL$MISSING in *"$TAB$FULL$NL"*) ;; *) MISSING="$_path$TAB$FULL$NL$MISSING" ;; esac
  done
}

# as_seen COMMAND: does it with what lies where the master sees it.
as_seen() {
  view_of "$S_om"
  "$1"
  VIEW=''
}

# is_there PATH: as the master sees it.
is_there() { [ -e "$VIEW$1" ] || [ -L "$VIEW$1" ]; }

# remove_made: of what was missing, what is there and empty. LEFT_THERE is what cannot be removed, or was written to.
remove_made() {
  local _path _place
  LEFT_THERE=''
  while IFS=$TAB read -r _path _place; do
    [ -n "$_place" ] && is_there "$_place" || continue
    # A master that is told to open its logs again, in this very moment, goes on with them.
    if [ -f "$VIEW$_place" ] && has_open "$S_om" "$VIEW$_place"; then continue; fi
    remove_empty "$_path" "$_place"
    ! is_there "$_place" || LEFT_THERE="$LEFT_THERE$_path$NL"
  done <<EOF
$MISSING
EOF
}

# remove_empty PATH PLACE: with the rights of whoever leads there. From its directory, which only root gets to where that lies among
# mounts of others; what runs is ours all the same.
remove_empty() {
  READ_AS=$S_as
  [ -n "$S_as" ] || reader_of "${1%/*}"
  [ -n "$READ_AS" ] || reader_of "${2%/*}"
  # shellcheck disable=SC2086
  (
    cd "$VIEW${2%/*}/" 2>/dev/null || exit
    if [ -d "./${2##*/}" ]; then aside 5 $READ_AS rmdir "./${2##*/}"
    elif [ -f "./${2##*/}" ] && [ ! -s "./${2##*/}" ]; then aside 5 $READ_AS rm -f "./${2##*/}"; fi
  )
}
