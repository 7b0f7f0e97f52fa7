#!/bin/sh
# Runs once inside a fresh Debian base: makes it a web server that people log in to. /usr/sbin/nginx is there already.
set -eu

useradd --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
chmod 440 /etc/sudoers.d/deploy
for user in root deploy; do
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -m 700 -o "$user" -g "$user" "$home/.ssh"
  install -m 600 -o "$user" -g "$user" /tmp/client.pub "$home/.ssh/authorized_keys"
done

rm -f /etc/ssh/ssh_host_*
cat >/etc/ssh/sshd_config.d/test.conf <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
MaxStartups 200
MaxSessions 100
UseDNS no
END

install -d /etc/nginx /var/log/nginx /var/lib/nginx
cat >/etc/nginx/nginx.conf <<'END'
user www-data;
worker_processes 2;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {}
http {
  access_log off;
  server_tokens on;
  server {
    listen 80;
    add_header X-Nginx $nginx_version always;
    root /var/www;
    location = / { return 200 "ok"; }
  }
}
END

# As people write it by hand for a build from source.
cat >/etc/systemd/system/nginx.service <<'END'
[Unit]
Description=nginx built from source
After=network.target

[Service]
Type=forking
PIDFile=/run/nginx.pid
ExecStartPre=/usr/sbin/nginx -t
ExecStart=/usr/sbin/nginx
ExecReload=/bin/kill -s HUP $MAINPID
KillSignal=SIGQUIT
KillMode=mixed
TimeoutStopSec=5

[Install]
WantedBy=multi-user.target
END
systemctl enable nginx.service ssh.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer systemd-networkd.service console-getty.service getty@tty1.service
