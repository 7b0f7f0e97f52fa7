#!/usr/bin/env bash
# What `npm run bench` compares with: the same upgrade as a careful operator scripts it with scp and ssh. One connection
# for all steps, one sudo, digest and configuration checked first, the old binary kept, every wait with an end.
# usage: plain-script.sh USER@HOST IDENTITY-FILE KNOWN-HOSTS-FILE BINARY
set -euo pipefail

target=$1 identity=$2 known_hosts=$3 binary=$4
directory=$(mktemp -d)
options=(-F none -i "$identity" -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes
  -o UserKnownHostsFile="$known_hosts" -o ControlPath="$directory/master" -o ControlMaster=auto -o ControlPersist=60)

finish() {
  ssh "${options[@]}" -O exit "$target" 2>/dev/null || true
  rm -rf "$directory"
}
trap finish EXIT

digest=$(sha256sum <"$binary")
scp -q "${options[@]}" "$binary" "$target:/tmp/nginx.new"
ssh "${options[@]}" "$target" sudo -n bash -s -- "${digest%% *}" <<'END'
set -eu
digest=$1 binary=/usr/sbin/nginx pid_file=/run/nginx.pid

fail() {
  echo "plain-script: $*" >&2
  exit 1
}

# wait_for WHAT: ten seconds for the function WHAT to be true.
wait_for() {
  local deadline=$((SECONDS + 10))
  until "$1"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$1: not within ten seconds"
    sleep 0.02
  done
}

new_generation_serves() {
  new=$(cat "$pid_file" 2>/dev/null) || return 1
  [ -n "$new" ] && [ "$new" != "$old" ] && [ "$(pgrep -c -P "$new")" -ge "$workers" ]
}

old_workers_are_gone() {
  ! pgrep -P "$old" | grep -qvx "$new"
}

old_master_is_gone() {
  ! kill -0 "$old" 2>/dev/null
}

echo "$digest  /tmp/nginx.new" | sha256sum --check --quiet || fail 'the copy is not what was sent'
install -m 755 /tmp/nginx.new "$binary.new"
rm /tmp/nginx.new
"$binary.new" -t -q || fail 'the new binary refuses the configuration'
old=$(cat "$pid_file")
workers=$(pgrep -c -P "$old")
ln -f "$binary" "$binary.previous"
mv "$binary.new" "$binary"
kill -USR2 "$old"
wait_for new_generation_serves
kill -WINCH "$old"
wait_for old_workers_are_gone
curl -fsS -o /dev/null --max-time 5 http://127.0.0.1/ || fail 'the new version does not answer'
kill -QUIT "$old"
wait_for old_master_is_gone
END
