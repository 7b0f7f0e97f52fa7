#!/bin/sh
# What must stay as it is, whoever does what beside an upgrade: `watch.sh look NAME`, then `watch.sh since NAME` prints what is
# different, each ended by NUL. Files by all that can be told of them but when they were read; processes of bystanders.
# Whoever is no part of what is upgraded, by its start and whether it is stopped.
# shellcheck disable=SC2016
PROCESSES='sub of { open my $file, "<", $_[0] or return ""; local $/; return <$file> // "" }
my ($mallory, $web, $www) = @ARGV;
for my $dir (glob "/proc/[0-9]*") {
  my $exe = readlink "$dir/exe" // next;
  my $uid = (of("$dir/status") =~ /^Uid:\s+(\d+)/m)[0] // next;
  $exe =~ s/ \(deleted\)$//;
  $uid == $mallory || $uid == 0 && $exe eq "/usr/sbin/nginx-b" || $uid == $web && $exe =~ m{/perl$} || $uid == $www && $exe !~ m{/nginx[^/]*$|/[.]nginx-hot-upgrade-} or next;
  my @field = split " ", of("$dir/stat") =~ s/.*\) //sr;
  @field or next;
  print "process ", join(" ", $dir, $field[19], $field[0] eq "T" ? "stopped" : "", $exe), "\0" if $field[0] ne "Z";
}'
look() {
  {
    find / \( -path /proc -o -path /sys -o -path /dev -o -path /run/systemd -o -path /run/log -o -path /run/user -o -path /run/udev \
      -o -path /run/host -o -path /run/watch -o -path /run/utmp -o -path /run/credentials -o -path /run/sudo -o -path /run/dbus -o -path /tmp/systemd-private'*' -o -path /var/tmp/systemd-private'*' \
      -o -path /var/log/journal -o -path /var/log/wtmp -o -path /var/log/lastlog -o -path /var/lib/systemd -o -path /var/lib/sudo -o -path /run/nologin -o -path /run/motd.dynamic \) -prune \
      -o \( -type d -printf 'dir %i %m %U:%G %p\0' \) -o -printf 'file %i %m %U:%G %s %n %C@ %p\0'
    perl -e "$PROCESSES" "$(id -u mallory)" "$(id -u web)" "$(id -u www-data)"
  } 2>/dev/null | sort -z >"/run/watch/$1"
}
case $1 in
  look) look "$2" ;;
  since) look now && comm -z -3 "/run/watch/$2" /run/watch/now ;;
esac
