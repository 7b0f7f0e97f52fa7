# ------------------------------------------------------------------------------------------------------------- effects
#
# Right before it acts, each looks whether what it acts on is what was meant: a process by its start, a directory of ours by its
# name and owner.

# signal NAME PID START: false where that very process is gone.
signal() { start_of "$2" && [ "$START" = "$3" ] && kill "-$1" "$2" 2>/dev/null; }

# signal_all NAME WORD...: words PID:START.
signal_all() {
  local _name _word
  _name=$1
  shift
  for _word in "$@"; do signal "$_name" "${_word%%:*}" "${_word#*:}"; done
}

# by_hand COMMAND...: beside the binary, as whoever its directory is of, who can hold it up for ten seconds and no more.
by_hand() {
  # shellcheck disable=SC2086
  if [ -z "$HAND" ]; then "$@"; else aside 10 $HAND "$@"; fi
}

# hand_writes SECONDS FILE: what comes in goes into FILE, and on. All of it is read, whatever becomes of that. The hand holds an end of a
# pipe, and nothing else of ours.
hand_writes() {
  [ -n "$HAND" ] || { tee "$2"; return; }
  {
    tee /dev/fd/3 2>/dev/null | into_hand "$1" "$2" 3>&-
    cat >/dev/null
  } 3>&1
}

# shellcheck disable=SC2016,SC2086
into_hand() { within "$1" $HAND /bin/sh -c "$FILL" fill "$2" >/dev/null 2>&1; }

# shellcheck disable=SC2016
FILL='exec cat >"$1"'

# hand_reads FILE
hand_reads() {
  # shellcheck disable=SC2086
  within 60 $HAND cat "$1" </dev/null 2>/dev/null | within 61 head -c 536870912
}

# from_pipe SECONDS FILE: at once what comes, a line at a time mostly, and no more than some megabytes. Whoever writes to it, or holds our
# end open, ends with it.
from_pipe() {
  # shellcheck disable=SC2086
  within "$1" $HAND dd if="$2" bs=4096 count=4096 2>/dev/null </dev/null | dd bs=4096 count=4096 2>/dev/null
}

# is_own_room DIRECTORY: one that we made beside a binary or a module, and nobody else since.
is_own_room() {
  case ${1##*/} in .nginx-hot-upgrade-*[!0-9A-Za-z]* | .nginx-hot-upgrade-) return 1 ;; .nginx-hot-upgrade-*) ;; *) return 1 ;; esac
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  if [ -z "$HAND" ]; then [ -O "$1" ]; else owner_of "$1"; [ "$OWNER" = "${S_hand%:*}" ]; fi
}

# make_room, remove_room DIRECTORY. Nobody else may look into it.
make_room() { by_hand mkdir -m 700 "$1"; }

remove_room() { ! is_own_room "$1" || by_hand rm -rf "$1"; }

# open_room DIRECTORY: to the group of the master's user, who runs what lies there. Never while a file lies there that would give
# others more rights.
open_room() {
  local _file
  is_own_room "$1" || return 1
  for _file in "$1"/*; do
    [ ! -u "$_file" ] && [ ! -g "$_file" ] || return 1
  done
  chgrp "$S_group" "$1" && chmod 710 "$1"
}

# end_process PID START: stops it first, so that it starts nothing more, then ends its children and itself.
end_process() {
  local _parent _end_by
  lives "$1" "$2" || return 0
  _parent=$PARENT
  signal STOP "$1" "$2"
  end_children "$1"
  signal KILL "$1" "$2"
  # sudo stops itself along with what it started, and would never notice the end.
  [ "$_parent" -le 1 ] || kill -CONT "$_parent" 2>/dev/null
  uptime_now
  _end_by=$((NOW + 50))
  while lives "$1" "$2"; do
    uptime_now
    [ "$NOW" -lt "$_end_by" ] || return 1
    pause
  done
}

# end_children PID: and theirs; but neither us nor the guard.
end_children() {
  local _all _word
  guard_lives || GUARD_PID=''
  workers_of "$1"
  _all=$STARTED
  for _word in $_all; do
    case ${_word%:*} in "$$" | "$GUARD_PID") continue ;; esac
    signal STOP "${_word%:*}" "${_word#*:}" || continue
    workers_of "${_word%:*}"
    # shellcheck disable=SC2086
    signal_all KILL $STARTED "$_word"
  done
}
