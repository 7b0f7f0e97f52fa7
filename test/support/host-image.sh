# shellcheck shell=sh disable=SC2154 # $here is set by host.sh
# Read by host.sh: the disk of a host. A base system that debootstrap makes once, a layer with nginx and users on top of
# it, and above both the host's own.

prepare() {
  dir=$1 mirror=$2 release=$3 nginx=$4 key=$5
  mkdir -p "$dir"
  exec 8>"$dir/lock"
  flock 8
  packages
  base=$dir/base-$(echo "$release $components $include" | sha256sum | cut -c1-16)
  [ -d "$base" ] || make_base
  wanted=$({ echo "$base"; cat "$here/host-provision.sh" "$nginx" "$key"; } | sha256sum | cut -c1-16)
  [ -d "$dir/layer-$wanted" ] || make_layer
  echo "$dir/layer-$wanted:$base" >"$dir/current"
}

# The shells are those that logins have; needrestart is what restarts services behind the back of an upgrade.
packages() {
  include=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,openssh-server,iproute2,sudo,procps,curl,attr
  include=$include,libcap2-bin,e2fsprogs,libpcre2-8-0,zlib1g,libssl3,mksh,busybox,zsh,fish,tcsh,needrestart
  components=main
  ! grep -q '^ID=ubuntu' /etc/os-release || components=main,universe
}

make_base() {
  discard "$base.part"
  debootstrap --variant=minbase --components="$components" --include="$include" "$release" "$base.part" "$mirror" \
    >"$dir/debootstrap.log" 2>&1 || die "debootstrap failed: $(tail -n 3 "$dir/debootstrap.log")"
  rm -rf "$base.part/var/cache/apt/archives" "$base.part/var/lib/apt/lists"
  mv "$base.part" "$base"
}

make_layer() {
  part=$dir/layer.part
  discard "$part/root"
  rm -rf "$part"
  mkdir -p "$part/upper" "$part/work" "$part/root"
  mount_overlay "$base" "$part"
  install -m 755 "$nginx" "$part/root/usr/sbin/nginx"
  install -m 644 "$key" "$part/root/tmp/client.pub"
  install -m 755 "$here/host-provision.sh" "$part/root/tmp/provision"
  done=0
  chroot "$part/root" /tmp/provision >"$dir/provision.log" 2>&1 || done=$?
  rm -f "$part/root/tmp/provision" "$part/root/tmp/client.pub"
  umount "$part/root"
  [ "$done" = 0 ] || die "provisioning failed: $(tail -n 3 "$dir/provision.log")"
  mv "$part/upper" "$dir/layer-$wanted"
  rm -rf "$part"
}

# Removes a folder that a killed run may have left mounted or with mounts inside.
discard() {
  awk -v top="$1" 'index($2, top "/") == 1 || $2 == top { print $2 }' /proc/mounts | sort -r | while read -r point; do
    umount -l "$point"
  done
  rm -rf --one-file-system "$1"
}

mount_overlay() {
  mount -t overlay nhu-test -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
}
