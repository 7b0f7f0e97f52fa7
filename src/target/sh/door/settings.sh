# ------------------------------------------------------------------------------------------ the door: effective settings

# read_directives [ctx=CONTEXT] FILE...: what matters to us of these files, each line once: context TAB name TAB arguments.
# A context is the blocks around a directive, such as http.server. A reader of our own, since `nginx -T` opens logs, creates
# an empty pid file and changes owners (ngx_init_cycle in test mode), and prints secrets. It reads what the master can read. A context
# that begins with "@USER@" says who leads the file; so do then the contexts of what it includes.
read_directives() {
  # shellcheck disable=SC2016,SC2086
  $READER awk '
    BEGIN {
      n = split("pid user daemon master_process worker_processes error_log lock_file load_module worker_shutdown_timeout " \
        "working_directory env ssl_engine quic_bpf", list, " ")
      for (i = 1; i <= n; i++) known["main", list[i]] = 1
      known["events", "accept_mutex"] = known["events", "worker_connections"] = 1
      n = split("access_log client_body_temp_path proxy_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path " \
        "proxy_cache_path fastcgi_cache_path uwsgi_cache_path scgi_cache_path limit_req_zone limit_conn_zone " \
        "lua_shared_dict js_shared_dict_zone keyval_zone quic_host_key", list, " ")
      for (i = 1; i <= n; i++) known["http", list[i]] = 1
      n = split("listen keepalive_min_timeout keepalive_timeout ssl_session_ticket_key ssl_session_tickets " \
        "ssl_session_cache ssl_certificate_key ssl_password_file", list, " ")
      for (i = 1; i <= n; i++) shared[list[i]] = 1
    }
    function word_end() { if (has) words[++n] = token; token = ""; has = variable = 0 }
    function add(text) { if (text != "") { token = token text; has = 1 } }
    # As ngx_conf_parse copies a word: only these lose their backslash.
    function unescaped(c) { return c ~ /["\047\\]/ ? c : c == "t" ? "\t" : c == "r" ? "\r" : c == "n" ? "\n" : "\\" c }
    function context(   i, path) {
      path = base == "main" && depth > 0 ? "" : base
      for (i = 1; i <= depth; i++) path = path (path == "" ? "" : ".") block[i]
      return path
    }
    function matters(where, name) {
      return name == "include" || (where, name) in known || (where == "stream" && name == "limit_conn_zone") ||
        (name in shared && where ~ /^(http|stream|mail)(\.server)?$/) || (name == "zone" && where ~ /\.upstream$/)
    }
    # What nginx opens or makes at its start, on whatever level it is named (ngx_init_cycle, ngx_create_paths). What a variable names comes
    # later. A line for each of thousands of servers is no reason to read no more.
    function starts(name, path) {
      if (name !~ /^(access|error)_log$|_(temp|cache)_path$/ || path ~ /^(syslog:.*|)$/) return
      # Elsewhere these are names of files.
      if ((name == "access_log" && path == "off") || (name == "error_log" && path ~ /^(stderr|memory:.*)$/)) return
      if (path ~ /[$|\001-\037\177]/ || length(path) > 1000 || path in started || ++opened > 2000) return
      started[path] = 1
      print "start\t\t" path
    }
    # Whose values become paths of ours.
    function kept(name, word) { return name ~ /^(pid|error_log|load_module)$/ || (name == "listen" && word ~ /^unix:/) }
    # No more than what can be dealt with in a moment: there may be a line for each of thousands of servers.
    function tell(line) {
      line = substr(line, 1, 2000)
      if (line in told) return
      told[line] = 1
      if (++lines > 6000 || (bytes += length(line)) > 524288) { print "cut\t\t"; exit }
      print line
    }
    function directive(   i, line, where) {
      if (n == 0) return
      where = context()
      if (n > 1) starts(words[1], words[2])
      if (words[1] == "listen") listened[depth] = 1
      else if (words[1] == "include" && !listened[depth]) listened[depth] = 2
      if (matters(where, words[1])) {
        line = (words[1] == "include" ? led : "") where "\t" words[1] "\t"
        # A value in the environment may be a secret.
        if (words[1] == "env") sub(/=.*/, "", words[2])
        for (i = 2; i <= n; i++) {
          if (words[i] ~ /[\001-\037\177|]/ && kept(words[1], words[i])) tell("unsafe\t" words[1])
          gsub(/[\001-\037\177]/, " ", words[i]); line = line (i > 2 ? " " : "") words[i]
        }
        tell(line)
      }
      n = 0
    }
    function open_block() { block[++depth] = words[1]; listened[depth] = n = 0 }
    # A server without `listen` listens all the same (ngx_http_core_server), unless a file that it includes says where.
    function close_block() {
      n = 0
      if (depth == 0) return
      if (block[depth] == "server" && listened[depth] != 1 && context() == "http.server")
        tell("http.server\tlisten\t" (listened[depth] == 2 ? "(unknown)" : "(default)"))
      depth--
    }
    FNR == 1 {
      base = ctx == "" ? "main" : ctx; led = ""
      if (match(base, /^@[^@]*@/)) { led = substr(base, 1, RLENGTH); base = substr(base, RLENGTH + 1) }
      depth = n = 0; token = quote = ""; has = 0
    }
    {
      s = $0
      while (s != "") {
        if (quote != "") {
          if (quote == "\"") found = match(s, /[\\"]/); else found = match(s, /[\\\047]/)
          if (!found) { add(s); s = ""; break }
          c = substr(s, found, 1); add(substr(s, 1, found - 1))
          if (c == "\\") { add(unescaped(substr(s, found + 1, 1))); s = substr(s, found + 2) }
          else { quote = ""; has = 1; s = substr(s, found + 1) }
          continue
        }
        if (!match(s, /[ \t\r;{}"\047#\\]/)) { add(s); s = ""; break }
        add(substr(s, 1, RSTART - 1)); c = substr(s, RSTART, 1); s = substr(s, RSTART + 1)
        if (c == " " || c == "\t" || c == "\r") word_end()
        else if (c == "#") { if (has) add(c); else s = "" }
        else if (c == "\"" || c == "\047") { if (has) add(c); else quote = c }
        else if (c == "\\") { add(unescaped(substr(s, 1, 1))); s = substr(s, 2) }
        else if (c == ";") { word_end(); directive() }
        else if (c == "{") { if (token ~ /\$$/) add(c); else { word_end(); open_block() } }
        # Within a word a closing brace is a letter like others.
        else if (has) add(c)
        else close_block()
      }
      if (quote == "") word_end(); else add("\n")
    }' "$@"
}

# apply_directives TEXT: sets what its main level says, and gathers all of it in DIRECTIVES. A later line wins only where
# nginx would refuse two anyway.
apply_directives() {
  local _line _where _name _args
  set -f
  IFS=$NL
  for _line in $1; do
    _where=${_line%%"$TAB"*} _name=${_line#*"$TAB"}
    _args=${_name#*"$TAB"} _name=${_name%%"$TAB"*}
    case $_where:$_name in
      unsafe:*) UNSAFE="$UNSAFE $_name"; continue ;;
      cut:*) CONFIG_WHOLE=0; continue ;;
      start:*) STARTS="$STARTS$_args$NL"; continue ;;
      *:include) C_INCLUDE="$C_INCLUDE$_where$TAB$_args$NL"; continue ;;
      main:pid) C_PID=$_args ;;
      main:user) C_USER=$_args ;;
      main:daemon) C_DAEMON=$_args ;;
      main:master_process) C_MASTER=$_args ;;
      main:worker_processes) C_WORKERS=$_args ;;
      events:accept_mutex) C_MUTEX=$_args ;;
      main:error_log) [ -n "$C_LOG" ] || C_LOG=${_args%% *} ;;
      main:lock_file) C_LOCK=$_args ;;
    esac
    DIRECTIVES="$DIRECTIVES$_line$NL"
  done
  IFS=" $TAB$NL"
  set +f
}

# config_of FILE: reads FILE and what it includes, level by level, into DIRECTIVES and the C_ variables. CONFIG_FILES are
# all files that were read, one a line.
config_of() {
  local _depth _dir _where _pattern _file _text
  # Includes are relative to the directory of the main file (ngx_conf_include, conf_prefix).
  _dir=${1%/*} _depth=0 C_INCLUDE='' CONFIG_FILES=$1$NL CONFIG_WHOLE=1
  # What blocks is no configuration.
  [ -f "$1" ] || return 0
  uptime_now
  CONFIG_BY=$((NOW + 200))
  set -- ctx=main "$1"
  while [ $# -gt 0 ] && [ "$_depth" -lt 8 ]; do
    _depth=$((_depth + 1))
    _text=$(read_level "$@")
    C_INCLUDE=''
    apply_directives "$_text"
    set --
    while IFS=$TAB read -r _where _pattern; do
      [ -n "$_pattern" ] || continue
      under "$_dir" "$_pattern"
      expand "$FULL" "$_where"
      set -- "$@" "ctx=$EXPANDED_BY$_where"
      IFS=$NL
      set -f
      for _file in $EXPANDED; do set -- "$@" "$_file"; done
      set +f
      IFS=" $TAB$NL"
    done <<EOF
$C_INCLUDE
EOF
    has_files "$@" || set --
  done
  [ $# = 0 ] || CONFIG_WHOLE=0
}

# has_files WORD...: notes the files among them in CONFIG_FILES; false where there are none that are new.
has_files() {
  local _word _any
  _any=1
  for _word in "$@"; do
    case $_word in ctx=*) continue ;; esac
    case "$NL$CONFIG_FILES" in *"$NL$_word$NL"*) ;; *) CONFIG_FILES="$CONFIG_FILES$_word$NL" _any=0 ;; esac
  done
  return "$_any"
}

# expand PATTERN CONTEXT: EXPANDED are the files that it means, one a line, with the rights of whoever leads it. Whoever may create
# files there may call them anything, or create so many that it never ends; and says whatever it likes, so what it says is led by it
# (EXPANDED_BY, as in a context), and lies where the pattern does.
expand() {
  local _dir _led
  EXPANDED='' EXPANDED_BY='' _led=''
  case $1 in *[[:cntrl:]]*) return 0 ;; esac
  READ_AS=$AS
  [ -n "$AS" ] || case $2 in @*) _led=${2#@} _led=${_led%%@*} && reader_for "$_led" ;; esac
  # One that its reader may not read would end the reading of all.
  case $_led:$1 in
    *[*?[]* | ?*:*) ;;
    *) [ ! -f "$1" ] || EXPANDED=$1; return 0 ;;
  esac
  _dir=${1%/*}
  case $READ_AS$_dir in
    /*[*?[]*) ;;
    /*) if [ "$MY_UID" != 0 ] || are_our_dirs "$_dir"; then expand_here "$1"; return; fi ;;
  esac
  _dir=${1%%[*?[]*}
  _dir=${_dir%/*}
  if [ -z "$AS$_led" ] && [ "$MY_UID" = 0 ]; then reader_of "$_dir"; EXPANDED_BY=${PLACE:+"@$PLACE@"}; fi
  config_time
  EXPANDED=$(as_theirs "$LEFT" 262144 /bin/sh -c "$EXPAND" expand "$1" | head -c 262144 | DIR=$_dir/ awk 'index($0, ENVIRON["DIR"]) == 1')
}

# shellcheck disable=SC2016
EXPAND='IFS=; for file in $1; do case $file in *[[:cntrl:]]*) ;; *) [ ! -f "$file" ] || [ ! -r "$file" ] || printf "%s\n" "$file" ;; esac; done'

expand_here() {
  local _file
  IFS=''
  for _file in $1; do
    [ -f "$_file" ] && [ -r "$_file" ] && is_plain "$_file" && EXPANDED="$EXPANDED$_file$NL"
  done
  IFS=" $TAB$NL"
}

# config_time: LEFT, of the twenty seconds that reading all of a configuration may take.
config_time() {
  uptime_now
  LEFT=$(((CONFIG_BY - NOW) / 10))
  [ "$LEFT" -ge 1 ] || LEFT=1
}

# read_level [ctx=CONTEXT] FILE...: reads them with the master's rights where they are others than ours; where not, those of ours
# in one go, and what others can lead with the rights of whoever that is.
read_level() {
  local _word _context _others _file
  config_time
  if [ -n "$AS" ] || [ "$MY_UID" != 0 ]; then READ_AS=$AS READER="as_theirs $LEFT 1048576"; read_directives "$@"; return; fi
  _others='' _context=''
  real_links "$@"
  for _word in "$@"; do
    shift
    case $_word in ctx=@*) _context=$_word; continue ;; ctx=*) _context=$_word; set -- "$@" "$_word"; continue ;; esac
    _file=$_word
    case $_context in ctx=@*) _others="$_others$_context$TAB$_file$NL"; continue ;; esac
    if [ -L "$_word" ] && are_our_dirs "${_word%/*}"; then
      case $LINKED in *"$NL$_word$TAB"*) ;; *) printf 'unsafe\tinclude\t\n'; continue ;; esac
      _file=${LINKED#*"$NL$_word$TAB"} _file=${_file%%"$NL"*}
    fi
    if is_all_ours "$_file"; then set -- "$@" "$_file"; else _others="$_others$_context$TAB$_file$NL"; fi
  done
  # A file that is ours now may be a pipe of somebody's in the next moment.
  READER="within $LEFT"
  read_directives "$@"
  [ -z "$_others" ] || read_of_others "$_others"
}

# real_links FILE...: LINKED says of those that are links, a line each, what file that is; nothing where names have newlines.
real_links() {
  local _word _reals
  LINKED=$NL
  for _word in "$@"; do
    shift
    [ ! -L "$_word" ] || set -- "$@" "$_word"
  done
  [ $# -gt 0 ] || return 0
  # busybox takes no two.
  _reals=$(readlink -f "$@" 2>/dev/null) || _reals=$(for _word in "$@"; do readlink -f "$_word"; done)
  set -f
  IFS=$NL
  for _word in $_reals; do
    [ $# -gt 0 ] || { LINKED=$NL; break; }
    LINKED="$LINKED$1$TAB$_word$NL"
    shift
  done
  IFS=" $TAB$NL"
  set +f
  [ $# = 0 ] || LINKED=$NL
}

# read_of_others LINES: of "ctx=CONTEXT TAB FILE", those that are led by one user together.
read_of_others() {
  local _context _file _led _last _lines
  _lines=$1 _last=''
  set --
  while IFS=$TAB read -r _context _file; do
    [ -n "$_file" ] || continue
    case $_context in
      ctx=@*) _led=${_context#ctx=@} _led=${_led%%@*} ;;
      *)
        place_of "${_file%/*}"
        _led=$PLACE
        # Who owns a file says what it includes, wherever it lies.
        [ -n "$_led" ] || { owner_of "$_file"; _led=${OWNER:-several}; }
        [ "$_led" = "$MY_UID" ] || _context=ctx=@$_led@${_context#ctx=} ;;
    esac
    if [ "$_led" != "$_last" ] && [ $# -gt 0 ]; then read_as "$_last" "$@"; set --; fi
    _last=$_led
    set -- "$@" "$_context" "$_file"
  done <<EOF
$_lines
EOF
  read_as "$_last" "$@"
}

# read_as USER [ctx=CONTEXT] FILE...: what that user says of the files. Whose they are, and where they stand, is for us to say.
read_as() {
  local _led _bases _word
  _led=@$1@ _bases=''
  [ "$1" != "$MY_UID" ] || _led=''
  reader_for "$1"
  shift
  for _word in "$@"; do
    case $_word in
      ctx=@*) _word=${_word#ctx=@} _bases="$_bases${_word#*@}$NL" ;;
      ctx=*) _bases="$_bases${_word#ctx=}$NL" ;;
    esac
  done
  config_time
  READER="as_theirs $LEFT 1048576"
  read_directives "$@" | BASES=$_bases LED=$_led awk -F "$TAB" '
    BEGIN { n = split(ENVIRON["BASES"], base, "\n") - 1 }
    $1 == "unsafe" || $1 == "cut" || $1 == "start" { print; next }
    NF != 3 { next }
    { line = $0; sub(/^@[^@]*@/, "", line); where = line; sub(/\t.*/, "", where)
      for (i = 1; i <= n; i++) if (where == base[i] || base[i] == "main" || index(where, base[i] ".") == 1) {
        print ($2 == "include" ? ENVIRON["LED"] : "") line
        next
      } }'
}

# build_flag NAME: FLAG is the value that `nginx -V` shows for --NAME, or empty. Word by word: shells take long to cut a long text.
build_flag() {
  local _word
  FLAG=''
  case " $OLD_V " in *" --$1="*) ;; *) return 0 ;; esac
  set -f
  for _word in $OLD_V; do
    case $_word in "--$1="*) flag_in "$_word"; break ;; esac
  done
  set +f
}

# flag_in WORD: FLAG is the value in it. configure puts quotes around some.
flag_in() { FLAG=${1#*=} FLAG=${FLAG#\'} FLAG=${FLAG%\'}; }

# command_line MASTER: ARGV0 and the options of the running master, taken from its title.
command_line() {
  local _words _want _w
  title_of "$1"
  OWN_TITLE=$TITLE OWN_TITLE_CUT=$TITLE_CUT
  ARGV0='' OPT_C='' OPT_P='' OPT_E='' OPT_G='' ARGS=''
  case $TITLE in *' process '*) ;; *) return 0 ;; esac
  _words=${TITLE#*' process '}
  ARGV0=${_words%% *}
  [ "$_words" = "$ARGV0" ] || ARGS=${_words#* }
  _want=''
  set -f
  # shellcheck disable=SC2086
  for _w in $ARGS; do
    # The value of -g has blanks of its own; it ends where a directive ended and an option begins.
    case $_want:$OPT_G:$_w in -g:*\;:-[cpegtTvVq]*) _want='' ;; esac
    case $_want in
      -c) OPT_C=$_w _want='' ; continue ;;
      -p) OPT_P=$_w _want='' ; continue ;;
      -e) OPT_E=$_w _want='' ; continue ;;
      -g) OPT_G="${OPT_G:+$OPT_G }$_w" ; continue ;;
    esac
    case $_w in
      -[cpeg]) _want=$_w ;;
      -c*) OPT_C=${_w#-c} ;;
      -p*) OPT_P=${_w#-p} ;;
      -e*) OPT_E=${_w#-e} ;;
      -g*) OPT_G=${_w#-g} _want=-g ;;
    esac
  done
  set +f
}

# settings_of MASTER: what this master runs with: OLD_V, PREFIX, CONF, PIDF, LOGFILE and the C_ variables. UNSAFE names what holds
# characters that no line of ours may hold.
settings_of() {
  UNSAFE='' SETTLED=$1
  command_line "$1"
  survey "$1"
  is_plain "$CWD" || UNSAFE="$UNSAFE cwd"
  is_plain "$EXE$ARGV0" || UNSAFE="$UNSAFE binary"
  build_flag prefix
  # Built with an empty one, it is the directory where nginx was started.
  case " $OLD_V" in *" --prefix= "*) FLAG=$CWD ;; esac
  PREFIX=${OPT_P:-${FLAG:-/usr/local/nginx}}
  under "$CWD" "$PREFIX"; PREFIX=$FULL
  build_flag conf-path
  under "$PREFIX" "${OPT_C:-${FLAG:-conf/nginx.conf}}"; CONF=$FULL
  C_PID='' C_USER='' C_DAEMON='' C_MASTER='' C_WORKERS='' C_MUTEX='' C_LOG='' C_LOCK='' DIRECTIVES='' STARTS=''
  config_of "$CONF"
  READER='within 5'
  [ -z "$OPT_G" ] || apply_directives "$(printf '%s;\n' "$OPT_G" | read_directives -)"
  build_flag pid-path
  under "$PREFIX" "${C_PID:-${FLAG:-logs/nginx.pid}}"; PIDF=$FULL
  is_plain "$PREFIX$CONF$PIDF" || UNSAFE="$UNSAFE path"
  build_flag error-log-path
  under "$PREFIX" "${C_LOG:-${OPT_E:-${FLAG:-logs/error.log}}}"; LOGFILE=$FULL
  is_plain "$LOGFILE" || UNSAFE="$UNSAFE error_log" LOGFILE=''
}

# others_lead_settings: whether anybody but root can change what the configuration consists of, or chose its options.
others_lead_settings() {
  local _file
  [ -n "$CONFIG_FILES" ] && [ "$CONFIG_WHOLE" = 1 ] || return 0
  case $MODULES_PLACE in '' | none) ;; *) return 0 ;; esac
  case $OPT_G:$SHOWN in :* | *" $OPT_G"*) ;; *) return 0 ;; esac
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $CONFIG_FILES
  IFS=" $TAB$NL"
  set +f
  for _file in "$@"; do
    others_lead "${_file%/*}" && return 0
    real_path "$_file"
    others_lead "${REAL%/*}" && return 0
    only_root_writes "$REAL" || return 0
  done
  return 1
}

# same_config: the files that were read here are those that the master sees.
same_config() {
  local _file
  [ -n "$VIEW" ] || return 0
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $CONFIG_FILES
  IFS=" $TAB$NL"
  set +f
  for _file in "$@"; do follow "$_file" && [ "$VIEW$FULL" -ef "$_file" ] || return 1; done
}

# led_paths DIRECTORY: LED are the directories, a line each with who else leads it, in which a master of root opens or makes something by
# its name: logs, its pid file, directories for bodies and caches. It follows links, and gives those directories to its workers' user.
# All that as the master sees it. The binary's own directory is looked at along with them.
led_paths() {
  local _path _dirs
  LED=''
  [ "$MY_UID" = 0 ] && [ -z "$AS" ] || { look_up_places "$1" "${PIDF%/*}"; return; }
  start_paths "$OLD_V"
  _dirs=''
  set -f
  IFS=$NL
  for _path in $PATHS; do
    case $NL$_dirs in *"$NL${_path%/*}$NL"*) ;; *) _dirs="$_dirs${_path%/*}$NL" ;; esac
  done
  # shellcheck disable=SC2086
  set -- "$1" $_dirs
  IFS=" $TAB$NL"
  set +f
  if sees_other mnt "$OM"; then look_up_places "$1"; shift; view_of "$OM"; look_up_places "$@"
  else look_up_places "$@"; shift; fi
  for _path in "$@"; do
    # What is not there is for root alone to make, where it is to be.
    ! straight "$_path" || ! others_lead "$_path" || LED="$LED$_path: ${PLACE#several}$NL"
  done
  VIEW=''
}

# start_paths BUILD: PATHS are what nginx opens or makes at its start, a line each: by its configuration, and what that build takes where the
# configuration says nothing.
start_paths() {
  local _word
  PATHS=$PIDF$NL
  [ -z "$LOGFILE" ] || PATHS="$PATHS$LOGFILE$NL"
  set -f
  for _word in $1; do
    case $_word in
      --error-log-path=* | --http-log-path=* | --http-*-temp-path=*) flag_in "$_word"; under "$PREFIX" "${FLAG%/}"; PATHS="$PATHS$FULL$NL" ;;
    esac
  done
  IFS=$NL
  for _word in $STARTS; do under "$PREFIX" "${_word%/}"; PATHS="$PATHS$FULL$NL"; done
  IFS=" $TAB$NL"
  set +f
}

# same_file FILE OTHER: by whatever links, where root alone leads both.
same_file() {
  [ "${1##*/}" = "${2##*/}" ] && [ "${1%/*}/" -ef "${2%/*}/" ] || return 1
  ! others_lead "${1%/*}" && ! others_lead "${2%/*}"
}

# newest_config: when, in seconds since the epoch, which file of the configuration was written last.
newest_config() {
  local _time _file _newest _which
  _newest=0 _which=''
  IFS=$NL
  set -f
  # shellcheck disable=SC2086
  set -- $CONFIG_FILES
  set +f
  IFS=" $TAB$NL"
  [ $# -gt 0 ] || return 0
  while read -r _time _file; do
    # Others' words are no numbers before they were looked at: mksh calculates what stands there.
    is_number "$_time" || continue
    [ "$_time" -le "$_newest" ] || _newest=$_time _which=$_file
  done <<EOF
$(READ_AS=$AS; as_theirs 10 1048576 stat -L -c '%Y %n' -- "$@")
EOF
  is_number "$_newest" && say newest "$_newest $_which"
}

# encrypted_keys: files of private keys that want a passphrase. Paths start at the directory of the configuration
# (ngx_conf_full_name); what is no file is not looked at, and of what others lead at most fifty.
encrypted_keys() {
  local _path _link _links _others
  case $DIRECTIVES in *"${TAB}ssl_certificate_key$TAB"*) ;; *) return 0 ;; esac
  _links='' _others=''
  set -f
  IFS=$NL
  set --
  for _path in $(awk -F "$TAB" '
    $2 == "ssl_certificate_key" && $3 !~ /[$]|^(data|engine|store):/ && !seen[$3]++ { print $3 }' <<EOF
$DIRECTIVES
EOF
  ); do
    under "${CONF%/*}" "$_path"
    [ -f "$FULL" ] || continue
    if [ -z "$AS" ] && is_all_ours "$FULL"; then set -- "$@" "$FULL"
    elif [ -z "$AS" ] && [ -L "$FULL" ] && are_our_dirs "${FULL%/*}"; then _links="$_links$FULL$NL"
    else _others="$_others$FULL$NL"; fi
  done
  # shellcheck disable=SC2086
  for _path in $([ -z "$_links" ] || readlink -f $_links 2>/dev/null || for _link in $_links; do readlink -f "$_link"; done); do
    if is_all_ours "$_path"; then set -- "$@" "$_path"; else _others="$_others$_path$NL"; fi
  done
  # What is a file now may be a pipe of somebody's in the next moment.
  [ $# = 0 ] || within 10 grep -lsE "$ENCRYPTED" "$@" | while IFS= read -r _path; do say key "$_path"; done
  # shellcheck disable=SC2086
  set -- $_others
  IFS=" $TAB$NL"
  set +f
  for _path in "$@"; do
    [ $# -le 50 ] || { shift; continue; }
    READ_AS=$AS
    [ -n "$AS" ] || reader_of "${_path%/*}"
    ! as_theirs 2 65536 head -c 65536 "$_path" | grep -qE "$ENCRYPTED" || say key "$_path"
  done
}

ENCRYPTED='^Proc-Type: 4,ENCRYPTED|^-----BEGIN ENCRYPTED'
