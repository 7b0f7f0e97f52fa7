# -------------------------------------------------------------------------------------------------------- conversation

REQUEST_KEYS='pid_file nonce run who kind hand sha256 blake old_version new_version need cover confirm ready drain hold keep dir
encoding size whole module modules test why repair decide probe flags'

# parse_request LINE: ID, VERB and the A_ variables.
parse_request() {
  local _line _field _k
  for _k in $REQUEST_KEYS; do eval "A_$_k=''"; done
  _line=$1$TAB
  ID=${_line%%"$TAB"*} _line=${_line#*"$TAB"}
  VERB=${_line%%"$TAB"*} _line=${_line#*"$TAB"}
  set -f
  IFS=$TAB
  for _field in $_line; do
    _k=${_field%%=*}
    case " $REQUEST_KEYS " in *[[:space:]]"$_k"[[:space:]]*) eval "A_$_k=\${_field#*=}" ;; esac
  done
  IFS=" $TAB$NL"
  set +f
}

run_verb() {
  if [ -n "$A_dir" ]; then
    in_place "$A_dir" || { rec_new; refuse internal "$A_dir is no directory of an instance"; return; }
    D=$A_dir
  fi
  case $VERB in
    facts) verb_facts ;;
    prepare) verb_prepare ;;
    receive) verb_receive ;;
    check) verb_check ;;
    unstage) verb_unstage ;;
    rehearse) verb_rehearse ;;
    begin) verb_begin ;;
    retire) verb_retire ;;
    look) verb_look ;;
    extend) verb_extend ;;
    hold) verb_hold ;;
    adopt) verb_adopt ;;
    release) verb_release ;;
    commit) verb_commit ;;
    rollback) verb_rollback ;;
    cancel) verb_cancel ;;
    *) rec_new; refuse internal "unknown verb" ;;
  esac
}

# read_hello: "nhu1 MARKER".
read_hello() {
  local _hello
  IFS= read -r _hello || return 1
  case $_hello in nhu1"$TAB"*) ;; *) return 1 ;; esac
  parse_request "$_hello"
  MARKER=$VERB ID=0 VERB=hello
}

session() {
  local _request
  trap '' HUP PIPE
  boot_id
  my_uid
  read_hello || exit 64
  ACTOR=$1
  start_of $$
  rec_new
  rec_raw uid "$MY_UID"
  if [ "$2" = elevated ]; then rec_raw elevated true; else rec_raw elevated false; fi
  answer
  while IFS= read -r _request; do
    parse_request "$_request"
    # What follows on standard input is the next request, or a binary: nobody else may read of it.
    case $VERB in receive) run_verb ;; *) run_verb </dev/null ;; esac
    [ "$1" = session ] || break
  done
}

main() {
  case ${1-} in
    session | once) session "$1" "${2-}" ;;
    guard) guard_main "$2" "$3" ;;
    *) printf 'usage: nginx-hot-upgrade session|once|guard\n' >&2; exit 64 ;;
  esac
}

main "$@"
