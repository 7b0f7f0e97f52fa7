# ------------------------------------------------------------------------------------- the instance's directory, the books

# State of one upgrade, kept in D/upgrade as one line "key=value" for each of these, in this order, and mirrored in S_ variables.
# What can be told without it is not in it: where the staged files lie, and what they are called.
STATE_KEYS='nonce phase kind boot run who since bin hand pidf om om_start session nm nm_start old_ino path_ino new_ino old_sha
new_sha new_blake old_version new_version modules need cover ow nw unix listen usr2 winch quit confirm ready drain hold keep unit
logs cwd as opt_c opt_p opt_e opt_g'
BOOKS='nginx-hot-upgrade 2'

# encode TEXT: CODE is the text as one value of a line or list: control characters, `%` and `|` are written as their numbers. Lists are
# written and read again in every verb: what stands in them starts no process.
encode() {
  CODE=$1
  case $1 in *[[:cntrl:]]*) encode_all "$1"; return ;; esac
  coded % 25
  coded '|' 7c
}

# coded LETTER NUMBER: CODE with that letter as its number.
coded() {
  local _rest
  case $CODE in *"$1"*) ;; *) return 0 ;; esac
  _rest=$CODE CODE=''
  while :; do
    case $_rest in *"$1"*) ;; *) break ;; esac
    CODE=$CODE${_rest%%"$1"*}%$2 _rest=${_rest#*"$1"}
  done
  CODE=$CODE$_rest
}

encode_all() {
  CODE=$(printf '%sx' "$1" | awk '
    { gsub(/%/, "%25"); gsub(/[|]/, "%7c")
      for (i = 1; i < 128; i++) if (i < 32 || i == 127) { c = sprintf("%c", i); if (index($0, c)) gsub(c, sprintf("%%%02x", i)) }
      printf "%s%s", (NR > 1 ? "%0a" : ""), $0 }')
  CODE=${CODE%x}
}

# decode CODE: VALUE is the text; false where it is nothing that encode wrote.
decode() {
  local _rest _two _byte
  VALUE=$1
  case $1 in *'|'* | *[[:cntrl:]]*) return 1 ;; *%*) ;; *) return 0 ;; esac
  VALUE='' _rest=$1
  while :; do
    case $_rest in *%*) ;; *) break ;; esac
    VALUE=$VALUE${_rest%%"%"*} _rest=${_rest#*"%"}
    _two=${_rest%"${_rest#??}"} _rest=${_rest#??}
    case $_two in
      25) VALUE=$VALUE% ;;
      7c) VALUE="$VALUE|" ;;
      00) return 1 ;;
      [01][0-9a-f] | 7f) _byte=$(printf '%bx' "\\0$(printf '%o' "0x$_two")") VALUE=$VALUE${_byte%x} ;;
      *) return 1 ;;
    esac
  done
  VALUE=$VALUE$_rest
}

# is_number TEXT: none that a shell takes for an octal one. At most nine digits are counted with; start times are only compared.
is_number() { case $1 in '' | *[!0-9]* | 0?* | ????????????????*) return 1 ;; esac; }

# shaped KEY VALUE: whether the books could hold this.
shaped() {
  case $1 in
    nonce) case $2 in '' | *[!0-9A-Za-z]*) return 1 ;; esac ;;
    phase) case $2 in staged | rehearsing | begun | ready | retired | held | undoing) ;; *) return 1 ;; esac ;;
    kind) case $2 in upgrade | reverse | plan) ;; *) return 1 ;; esac ;;
    usr2) case $2 in '' | 1 | stub) ;; *) return 1 ;; esac ;;
    bin | pidf) case $2 in /*) ;; *) return 1 ;; esac ;;
    om | om_start) is_number "$2" ;;
    confirm | ready | drain | hold | keep | need | cover) is_number "$2" && [ ${#2} -le 9 ] ;;
    nm | nm_start | session | winch | quit) [ -z "$2" ] || is_number "$2" ;;
    ow | nw | listen | hand | *_ino) case $2 in *[!0-9:\ ]*) return 1 ;; esac ;;
    boot | *_sha | new_blake) case $2 in *[!0-9a-f-]*) return 1 ;; esac ;;
    as) case $2 in '') ;; *[!0-9a-z=,+_\ -]*) return 1 ;; 'setpriv --reuid='*) ;; *) return 1 ;; esac ;;
    unit) case $2 in *[!A-Za-z0-9:_.\\@-]*) return 1 ;; esac ;;
  esac
}

# instance_of PIDFILE: D is the directory of the instance that owns this pid file.
instance_of() {
  local _dir _rest _name _owner
  _dir=$(cd -P "${1%/*}/" 2>/dev/null && pwd -P) || _dir=${1%/*}
  _rest=${_dir#/}/${1##*/} _name=''
  while :; do
    case $_rest in
      *[/\ ]*) _name=$_name${_rest%%[/ ]*}- _rest=${_rest#*[/ ]} ;;
      *) break ;;
    esac
  done
  _name=$_name$_rest
  INSTANCE=${_dir%/}/${1##*/}
  state_base
  D=$BASE/$_name
  # Two paths may look the same with their slashes gone: the directory belongs to the first that came.
  while [ -f "$D/instance" ] && { read -r _owner <"$D/instance"; } && [ "$_owner" != "$INSTANCE" ]; do D=${D}_; done
}

# state_base: BASE is where the instances' directories lie. A guard has no home, and was told.
state_base() {
  if [ "$MY_UID" = 0 ]; then BASE=/var/lib/nginx-hot-upgrade
  elif [ -z "$BASE" ]; then BASE=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/nginx-hot-upgrade; fi
}

# in_place DIRECTORY: it may be an instance's: it lies where they lie, and where it is there it is ours and no link.
in_place() {
  state_base
  case $1 in "$BASE"/*/* | "$BASE"/.. | "$BASE"/) return 1 ;; "$BASE"/*) ;; *) return 1 ;; esac
  [ ! -L "$BASE" ] && [ ! -L "$1" ] || return 1
  [ ! -e "$1" ] || { [ -d "$1" ] && [ -O "$1" ]; }
}

# write_file FILE TEXT: whole or not at all.
write_file() { write_new "$1" "$2" && mv -f "$NEW_FILE" "$1"; }

# write_new FILE TEXT: into NEW_FILE beside it. On a full file system the reserve makes room: going back must always be
# possible.
write_new() {
  SERIAL=$((SERIAL + 1))
  NEW_FILE=$1.new.$$.$SERIAL
  printf '%s\n' "$2" 2>/dev/null >"$NEW_FILE" && return 0
  rm -f "$NEW_FILE" "$D/reserve"
  printf '%s\n' "$2" >"$NEW_FILE"
}

# create_file FILE TEXT: fails where FILE is there already. Its second name is left to tidy.
create_file() {
  TRASH=1
  write_new "$1" "$2" || return 1
  ln "$NEW_FILE" "$1" 2>/dev/null
}

# tidy: at the end of every verb.
tidy() {
  [ "$TRASH" = 1 ] || return 0
  TRASH=0
  rm -f "$D"/*.new.$$.* "$D"/actor/*.new.$$.*
}

# save_state: false where they cannot be written, or could not be read again.
save_state() {
  local _text _k
  _text=$BOOKS$NL
  for _k in $STATE_KEYS; do
    eval "_v=\${S_$_k-}"
    shaped "$_k" "$_v" || return 1
    encode "$_v"
    _text="$_text$_k=$CODE$NL"
  done
  write_file "$D/upgrade" "${_text}end"
}

forget_state() {
  local _k
  for _k in $STATE_KEYS; do eval "S_$_k=''"; done
  S_work='' HAND=''
}

# load_state: false where nothing is under way, and where BROKEN says why the books cannot be read: then nothing is done.
load_state() {
  BROKEN=''
  forget_state
  [ -f "$D/upgrade" ] || return 1
  read_books <"$D/upgrade" || { forget_state; return 1; }
  derive_state
}

read_books() {
  local _line _k
  IFS= read -r _line || :
  if [ "$_line" != "$BOOKS" ]; then BROKEN="it was written by another version than this, or is damaged"; return 1; fi
  for _k in $STATE_KEYS; do
    IFS= read -r _line || :
    case $_line in "$_k="*) ;; *) BROKEN="expected \"$_k=\", found another line"; return 1 ;; esac
    if ! decode "${_line#*=}" || ! shaped "$_k" "$VALUE"; then BROKEN="\"$_k\" holds what it cannot hold"; return 1; fi
    eval "S_$_k=\$VALUE"
  done
  IFS= read -r _line && [ "$_line" = end ] && ! IFS= read -r _line && [ -z "$_line" ] ||
    { BROKEN='expected its end, found more or less'; return 1; }
}

# derive_state: what follows from the books. HAND is who puts files beside the binary: us, or the owner of its directory.
derive_state() {
  S_work=${S_bin%/*}/.nginx-hot-upgrade-$S_nonce HAND='' S_group=''
  manager_of "$S_unit"
  [ -z "$S_as" ] || { S_group=${S_as#*--regid=}; S_group=${S_group%% *}; }
  [ -z "$S_hand" ] || HAND="setpriv --reuid=${S_hand%:*} --regid=${S_hand#*:} --clear-groups"
}

# value_in FILE KEY: VALUE of one key=value line; empty where there is none, or several.
value_in() {
  local _line _code _count
  VALUE='' _code='' _count=0
  [ -f "$1" ] || return 0
  while IFS= read -r _line; do
    case $_line in "$2="*) _code=${_line#*=} _count=$((_count + 1)) ;; esac
  done 2>/dev/null <"$1"
  [ "$_count" = 1 ] && decode "$_code" || VALUE=''
}

# journal EVENT [key value]...: one line for every transition, written before its effect.
journal() {
  local _event _extra
  # A plan leaves nothing behind.
  [ "$S_kind" != plan ] || return 0
  _event=$1
  shift
  _extra=''
  while [ $# -ge 2 ]; do
    if [ ${#2} -le 4000 ]; then json_text "$2"; else json_text "$(printf '%.4000s' "$2")"; fi
    _extra="$_extra,\"$1\":$J"
    shift 2
  done
  uptime_now
  wall_now
  printf '{"at":"%s","up":"%s","nonce":"%s","actor":"%s %s","event":"%s"%s}\n' \
    "$WALL" "$UP" "$S_nonce" "$ACTOR" "$$" "$_event" "$_extra" >>"$D/journal.jsonl"
}
