# ------------------------------------------------------------------------------------------------------------- modules

# Dynamic modules go with their binary as one set. S_modules lists their paths, encoded, each with "|" behind it. Beside each lies a
# directory of ours: NAME.new is what replaces it, NAME.old and NAME.kept are second names of the old one and of the new
# one, so that no rename destroys either, NAME.link takes the path for the start of the new master.

# each_module ACTION: ACTION PATH BASE for every one, where BASE begins our own names for it. Ends at the first that fails.
each_module() {
  local _modules _path
  _modules=$S_modules
  while [ -n "$_modules" ]; do
    _path=${_modules%%"|"*} _modules=${_modules#*"|"}
    decode "$_path" || return 1
    _path=$VALUE
    "$1" "$_path" "${_path%/*}/.nginx-hot-upgrade-$S_nonce/${_path##*/}" || return 1
  done
}

# The room is shared by all modules of a directory.
module_room() { is_own_room "${2%/*}" || make_room "${2%/*}"; }

module_open() { open_room "${2%/*}"; }

module_room_gone() { [ -L "$1" ] || remove_room "${2%/*}"; }

module_names() {
  [ -e "$2.old" ] || by_hand ln "$1" "$2.old" || return 1
  [ -e "$2.kept" ] || by_hand ln "$2.new" "$2.kept" || return 1
  [ ! -L "$2.link" ] && [ ! -e "$2.link" ] || return 0
  if confined "$S_om"; then by_hand ln "$2.new" "$2.link"; else by_hand ln -s "$2.new" "$2.link"; fi
}

module_swap() { may_act && by_hand mv -f "$2.link" "$1"; }

module_back() {
  [ -e "$2.old" ] || return 0
  [ -L "$1" ] || ! [ "$1" -ef "$2.old" ] || return 0
  module_is_ours "$@" || return 1
  [ ! -e "$2.back" ] || by_hand rm -f "$2.back"
  by_hand ln "$2.old" "$2.back" && by_hand mv -f "$2.back" "$1"
}

module_is_ours() { [ ! -e "$1" ] || [ "$1" -ef "$2.old" ] || [ "$1" -ef "$2.new" ] || [ "$1" -ef "$2.kept" ]; }

# sync_new: the new files are on the disk. Fails where sync takes no names.
sync_new() { sync "$S_work/new" 2>/dev/null && each_module module_sync; }

module_sync() { sync "$2.new" 2>/dev/null; }

module_install() {
  [ -e "$2.new" ] || return 0
  module_is_ours "$@" && by_hand mv -f "$2.new" "$1"
}

# module_retain: into KEEPING, with its path in a list.
module_retain() {
  retain "$2.old" "$KEEPING/${1##*/}" || return 1
  encode "$1"
  printf '%s\n' "$CODE" >>"$KEEPING/paths"
}

# retain FILE NAME: a second name where the file systems allow it, else a copy. What another user can lead is read as that user.
retain() {
  if [ -n "$HAND" ]; then hand_reads "$1" >"$2"
  else ln "$1" "$2" 2>/dev/null || cp -p "$1" "$2"; fi
}

# module_fetch: out of KEEPING.
module_fetch() {
  if [ -z "$HAND" ]; then cp -p "$KEEPING/${1##*/}" "$2.new"
  else hand_writes 60 "$2.new" <"$KEEPING/${1##*/}" >/dev/null && take_over_metadata "$1" "$2.new"; fi
}

# kept_modules SHA: S_modules as they went with that retained binary.
kept_modules() {
  local _path
  S_modules='' KEEPING=$D/retained/$1.modules
  [ -f "$KEEPING/paths" ] || return 0
  while IFS= read -r _path; do
    decode "$_path" && is_plain "$VALUE" || return 1
    S_modules="$S_modules$_path|"
  done <"$KEEPING/paths"
}

# wait_loaded: modules are read before the pid file is written (ngx_init_cycle). Exits: written; new master gone; deadline.
wait_loaded() {
  local _loaded_by
  uptime_now
  _loaded_by=$((NOW + S_ready))
  until pid_in "$S_pidf" && [ "$PID_TEXT" = "$S_nm" ]; do
    uptime_now
    lives "$S_nm" "$S_nm_start" && [ "$NOW" -lt "$_loaded_by" ] || return 0
    may_act || return 0
    pause
  done
}

# A path of a module that is plain holds no "|".
module_bind() { BINDS="$BINDS$2.new|$1|"; }

# Runs in that namespace, before nginx takes its place.
# shellcheck disable=SC2016
FURNISH='
  mount --make-rprivate / 2>/dev/null || exit 125
  while [ -n "$BINDS" ]; do
    from=${BINDS%%"|"*} BINDS=${BINDS#*"|"}
    to=${BINDS%%"|"*} BINDS=${BINDS#*"|"}
    mount --bind "$from" "$to" 2>/dev/null || exit 125
  done
  unset BINDS from to
  exec "$@"'
