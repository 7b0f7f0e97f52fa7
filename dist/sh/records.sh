# ---------------------------------------------------------------------------------------------------------- records

# json_text TEXT: J becomes the quoted JSON form, which holds any text as the one value that it is.
json_text() {
  case $1 in
    *[\\\"]* | *[![:print:]]*)
      J=$(printf '%sx' "$1" | awk '
        { gsub(/[\\"]/, "\\\\&")
          if (/[\001-\037\177]/) for (i = 1; i < 128; i++) if (i < 32 || i == 127) {
            c = sprintf("%c", i); if (index($0, c)) gsub(c, sprintf("\\u%04x", i)) }
          printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }')
      J=\"${J%x}\" ;;
    *) J=\"$1\" ;;
  esac
}

# json_lines TEXT [MOST]: J becomes a JSON array of the lines of TEXT (at most 200 lines of 500 characters), for people: control
# characters turn into blanks.
json_lines() {
  case $1 in
    '') J='[]'; return 0 ;;
    *[\\\"]* | *[!\ -~"$NL"]*) ;;
    *) [ ${#1} -gt 100000 ] || { plain_lines "$1"; return 0; } ;;
  esac
  # From a document, not from printf: that is a program in mksh, and takes 128 KiB.
  J=[$(awk -v MOST="${2-200}" '
    NR > MOST || $0 == "" { next }
    # One record is read as a whole.
    (total += length($0)) > 400000 { exit }
    { line = substr($0, 1, 500); gsub(/[\001-\037\177]/, " ", line); gsub(/[\\"]/, "\\\\&", line)
      printf "%s\"%s\"", sep, line; sep = "," }' <<EOF
$1
EOF
)]
}

# plain_lines TEXT: the same for text that needs no escapes, without starting a process.
plain_lines() {
  local _text
  set -f
  IFS=$NL
  J=''
  for _text in $1; do J="$J,\"$_text\""; done
  J=[${J#,}]
  IFS=" $TAB$NL"
  set +f
}

# one_line TEXT: LINE is TEXT with its lines joined by blanks.
one_line() {
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $1
  IFS=' '
  LINE="$*"
  IFS=" $TAB$NL"
  set +f
}

# Fields of the record under construction.
rec_new() { REC='' OUTCOME='' LOOKS=0; }
rec_text() { json_text "$2"; REC="$REC,\"$1\":$J"; }
# rec_raw NAME JSON: what could not be found out is null.
rec_raw() { REC="$REC,\"$1\":${2:-null}"; }
rec_lines() { json_lines "$2"; REC="$REC,\"$1\":$J"; }
rec_text_or_null() { if [ -n "$2" ]; then rec_text "$1" "$2"; else rec_raw "$1" null; fi; }
# rec_count NAME WORD...
rec_count() { rec_raw "$1" $(($# - 1)); }
rec_bool() { if [ "$2" = 1 ]; then rec_raw "$1" true; else rec_raw "$1" false; fi; }

answer() { tidy; [ -z "$OUTCOME" ] || guard_gone; printf '@%s {"v":%s,"id":%s,"verb":"%s","ok":true%s}\n' "$MARKER" "$VERSION" "$ID" "$VERB" "$REC"; }

# event NAME: an intermediate record, so that the runner can tell the phases of a long verb apart.
event() {
  uptime_now
  printf '@%s {"v":%s,"id":%s,"verb":"%s","event":"%s","up":"%s"}\n' "$MARKER" "$VERSION" "$ID" "$VERB" "$1" "$UP"
}

# refuse REASON SENTENCE: the verb's negative answer, with the fields gathered so far. Where the books cannot be read, that is why.
refuse() {
  [ -z "$BROKEN" ] || set -- broken "the books of an upgrade in $D cannot be read ($BROKEN): nothing was done"
  tidy
  [ -z "$OUTCOME" ] || guard_gone
  if [ ${#2} -le 4000 ]; then json_text "$2"; else json_text "$(printf '%.4000s' "$2")"; fi
  printf '@%s {"v":%s,"id":%s,"verb":"%s","ok":false,"reason":"%s","message":%s%s}\n' \
    "$MARKER" "$VERSION" "$ID" "$VERB" "$1" "$J" "$REC"
  return 1
}

# answer_unless_broken: of a verb that has nothing to do where there are no books.
answer_unless_broken() { if [ -z "$BROKEN" ]; then answer; else refuse broken ''; fi; }

# WALL: the wall clock for people, to the second of uptime.
wall_now() {
  [ "${UP%.*}" != "$WALL_UP" ] || return 0
  WALL_UP=${UP%.*}
  WALL=$(date -u +%Y-%m-%dT%H:%M:%SZ)
}

# pause: between two looks; most waits are over in a few milliseconds. Not every sleep knows fractions.
pause() {
  local _tick
  LOOKS=$((LOOKS + 1))
  if [ "$LOOKS" -le 5 ]; then _tick=0.004; elif [ "$LOOKS" -le 50 ]; then _tick=0.01; else _tick=0.05; fi
  sleep "$_tick" 2>/dev/null || sleep 1
}
