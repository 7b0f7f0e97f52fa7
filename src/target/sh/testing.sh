# ------------------------------------------------------------------------------------------------------------- testing

# What the staged file says is heard where the master is: with its mounts and its network, as its user. What its `-t` makes
# (ngx_init_cycle opens logs and makes directories) is removed again. That is done afterwards and not prevented beforehand, by laying
# something of ours over those directories: then it would no more be these that are tried.

# try_staged TEST: VERSION_EXIT and BUILD are what the staged file says of itself. With TEST=yes TEST_EXIT and TEST_SAID are what its `-t`
# says of the configuration; no TEST_EXIT where that tells nothing, UNTESTED is why. LEFT_THERE is what is left of it.
try_staged() {
  TEST_EXIT='' TEST_SAID='' UNTESTED='' LEFT_THERE=''
  go_to_master
  # What the run knows of it need not be asked, where a test shows as well whether it runs here.
  if [ "$1" = yes ] && [ -n "$A_flags" ] && [ -z "$ENTER" ]; then VERSION_EXIT=0 BUILD=$A_flags; else ask_staged; fi
  # A container may forbid it.
  case $ENTER:$VERSION_EXIT:$BUILD in ?*:1:'nsenter: '*) AWAY=outside ENTER='' VIEW=''; ask_staged ;; esac
  [ "$1" = yes ] && [ "$VERSION_EXIT" = 0 ] || return 0
  # Outside of what its unit shuts it in, what that user has written would run with more than it has.
  if [ -n "$S_as" ] && is_shut_in "$S_om" && others_lead_settings; then UNTESTED=confined
  # What root makes in another place is of no use there, and in the way of others.
  elif [ -n "$AWAY" ] && [ -z "$S_as" ] && [ "$MY_UID" = 0 ]; then UNTESTED=$AWAY
  # What it would make, and where, was read elsewhere, or not to its end.
  elif [ "$S_kind" = plan ] && [ "$CONFIG_WHOLE" = 0 ]; then UNTESTED='cut'
  elif [ "$S_kind" = plan ] && ! same_config; then UNTESTED=other-config
  else
    test_staged
    # Else its own word tells a missing library from a wrong configuration.
    if [ "$BUILD" = "$A_flags" ] && [ "$TEST_EXIT" != 0 ]; then ask_staged; fi
  fi
  [ "$BUILD" != "$A_flags" ] || BUILD=''
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
  # It makes its files under our umask.
  remove_made 600
  [ "$TEST_EXIT" = 0 ] || same_config || LEFT_THERE="${LEFT_THERE}what is named only where the master sees another configuration$NL"
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

# note_missing: what a test may make stands in D/made, a line each: the path, and where that leads. Not known here is what modules of others
# open, and what a configuration says beyond two thousand such paths. Where it is there already, whoever tested before was cut off: what was
# missing then is what counts, and its test is ended.
note_missing() {
  local _path
  if [ -s "$D/made" ]; then end_test; return 0; fi
  MISSING=''
  workers_of "$S_om"
  MADE_BESIDE=$STARTED
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
  # At once, without a process: who is cut off before its end has tested nothing.
  [ -z "$MISSING" ] || printf '%s\n' "$MADE_BESIDE" "$MISSING" >"$D/made"
}

# as_seen COMMAND...: does it with what lies where the master sees it.
as_seen() {
  view_of "$S_om"
  "$@"
  VIEW=''
}

# is_there PATH: as the master sees it.
is_there() { [ -e "$VIEW$1" ] || [ -L "$VIEW$1" ]; }

# remove_made [MODE]: of what was missing, what is there and empty, and files only with that mode, and of whoever tested: others make theirs
# in the same directories. LEFT_THERE is what cannot be removed, or was written to. Where the master has other workers than before, it
# was reloaded, and what is there may be theirs.
remove_made() {
  local _path _place _beside
  LEFT_THERE=''
  [ -s "$D/made" ] || return 0
  workers_of "$S_om"
  {
    IFS= read -r _beside || :
    while IFS=$TAB read -r _path _place; do
      [ -n "$_place" ] && is_there "$_place" || continue
      # A master that is told to open its logs again, in this very moment, goes on with them.
      if [ -f "$VIEW$_place" ] && { has_open "$S_om" "$VIEW$_place" || ! is_of_test "$VIEW$_place" "${1-}"; }; then continue; fi
      [ "$STARTED" != "$_beside" ] || remove_empty "$_path" "$_place"
      ! is_there "$_place" || LEFT_THERE="$LEFT_THERE$_path$NL"
    done
  } <"$D/made"
  : >"$D/made"
}

# is_of_test FILE MODE
is_of_test() {
  uid_of "$S_om"
  mode_of "$1" && [ "$OWNER" = "$UID_OF" ] && case $2 in '' | "$MODE") ;; *) return 1 ;; esac
}

# remove_empty PATH PLACE: with the rights of whoever leads there, who gets there himself: where he may not stand he must not be taken. Among
# the mounts of the master he cannot, so there only what root alone leads to is removed, and so it is where nobody can step down.
remove_empty() {
  READ_AS=$S_as PLACE=''
  if [ -z "$S_as" ] && [ "$MY_UID" = 0 ]; then
    place_of "${1%/*}"
    [ -n "$PLACE" ] || place_of "${2%/*}"
    reader_for "$PLACE"
  fi
  if [ -n "$READ_AS" ] && [ -z "$VIEW" ]; then
    # shellcheck disable=SC2086
    aside 5 $READ_AS /bin/sh -c "$REMOVE" remove "$2"
  elif [ -z "$READ_AS$PLACE" ]; then aside 5 /bin/sh -c "$REMOVE" remove "$VIEW$2"; fi
}

# shellcheck disable=SC2016
REMOVE='if [ -L "$1" ]; then :; elif [ -d "$1" ]; then rmdir "$1"; elif [ -f "$1" ] && [ ! -s "$1" ]; then rm -f "$1"; fi'

# forget_test: of whoever was cut off in one. Once the new file runs for good, what is there is its own.
forget_test() {
  [ -s "$D/made" ] && [ "$S_phase" = staged ] || return 0
  [ -n "$S_new_ino" ] || { inode_of "$S_work/new"; S_new_ino=$INODE; }
  end_test
  as_seen remove_made 600
  [ -z "$LEFT_THERE" ] || journal left paths "$LEFT_THERE"
}
