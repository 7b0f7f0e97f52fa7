# ---------------------------------------------------------------------------------------------- one actor, one decision

# mutex_end: walks the chain of actors. H_PID, H_START: who acts now (empty: nobody yet); H_NEXT: its successor's file.
# Every file is created exclusively and named after the one it succeeds, so that two who take over cannot both win. The
# term counts how often one process took it, or the chain would close to a ring.
mutex_end() {
  H_PID='' H_START='' H_BOOT='' H_TERM='' H_NEXT=first H_CHAIN=''
  while { read -r H_PID H_START H_BOOT H_TERM <"$D/actor/$H_NEXT"; } 2>/dev/null; do
    # Who released it had made sure that nobody before it was left.
    if [ "$H_PID" = 0 ]; then H_CHAIN=''; elif [ "$H_BOOT" = "$BOOT" ]; then H_CHAIN="$H_CHAIN $H_PID:$H_START"; fi
    H_NEXT=after-$H_PID-$H_START-$H_TERM
  done
}

# actor_lives: somebody else is at work.
actor_lives() { mutex_end; [ "$H_PID" != $$ ] && [ "$H_BOOT" = "$BOOT" ] && lives "$H_PID" "$H_START"; }

# release_mutex: nobody acts any more, and this process will not be ended by who comes next.
release_mutex() {
  mutex_end
  TERM_COUNT=$((TERM_COUNT + 1))
  [ "$H_PID" != $$ ] || create_file "$D/actor/$H_NEXT" "0 $$ $BOOT $TERM_COUNT"
}

# take_mutex: ends whoever acted here before and returns as the only actor.
take_mutex() {
  local _my_start _tries _link
  start_of $$
  _my_start=$START
  _tries=0
  mutex_end
  while [ "$H_PID:$H_START" != "$$:$_my_start" ]; do
    _tries=$((_tries + 1))
    [ "$_tries" -le 50 ] || return 1
    [ -d "$D/actor" ] || mkdir -p "$D/actor"
    TERM_COUNT=$((TERM_COUNT + 1))
    create_file "$D/actor/$H_NEXT" "$$ $_my_start $BOOT $TERM_COUNT"
    mutex_end
  done
  # The predecessor may have died between its claim and its taking over: whoever stands in the chain must be gone.
  for _link in $H_CHAIN; do
    [ "${_link%%:*}" != $$ ] || continue
    end_process "${_link%%:*}" "${_link#*:}" || return 1
  done
  mutex_end
  [ "$H_PID" = $$ ]
}

read_decision() {
  local _word _nonce _why
  DECISION='' DECISION_WHY=''
  { read -r _word _nonce _why <"$D/decision"; } 2>/dev/null || return 0
  [ "$_nonce" != "$S_nonce" ] || { DECISION=$_word DECISION_WHY=$_why; }
}

# decide WORD WHY: true where the one decision about this upgrade is WORD, whoever made it.
decide() {
  read_decision
  if [ -z "$DECISION" ]; then
    create_file "$D/decision" "$1 $S_nonce $2" && journal "decision" word "$1" why "$2"
    read_decision
  fi
  [ "$DECISION" = "$1" ]
}

# may_act [DECISION]: still the one actor, and nothing else was decided. Asked right before every signal and rename.
may_act() {
  mutex_end
  [ "$H_PID" = $$ ] || return 1
  read_decision
  [ -z "$DECISION" ] || [ "$DECISION" = "${1-}" ]
}
