# ------------------------------------------------------------------------------------------------------ the door: host

# own_version MASTER: what its file says of itself. Opened by us: its user may not follow the link where the file has
# capabilities, and the name may lead elsewhere by now.
own_version() {
  user_of "$1"
  # shellcheck disable=SC2086
  if [ -z "$AS" ]; then env -i "PATH=$PATH" /proc/self/fd/9 -V 2>&1 </dev/null 9<"/proc/$1/exe"
  else heard 11 65536 within 10 env -i "PATH=$PATH" $AS /proc/self/fd/9 -V 9<"/proc/$1/exe"; printf '%s' "$HEARD"; fi
}

# survey MASTER: what takes a process of its own to find out, side by side: OLD_V, OLD_SHA, PROBE, FREE, CWD, EXE, MACHINE, CPUS,
# ABOUT (what the kernel says), PACKAGE, and SHOWN, what systemd says of the unit.
survey() {
  local _replies _sum _text _free
  unit_of "$1"
  uptime_now
  WALL_UP=${UP%.*}
  OLD_V='' OLD_SHA='' PROBE='' FREE=0 CWD=/ MACHINE='' LIBC='' LIBRARIES='' ABOUT='' PACKAGE='' EPOCH=0 SHOWN=''
  count_processors
  user_of "$1"
  link_of "/proc/$1/exe"
  EXE=$LINK
  CWD=$(cd -P "/proc/$1/cwd" 2>/dev/null && pwd -P; echo .)
  CWD=${CWD%"$NL."}
  case $CWD in /*) ;; *) link_of "/proc/$1/cwd"; CWD=${LINK:-/} ;; esac
  # They write into one pipe: whole, and one after the other, comes only what one write of less than a page says.
  _replies=$(
    (one_line "$(own_version "$1")" && say_long build "$LINE") &
    (digest_of_process "$1" && say sha "$DIGEST") &
    $PATIENCE df -Pk "/proc/$1/exe" 2>/dev/null | { read -r _; read -r _ _ _ _free _ && say free "$_free"; } &
    (say machine "$(uname -m)"; say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)") &
    library_names &
    told_sockets "$1" &
    told_probe "$1" &
    surroundings "$1" &
    package_of &
    say wall "$(date -u '+%Y-%m-%dT%H:%M:%SZ %s')" &
    [ -z "$UNIT" ] || shown_of "$UNIT" &
    wait
  )
  # Told anew with what was known before.
  SOCKETS=$NL
  # A shell reads lines byte by byte, and these are many kilobytes.
  set -f
  IFS=$NL
  for _text in $_replies; do
    case $_text in
      build=*) OLD_V=$OLD_V${_text#*=} ;;
      sha=*) OLD_SHA=${_text#*=} ;;
      free=*) is_number "${_text#*=}" && FREE=${_text#*=} ;;
      machine=*) MACHINE=${_text#*=} ;;
      libc=*) LIBC=${_text#*=} ;;
      libraries=*) LIBRARIES=$LIBRARIES${_text#*=} ;;
      wall=*) WALL=${_text#*=} EPOCH=${WALL#* } WALL=${WALL% *}; is_number "$EPOCH" || EPOCH=0 ;;
      about=*) ABOUT="$ABOUT${_text#*=}$NL" ;;
      package=*) PACKAGE=${_text#*=} ;;
      unsafe) UNSAFE=' error_log' ;;
      socket=*) SOCKETS="$SOCKETS${_text#*=}$NL" ;;
      probe=*) PROBE="$PROBE${_text#*=}$NL" ;;
      shown=*) SHOWN=$SHOWN${_text#*=} ;;
      shown.*) SHOWN=$SHOWN$NL ;;
    esac
  done
  IFS=" $TAB$NL"
  set +f
  [ -z "$OLD_V" ] || OLD_V="$OLD_V "
}

# say KEY TEXT: a line of the above, cut where it could not come whole. say_long: in pieces.
say() {
  if [ ${#2} -le 900 ]; then printf '%s=%s\n' "$1" "$2"; else printf '%s=%.900s\n' "$1" "$2"; fi
}

say_long() {
  [ ${#2} -gt 900 ] || { say "$1" "$2"; return; }
  printf '%s' "$2" | awk -v KEY="$1" '{ for (; $0 != ""; $0 = substr($0, 901)) { print KEY "=" substr($0, 1, 900); fflush() } }'
}

# shown_of UNIT: what systemd says of it. Of variables only the names: what they hold may be secret.
shown_of() {
  systemctl show -p Type -p PIDFile -p MainPID -p ExecStart -p ExecReload -p Restart -p NeedDaemonReload -p LimitNOFILE \
    -p Environment -p EnvironmentFiles -p AmbientCapabilities "$1" 2>/dev/null | awk '
    function say(line) { for (; line != ""; line = substr(line, 901)) { print "shown=" substr(line, 1, 900); fflush() } print "shown."; fflush() }
    !/^Environment=/ { say($0); next }
    { n = split(substr($0, 13), words, " "); line = "Environment="
      for (i = 1; i <= n; i++) if (match(words[i], /^["\047]?[A-Za-z_][A-Za-z0-9_]*=/))
        { name = substr(words[i], 1, RLENGTH - 1); sub(/^["\047]/, "", name); line = line name " " }
      say(line) }'
}

# surroundings MASTER: what the kernel says of it, which runs EXE, of its children together, and of the room that there is, read by one
# process. Lines of "about=KEY=VALUE".
surroundings() {
  local _label _tasks
  children_of "$1"
  # Root is held to no number of processes.
  uid_of "$1"
  _tasks=''
  [ "$UID_OF" = 0 ] || _tasks=$(cat /proc/[0-9]*/status 2>/dev/null | awk -v U="$UID_OF" '
    $1 == "Uid:" { user = $2 }
    $1 == "Threads:" && user == U { n += $2 }
    END { print n + 0 }')
  # Without a security module reading it is an error, at which mawk gives up altogether.
  _label=''
  { read -r _label <"/proc/$1/attr/current"; } 2>/dev/null
  $PATIENCE awk -v M="$1" -v C="$CHILDREN" -v EXE="$EXE" -v LABEL="$_label" -v TASKS="$_tasks" '
    # At once: what fills a buffer would be cut among the lines of others.
    function say(key, value) { if (value != "") { print "about=" key "=" substr(value, 1, 900); fflush() } }
    function first(file,   line) { line = ""; getline line < file; close(file); return line }
    # A limit at any level above holds as well.
    function room(path, name,   most, used, left, least) {
      for (least = ""; path ~ /^\//; sub(/\/[^\/]*$/, "", path)) {
        most = first("/sys/fs/cgroup" path "/" name ".max"); used = first("/sys/fs/cgroup" path "/" name ".current")
        left = most - used
        if (most ~ /^[0-9]+$/ && used ~ /^[0-9]+$/ && (least == "" || left < least)) least = left
      }
      return least
    }
    function status(file, master,   line, w) {
      while ((getline line < file) > 0) {
        n = split(line, w)
        if (w[1] == "RssAnon:") held += w[2]
        else if (w[1] == "RssShmem:" && w[2] > shared) shared = w[2]
        else if (master && w[1] ~ /^(Threads|NoNewPrivs|Seccomp|CapEff):$/) say(substr(w[1], 1, length(w[1]) - 1), w[2])
      }
      close(file)
    }
    function limit(file, what,   line, w, said) {
      said = ""
      while (said == "" && (getline line < file) > 0) if (index(line, what) == 1) { split(substr(line, length(what) + 1), w); said = w[1] " " w[2] }
      close(file)
      return said
    }
    function mount(   line, w, n, best, said) {
      while ((getline line < (proc "/mountinfo")) > 0) {
        n = split(line, w); gsub(/\\040/, " ", w[5])
        if (index(EXE, w[5] == "/" ? "/" : w[5] "/") == 1 && length(w[5]) >= length(best)) { best = w[5]; sub(/,.*/, "", w[n]); said = w[6] "," w[n] }
      }
      say("mount", said " " best)
    }
    BEGIN {
      proc = "/proc/" M
      status(proc "/status", 1)
      n = split(C, child, " ")
      for (i = 1; i <= n; i++) status("/proc/" child[i] "/status", 0)
      say("held", held + shared)
      say("nofile", limit(proc "/limits", "Max open files")); say("mostFiles", limit("/proc/1/limits", "Max open files"))
      if (TASKS != "" && (split(limit(proc "/limits", "Max processes"), w) && w[1] ~ /^[0-9]+$/)) say("userPids", w[1] - TASKS)
      mount()
      sub(/ \(deleted\)$/, "", EXE)
      while ((getline line < (proc "/maps")) > 0)
        if (match(line, /\/[^ ]*\/lib(jemalloc|tcmalloc|mimalloc|faketime)[^ \/]*$/)) preload[substr(line, RSTART, 300)] = 1
      for (i in preload) say("preload", i)
      say("label", LABEL)
      say("selinux", first("/sys/fs/selinux/enforce"))
      while ((getline line < "/proc/meminfo") > 0) if (split(line, w) && w[1] == "MemAvailable:") { say("available", w[2]); break }
      while ((getline line < (proc "/cgroup")) > 0) if (line ~ /^0::/) path = substr(line, 4)
      if (path != "") { say("cgroupMemory", room(path, "memory")); say("cgroupPids", room(path, "pids")) }
    }' /dev/null
}

# package_of: the package that the running file, EXE, belongs to, as far as that is quickly told.
package_of() {
  local _file _found
  _file=${EXE%' (deleted)'} _found=''
  if [ -d /var/lib/dpkg/info ]; then
    _found=$(grep -lxF -- "$_file" /var/lib/dpkg/info/*nginx*.list /var/lib/dpkg/info/*openresty*.list \
      /var/lib/dpkg/info/angie*.list /var/lib/dpkg/info/tengine*.list 2>/dev/null)
    _found=${_found%%"$NL"*} _found=${_found##*/} _found=${_found%.list}
  elif command -v rpm >/dev/null; then _found=$(rpm -qf --qf '%{NAME}' "$_file" 2>/dev/null) || _found=''
  elif command -v apk >/dev/null; then _found=$(apk info -q --who-owns "$_file" 2>/dev/null) || _found=''
  fi
  [ -z "$_found" ] || say package "$_found"
}

# count_processors: CPUS that are online, as sysconf counts them for `worker_processes auto`.
count_processors() {
  local _range _list
  CPUS=0 _list=0
  { read -r _list </sys/devices/system/cpu/online; } 2>/dev/null
  while [ -n "$_list" ]; do
    _range=${_list%%,*}
    CPUS=$((CPUS + ${_range#*-} - ${_range%-*} + 1))
    case $_list in *,*) _list=${_list#*,} ;; *) _list='' ;; esac
  done
}

# library_names: the shared libraries that the loader knows here. musl keeps no list: what lies where it looks.
library_names() {
  ldconfig -p 2>/dev/null | library_lines ||
    ls /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /lib/*-linux-* /usr/lib/*-linux-* 2>/dev/null | library_lines
}

# library_lines: short ones, each in a write of its own: only those come whole through a pipe that others write to as well.
library_lines() {
  awk '
    function say() { print "libraries=" names; fflush(); names = "" }
    ($NF ~ /^\// || NF == 1) && $1 ~ /\.so(\.|$)/ && !seen[$1]++ { names = names $1 " "; if (length(names) > 900) say() }
    END { if (names != "") say(); for (name in seen) exit 0; exit 1 }'
}

# told_sockets MASTER: in a process of its own, what there is to know of its sockets.
told_sockets() {
  local _told
  OM=$1
  listeners_of "$1"
  if [ "$ODD_LOG" = 1 ]; then
    link_of "/proc/$1/fd/2"
    is_plain "$LINK" || echo unsafe
  fi
  while read -r _told; do [ -z "$_told" ] || say socket "$_told"; done <<EOF
$SOCKETS
EOF
}

# path_nginx: PATH_NGINX is what people start who only say `nginx`, where root put it there.
path_nginx() {
  local _rest
  PATH_NGINX='' _rest=$PATH:
  while [ -n "$_rest" ]; do
    if [ -x "${_rest%%:*}/nginx" ]; then PATH_NGINX=${_rest%%:*}/nginx; return 0; fi
    _rest=${_rest#*:}
  done
}

# look_at_binary MASTER: OLD_INO and PATH_INO, of the file that runs and of BIN at its path; SAME_MOUNTS, SAME_ROOT, SAME_NETWORK: whether
# it sees what we see; MAGIC, the first bytes at the path; SHARED. What we put beside the binary has to lie there for the master, too.
look_at_binary() {
  path_nginx
  read_inodes "/proc/$1/exe" "$BIN" "/proc/$1/ns/mnt" /proc/self/ns/mnt "${BIN%/*}" "/proc/$1/root${BIN%/*}" "$PATH_NGINX"
  OLD_INO=$INODE_1 PATH_INO=$INODE_2 SAME_MOUNTS=0 SAME_ROOT=0 SAME_NETWORK=1
  ! sees_other net "$1" || SAME_NETWORK=0
  [ "$INODE_3" != "$INODE_4" ] || SAME_MOUNTS=1
  # What may not be looked into is taken for the same.
  [ -n "$INODE_6" ] && [ "$INODE_5" != "$INODE_6" ] || SAME_ROOT=1
  [ -z "$INODE_7" ] || [ "$INODE_7" != "$INODE_1" ] || PATH_NGINX=''
  # What runs is a program; anything else at the path must show what it is.
  MAGIC=7f454c46
  [ "$INODE_1" = "$INODE_2" ] || MAGIC=$(within 2 od -An -tx1 -N4 "$BIN" 2>/dev/null)
  shared_with
}

# shared_with: SHARED are the other masters that run the very same file.
shared_with() {
  local _p
  SHARED=''
  for _p in $ROOTS; do
    case $_p in "$OM" | "$DRAINING") continue ;; esac
    ! runs_like "$_p" "$OM" || SHARED="$SHARED${SHARED:+, }$_p"
  done
}

# can_write_pid_directory MASTER: as the master sees it: a unit may have made it read-only for it alone.
can_write_pid_directory() {
  local _root
  _root=/proc/$1/root
  [ -e "$_root${PIDF%/*}" ] || _root=''
  # shellcheck disable=SC2086
  [ -w "$_root${PIDF%/*}" ] && { [ -z "$AS" ] || aside 5 $AS test -w "${PIDF%/*}"; }
}

# survey_files: side by side: NEWEST, KEYS, CAPS of the binary, and OTHER_V, the version of the `nginx` in PATH, where that is ours.
survey_files() {
  local _replies _text
  NEWEST='' KEYS='' OTHER_V='' CAPS=''
  _replies=$(
    newest_config &
    encrypted_keys &
    if [ -n "$PATH_NGINX" ] && real_path "$PATH_NGINX" && is_all_ours "$REAL" && ! others_lead "${REAL%/*}"; then
      say other "$(within 10 env -i "PATH=$PATH" "$REAL" -v 2>&1 </dev/null | head -n 1)"
    fi &
    say caps "$(getcap "$BIN" 2>/dev/null)" &
    wait
  )
  set -f
  IFS=$NL
  for _text in $_replies; do
    case $_text in
      newest=*) NEWEST=${_text#*=} ;;
      key=*) KEYS="$KEYS${_text#*=}$NL" ;;
      other=*) OTHER_V=${_text#*=} ;;
      caps=*) CAPS=${_text#*=} ;;
    esac
  done
  IFS=" $TAB$NL"
  set +f
}

# guard_choice: KIND of guard that this host allows.
guard_choice() {
  KIND=detached
  [ -d /run/systemd/system ] && command -v systemd-run >/dev/null || return 0
  if [ "$MY_UID" = 0 ]; then KIND=systemd
  # Without lingering, a user's services end with the last login.
  elif [ -e "/var/lib/systemd/linger/$(id -un)" ]; then KIND=systemd-user; fi
}

# ask_service: UNIT_STATE is what the service manager says of the unit: `moves` (it is being stopped, started or reloaded, or it was told to,
# or nobody answers), `stopped` (by whoever said so, also where that failed or took too long), `failed`, `runs`, or `none` without a unit.
# UNIT_MAIN is the number of its main process, UNIT_JOB what it was told to do last, as far as anybody looked.
ask_service() {
  local _line _state _job _ended
  UNIT_STATE=none UNIT_MAIN=''
  [ -n "$S_unit" ] && command -v systemctl >/dev/null || return 0
  _state='' _job='' _ended=''
  # shellcheck disable=SC2086
  while IFS= read -r _line; do
    case $_line in
      ActiveState=*) _state=${_line#*=} ;;
      Job=*) _job=${_line#*=} ;;
      ExecMainCode=* | ExecMainStatus=*) _ended=$_ended:${_line#*=} ;;
      MainPID=*) UNIT_MAIN=${_line#*=} ;;
    esac
  done <<EOF
$(within 5 $MANAGER show -p ActiveState -p Job -p ExecMainCode -p ExecMainStatus -p MainPID "$S_service" 2>/dev/null)
EOF
  case $_job in '' | 0) ;; *) job_type "$_job" ;; esac
  case $_state:${_job:-0} in
    active:0) UNIT_STATE=runs ;;
    inactive:0) UNIT_STATE=stopped ;;
    # Its main process may have left in peace, and what was to stop it failed.
    failed:0) case $UNIT_JOB:$_ended in stop:* | :*:1:0) UNIT_STATE=stopped ;; *) UNIT_STATE=failed ;; esac ;;
    *) UNIT_STATE=moves ;;
  esac
}

# job_type NUMBER: UNIT_JOB is that job's: stop, start, restart and the like.
job_type() {
  local _number _type
  # shellcheck disable=SC2086
  while read -r _number _ _type _; do
    [ "$_number" != "$1" ] || UNIT_JOB=$_type
  done <<EOF
$(within 5 $MANAGER list-jobs --plain --no-legend 2>/dev/null)
EOF
}
