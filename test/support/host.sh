#!/bin/sh
# Whole Debian machines on this one: systemd in a container with an overlay, a cgroup and a network namespace of its own.
# usage: host.sh VERB ARGUMENT...   as root. All state that must survive us lies below $state, a folder a host.
#   prepare DIR MIRROR RELEASE NGINX KEY.pub   makes the base system and the layer with nginx and users, where missing
#   up DIR NAME PID                            claims an address for the process PID; prints its number
#   boot N | halt N | cut N | wipe N | down N | enter N SCRIPT | watch N (takes N down at the end of its input) | sweep
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 022
state=/run/nhu-test
bridge=nhu0
network=10.231.77
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=/dev/null
. "$here/host-image.sh"

die() {
  echo "host.sh: $*" >&2
  exit 1
}

# One process at a time changes bridge and claims; the kernel frees the lock if we die.
lock() {
  [ -z "${locked:-}" ] || return 0
  exec 9>/run/lock/nhu-test
  flock 9
  locked=yes
}

up() {
  sweep
  lock
  mkdir -p "$state/hosts"
  n=2
  until mkdir "$state/hosts/$n" 2>/dev/null; do
    n=$((n + 1))
    [ "$n" -lt 100 ] || die 'expected a free address, found a hundred hosts'
  done
  claim=$state/hosts/$n
  echo "$3 $(start_time "$3")" >"$claim/owner"
  echo "$1" >"$claim/dir"
  echo "$2" >"$claim/name"
  connect_network
  mount_host
  echo "$n"
}

connect_network() {
  # ip makes this a mount of its own for ever; ours to undo only where we were the first.
  grep -q ' /run/netns ' /proc/mounts || : >"$state/made-netns"
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    ip link add "$bridge" address 02:6e:68:75:00:01 type bridge
    ip address add "$network.1/24" dev "$bridge"
    ip link set "$bridge" up
  fi
  # Fixed addresses: a host that is reset would otherwise meet half a minute of stale ARP.
  ip netns add "nhu-$n"
  ip link add "nhu-$n" type veth peer name eth0 netns "nhu-$n" address "02:6e:68:75:01:$(printf %02x "$n")"
  ip link set "nhu-$n" master "$bridge" up
  ip -n "nhu-$n" link set lo up
  ip -n "nhu-$n" address add "$network.$n/24" dev eth0
  ip -n "nhu-$n" link set eth0 up
}

mount_host() {
  dir=$(cat "$claim/dir") name=$(cat "$claim/name")
  own=$dir/host-$n
  mkdir -p "$own/upper" "$own/work" "$own/root"
  mount_overlay "$(cat "$dir/current")" "$own"
  # Into the upper layer: what a rename does to a file of the lower ones is the overlay's doing, not a disk's.
  chmod 755 "$own/root/usr/sbin/nginx"
  [ ! -e "$own/root/etc/ssh/ssh_host_ed25519_key" ] || return 0
  ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$own/root/etc/ssh/ssh_host_ed25519_key"
  echo "$name" >"$own/root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >"$own/root/etc/hosts"
  # Not removed but replaced: a first boot would apply presets and enable what was disabled.
  tr -d - </proc/sys/kernel/random/uuid >"$own/root/etc/machine-id"
}

boot() {
  own=$(cat "$claim/dir")/host-$n
  ! nspawn >/dev/null || die "host $n is up already"
  # shellcheck disable=SC2016,SC2046 # expanded by the shell that becomes nspawn; paths of ours without blanks
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 sh -c 'for group in "$@"; do echo $$ >"$group/cgroup.procs"; done; exec setsid systemd-nspawn -q -D "$ROOT" --boot \
    --register=no --keep-unit --network-namespace-path="/run/netns/nhu-$N" -M "nhu-$N" --hostname="$NAME" \
    --resolv-conf=off --timezone=off --link-journal=no' sh $(make_cgroups) \
    <"/dev/null" >"$claim/console" 2>&1 &
  echo "$! $(start_time $!)" >"$claim/nspawn"
  ticks=0
  until leader >/dev/null; do
    nspawn >/dev/null || die "nspawn ended: $(tail -n 3 "$claim/console")"
    [ "$ticks" -lt 600 ] || die "nspawn did not boot: $(tail -n 3 "$claim/console")"
    ticks=$((ticks + 1))
    sleep 0.05
  done
}

# A cgroup of its own in every hierarchy: in a shared one, units would count the processes of their namesakes elsewhere.
make_cgroups() {
  cgroup_mounts | while read -r point; do
    group=$point/nhu-$n
    mkdir -p "$group"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$point/$file" ] || [ ! -e "$group/$file" ] || cat "$point/$file" >"$group/$file"
    done
    echo "$group"
  done
}

cgroup_mounts() {
  awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts
}

# The pid of the host's systemd-nspawn, if that very process still lives.
nspawn() {
  read -r pid start 2>/dev/null <"$claim/nspawn" || return 1
  [ -n "$start" ] && [ "$(start_time "$pid")" = "$start" ] && echo "$pid"
}

# The pid of the host's own systemd.
leader() {
  pid=$(nspawn) && child=$(cat "/proc/$pid/task/$pid/children") || return 1
  child=${child%% *}
  case $(readlink "/proc/$child/exe") in
    */systemd) echo "$child" ;;
    *) return 1 ;;
  esac
}

# Empty for a process that is gone or a zombie.
start_time() {
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'
}

# Signals the host's init and waits until nothing of the host runs.
off() {
  nspawn >/dev/null || return 0
  kill -s "$1" "$(leader || nspawn)"
  ticks=0
  while nspawn >/dev/null; do
    ticks=$((ticks + 1))
    [ "$ticks" -lt 400 ] || kill -s KILL "$(nspawn)"
    [ "$ticks" -lt 600 ] || die "host $n does not stop"
    sleep 0.05
  done
}

wipe() {
  off KILL
  dir=$(cat "$claim/dir")
  # A power cut keeps who the host is; a wipe keeps its keys and names too, or nobody could log in again.
  mkdir -p "$claim/identity"
  for file in ssh/ssh_host_ed25519_key ssh/ssh_host_ed25519_key.pub hostname hosts machine-id; do
    [ -e "$claim/identity/${file##*/}" ] || cp -p "$dir/host-$n/upper/etc/$file" "$claim/identity/"
  done
  discard "$dir/host-$n"
  mkdir -p "$dir/host-$n/upper/etc/ssh" "$dir/host-$n/work" "$dir/host-$n/root"
  cp -p "$claim/identity/"ssh_host* "$dir/host-$n/upper/etc/ssh/"
  cp -p "$claim/identity/hostname" "$claim/identity/hosts" "$claim/identity/machine-id" "$dir/host-$n/upper/etc/"
  mount_host
}

down() {
  # Its watcher and a sweep may meet here; the second one finds nothing left to do.
  lock
  [ -e "$claim/dir" ] || return 0
  off KILL
  cgroup_mounts | while read -r point; do
    remove_cgroup "$point/nhu-$n"
  done
  discard "$(cat "$claim/dir")/host-$n"
  # The namespace lives until its last process is reaped; its end of the cable goes now.
  ip link delete "nhu-$n" 2>/dev/null || :
  ip netns delete "nhu-$n" 2>/dev/null || :
  rm -rf "/run/systemd/nspawn/propagate/nhu-$n" "$claim" # the claim last: a number is free when nothing is left of it
  rmdir "$state/hosts" 2>/dev/null || return 0
  ip link delete "$bridge"
  if [ -e "$state/made-netns" ]; then
    umount /run/netns
    rmdir /run/netns
  fi
  rm -rf "$state"
}

# Where nspawn itself died first, the host lives on: its own cgroup says who belongs to it.
remove_cgroup() {
  ticks=0
  while [ -d "$1" ] && ! find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; do
    ticks=$((ticks + 1))
    [ "$ticks" -lt 100 ] || die "cannot remove $1"
    find "$1" -name cgroup.procs -exec xargs -r -a {} kill -s KILL \; 2>/dev/null
    sleep 0.05
  done
}

# Takes down the hosts of owners that are gone.
sweep() {
  for claim in "$state"/hosts/*; do
    [ -e "$claim/owner" ] || continue
    read -r pid start <"$claim/owner"
    [ "$(start_time "$pid")" != "$start" ] || continue
    n=${claim##*/}
    (down) || echo "host.sh: a host left by process $pid is not wholly removed" >&2
  done
}

enter() {
  exec nsenter -t "$(leader)" -a env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 NAME="$(cat "$claim/name")" sh -c "$1"
}

verb=$1
shift
case $verb in
  prepare | up | sweep) "$verb" "$@" ;;
  boot | halt | cut | wipe | down | enter | watch)
    n=$1 claim=$state/hosts/$1
    shift
    [ -e "$claim/dir" ] || die "host $n does not exist"
    case $verb in
      boot) NAME=$(cat "$claim/name") N=$n ROOT=$(cat "$claim/dir")/host-$n/root && export NAME N ROOT && boot ;;
      halt) off RTMIN+4 ;;
      cut) off KILL ;;
      watch) cat >/dev/null && down ;;
      *) "$verb" "$@" ;;
    esac
    ;;
  *) die "unknown verb $verb" ;;
esac
