# ----------------------------------------------------------------------------------------------------- the door: files

# inode_of PATH: INODE is device:inode of what PATH leads to, empty where nothing is there.
inode_of() { INODE=$(stat -L -c %d:%i "$1" 2>/dev/null) || INODE=''; }

# inode_of_process PID: INODE of the file that it runs.
inode_of_process() { inode_of "/proc/$1/exe"; }

# read_inodes PATH...: INODE_1, INODE_2 ... of what the paths lead to, empty where nothing is there. At most nine paths, none of
# which holds a control character.
read_inodes() {
  local _number _found _path _inode _name
  INODE_1='' INODE_2='' INODE_3='' INODE_4='' INODE_5='' INODE_6='' INODE_7=''
  _number=0
  _found=$(stat -L -c '%d:%i %n' "$@" 2>/dev/null)
  for _path in "$@"; do
    _number=$((_number + 1))
    while read -r _inode _name; do
      [ "$_name" != "$_path" ] || eval "INODE_$_number=\$_inode"
    done <<EOF
$_found
EOF
  done
}

# is_plain TEXT: may stand in a line of ours, or in a list of paths.
is_plain() { case $1 in *[[:cntrl:]]* | *'|'*) return 1 ;; esac; }

# under BASE PATH: FULL is PATH, made absolute from BASE where it is not.
under() { case $2 in /*) FULL=$2 ;; *) FULL=${1%/}/$2 ;; esac; }

# real_path FILE: REAL is its absolute path without links.
real_path() {
  if [ -L "$1" ]; then REAL=$(within 5 readlink -f "$1" 2>/dev/null) || REAL=$1; return; fi
  REAL=$(cd -P "${1%/*}/" 2>/dev/null && pwd -P) || { REAL=$1; return; }
  REAL=${REAL%/}/${1##*/}
}

# place_of DIRECTORY: whose it is. PLACE is empty where only we and root can change what lies at its end, the number of the one
# user who can besides, or `several`, also where that cannot be told. Below VIEW, the root of a master that has mounts of its own, it is
# looked for as that master sees it.
place_of() {
  case $PLACES in *"$NL$VIEW$1$TAB"*) ;; *) look_up_places "$1" ;; esac
  PLACE=several
  case $PLACES in *"$NL$VIEW$1$TAB"*) PLACE=${PLACES#*"$NL$VIEW$1$TAB"} PLACE=${PLACE%%"$NL"*} ;; esac
}

# others_lead DIRECTORY
others_lead() { place_of "$1" && [ -n "$PLACE" ]; }

# look_up_places DIRECTORY...: adds them to PLACES, for good, by owner and mode of each and of all that lead to it; in one look.
look_up_places() {
  local _path _dir _names _found _uid _gid _mode _depth
  _names='' _found=$#
  for _path in "$@"; do
    case $PLACES in *"$NL$VIEW$_path$TAB"*) continue ;; esac
    is_plain "$_path" && straight "$_path" || continue
    _names="$_names$VIEW$_path$NL"
    IFS=$NL
    set -f
    for _dir in $FULL $HELD; do
      [ ! -L "$VIEW$_dir" ] || { set -- "$@" "$VIEW$_dir"; _dir=${_dir%/*}; }
      while [ -n "$_dir" ]; do set -- "$@" "$VIEW$_dir/"; _dir=${_dir%/*}; done
    done
    set +f
    IFS=" $TAB$NL"
    set -- "$@" "$VIEW/"
  done
  shift "$_found"
  [ $# -gt 0 ] || return 0
  _found=$(stat -c '%u %g %a %n' "$@" 2>/dev/null)
  PLACE='' _depth=0
  while read -r _uid _gid _mode _path; do
    _depth=$((_depth + 1))
    weigh "$_depth" "$_uid" "$_gid" "$_mode" "$_path"
    [ "$_path" = "$VIEW/" ] || continue
    # What is not there has no line of its own.
    PLACES="$PLACES${_names%%"$NL"*}$TAB$PLACE$NL" _names=${_names#*"$NL"} PLACE='' _depth=0
  done <<EOF
$_found
EOF
}

# straight DIRECTORY: FULL is the same without links, and HELD are those, a line each: whoever can change one of them leads elsewhere. False
# where there is none.
straight() {
  # There the kernel would follow links to where they lead here.
  [ -z "$VIEW" ] || { follow "$1" && [ -d "$VIEW$FULL/" ]; return; }
  FULL=${1%/} HELD=''
  [ -d "$1/" ] || return 1
  while [ -n "$FULL" ] && [ ! -L "$FULL" ]; do FULL=${FULL%/*}; done
  if [ -z "$FULL" ]; then FULL=${1%/}; else follow "$1"; fi
}

# follow PATH: the kernel's way, link by link (path_resolution(7)); at most forty, as there.
follow() {
  local _rest _part _links
  _rest=${1#/} FULL='' HELD='' _links=0
  while [ -n "$_rest" ]; do
    _part=${_rest%%/*}
    case $_rest in */*) _rest=${_rest#*/} ;; *) _rest='' ;; esac
    case $_part in
      '' | .) continue ;;
      ..) FULL=${FULL%/*}; continue ;;
    esac
    if [ ! -L "$VIEW$FULL/$_part" ]; then FULL=$FULL/$_part; continue; fi
    _links=$((_links + 1)) HELD=$HELD$FULL/$_part$NL
    [ "$_links" -le 40 ] || return 1
    link_of "$VIEW$FULL/$_part"
    [ -n "$LINK" ] && is_plain "$LINK" || return 1
    case $LINK in /*) FULL='' ;; esac
    _rest=${LINK#/}/$_rest
  done
}

# weigh DEPTH UID GROUP MODE DIRECTORY: what one directory of the way makes of PLACE. In one with the sticky bit only its owner moves what
# lies there; the first is the end of the way, where anybody may put something. Of a link only its owner counts.
weigh() {
  case $2 in 0 | "$MY_UID" | "$PLACE") ;; *) [ -z "$PLACE" ] && PLACE=$2 || PLACE=several ;; esac
  case $5 in */) ;; *) return 0 ;; esac
  case $1:$4 in
    1:*[2367]) PLACE=several ;;
    *:[1357]???) ;;
    *[2367]) PLACE=several ;;
    *[2367]?) has_no_members "$3" && has_no_access_list "$5" || PLACE=several ;;
  esac
}

# has_no_members GROUP: nobody but root and us. Some systems have accounts in root's group that nobody can be.
has_no_members() {
  { cat /etc/passwd /etc/group; getent group "$1"; } 2>/dev/null | awk -F : -v G="$1" -v ME="$MY_UID" '
    NF == 7 && ($3 == 0 || $3 == ME) { ours[$1] = 1 }
    NF == 7 && $4 == G && $3 != 0 && $3 != ME && !(G == 0 && $7 ~ /\/(nologin|false|sync|halt|shutdown)$/) { bad = 1 }
    NF == 4 && $3 == G { n = split($4, name, ","); for (i = 1; i <= n; i++) if (!(name[i] in ours)) bad = 1 }
    END { exit bad }'
}

# has_no_access_list DIRECTORY: where there is one, the mode shows as the rights of the group what it gives anybody at most; ls says "+".
has_no_access_list() {
  local _mode
  _mode=$(ls -nd "$1" 2>/dev/null)
  case ${_mode%% *} in ?????????? | ??????????.) ls --version >/dev/null 2>&1 ;; *) return 1 ;; esac
}

# reader_of DIRECTORY: READ_AS is what reads a file there, and what writes one, with no more rights than whoever leads the path
# has. Empty: ours. What several lead is read as nobody.
reader_of() {
  READ_AS=''
  [ "$MY_UID" = 0 ] || return 0
  place_of "$1"
  reader_for "$PLACE"
}

# reader_for PLACE: the same, of what is known already.
reader_for() {
  local _gid
  READ_AS=''
  [ "$MY_UID" = 0 ] || return 0
  case $1 in '' | 0) return 0 ;; esac
  can_step_down || return 0
  case $READERS in *"$NL$1$TAB"*) ;; *)
    if [ "$1" = several ]; then READ_AS='65534 --regid=65534'
    else _gid=$(getent passwd "$1" | cut -d : -f 4); READ_AS="$1 --regid=${_gid:-65534}"; fi
    READERS="$READERS$1${TAB}setpriv --reuid=$READ_AS --clear-groups$NL" ;;
  esac
  READ_AS=${READERS#*"$NL$1$TAB"}
  READ_AS=${READ_AS%%"$NL"*}
}

# can_step_down: busybox has a setpriv that cannot. Then what others lead is read as it was always, but bounded. Tried as root, whom nobody
# else can disturb.
can_step_down() {
  [ -n "$STEPS" ] || { STEPS=no; ! aside 5 setpriv --reuid=0 --regid=0 --clear-groups true || STEPS=yes; }
  [ "$STEPS" = yes ]
}

# is_all_ours FILE: told by the shell itself, so for many: the file and the directories that lead to it are ours, and none is a
# link. One that its group may write to passes: what lies there is ours at this moment.
is_all_ours() {
  [ "$MY_UID" = 0 ] || return 0
  [ -O "$1" ] && [ ! -L "$1" ] && are_our_dirs "${1%/*}"
}

are_our_dirs() {
  local _dir
  [ "$MY_UID" = 0 ] || return 0
  _dir=$1
  while [ -n "$_dir" ]; do
    case $OUR_DIRS in *"$NL$_dir$NL"*) break ;; esac
    [ -O "$_dir" ] && [ ! -L "$_dir" ] || return 1
    _dir=${_dir%/*}
  done
  OUR_DIRS="$OUR_DIRS$1$NL"
}

# only_root_writes FILE: it, and all the directories that lead to it.
only_root_writes() {
  local _path
  _path=$1
  set -- "$_path"
  while _path=${_path%/*}; [ -n "$_path" ]; do set -- "$@" "$_path"; done
  set -- "$@" /
  stat -L -c '%u %A' "$@" 2>/dev/null | awk -v N="$#" '
    $1 != 0 || substr($2, 6, 1) == "w" || substr($2, 9, 1) == "w" { bad = 1 }
    END { exit bad || NR != N }'
}

# pid_in FILE: PID_TEXT is the number in FILE, empty, or says that it is none, where it fails. It may be a pipe, a link to what
# only we can read, or without end: no word of that gets out.
pid_in() {
  PID_TEXT=''
  [ -f "$1" ] || return 1
  if [ "$MY_UID" = 0 ] && [ -O "$1" ] && [ ! -L "$1" ] && place_of "${1%/*}" && [ -z "$PLACE" ]; then
    { read -r PID_TEXT <"$1"; } 2>/dev/null || [ -n "$PID_TEXT" ] || return 1
  else
    reader_of "${1%/*}"
    { PID_TEXT=$(as_theirs 2 32 head -c 32 "$1"); } 2>/dev/null
    PID_TEXT=${PID_TEXT%%"$NL"*}
  fi
  case $PID_TEXT in '') return 1 ;; *[!0-9]* | ???????????*) PID_TEXT='(no number)'; return 1 ;; esac
}

# sign_of_pid_file: PID_SIGN changes with each rename of the pid file, also there and back again.
sign_of_pid_file() { PID_SIGN=$(stat -c '%z %i' "$S_pidf" 2>/dev/null); }

# sign_of_socket PATH: SIGN tells a socket from a later one at the same path, which may have its very inode number; empty where there is none.
sign_of_socket() { SIGN=$(stat -c %d:%i@%Z "$1" 2>/dev/null) || SIGN=''; }

# size_of FILE: SIZE in bytes. free_beside FILE: FREE, the KiB that are left on its file system.
size_of() { SIZE=$(stat -c %s "$1" 2>/dev/null); }
free_beside() { FREE=$(within 5 df -Pk "${1%/*}" 2>/dev/null | awk 'NR == 2 { print $4 }'); }

# mode_of FILE: MODE, OWNER and GROUP as numbers. owner_of FILE: OWNER alone.
mode_of() {
  MODE=$(stat -c '%a %u %g' "$1" 2>/dev/null) || return 1
  OWNER=${MODE#* } MODE=${MODE%% *}
  GROUP=${OWNER#* } OWNER=${OWNER% *}
}

owner_of() { mode_of "$1" || OWNER=''; }

# capabilities_of FILE: CAPS as setcap takes them.
capabilities_of() {
  CAPS=$(within 5 getcap "$1" 2>/dev/null)
  CAPS=${CAPS##* }
}

# same_machine FILE PID: the ELF headers of the file and of what runs name the same class, byte order and machine. What the kernel refuses to run,
# shells and env (execvp) run as a script: a file of another machine must not even be tried.
same_machine() {
  local _kind
  elf_kind "$1"
  _kind=$KIND_BYTES
  elf_kind "/proc/$2/exe"
  [ "$_kind" = "$KIND_BYTES" ]
}

elf_kind() {
  # shellcheck disable=SC2046
  set -- $(beside 5 od -An -tx1 -N20 "$1" 2>/dev/null)
  KIND_BYTES="${5-} ${6-} ${19-} ${20-}"
}

# copy_running PID FILE: what that process runs, whatever lies at its path by now.
copy_running() { cp "/proc/$1/exe" "$2"; }

# has_labels: files have labels of SELinux here.
has_labels() { [ -d /sys/fs/selinux ]; }

# digest_of FILE: DIGEST is its SHA-256; of a path that holds no newline.
digest_of() {
  DIGEST=$(within 60 sha256sum "$1" 2>/dev/null)
  DIGEST=${DIGEST%% *}
}

# digest_of_process PID: the same of what it runs.
digest_of_process() {
  DIGEST=$($PATIENCE sha256sum "/proc/$1/exe" 2>/dev/null)
  DIGEST=${DIGEST%% *}
}
