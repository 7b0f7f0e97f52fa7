/*
 * What a local user of a target can do, as scripts for `WebHost.sh`, which run as root: each steps down first.
 */

/** Writes down signals in the file $SIGNALS, if any. Makes itself a process of any name and title, which may have any length: it is read from a mapping of zeros (prctl(2)). */
export const PRETEND = String.raw`my ($name, $title, $bytes, $more) = @ARGV;
$title =~ s/\\n/\n/g; $name =~ s/\\n/\n/g; $title .= "x" x $more;
$bytes = length($title) + 1 if $bytes <= length $title;
open my $stat, '<', '/proc/self/stat' or die; local $/; my $text = <$stat>; $text =~ s/^.*\) //s;
my @field = (0, 0, 0, split ' ', $text);
my $at = syscall 9, 0, $bytes + 0, 1, 0x4022, -1, 0;
die "mmap: $!" if $at == -1;
syscall 10, $at, (length($title) + 4096) & ~4095, 3;
for (my $done = 0; $done < length $title;) {
  pipe my $out, my $in; my $piece = substr $title, $done, 4096; syswrite $in, $piece;
  syscall 0, fileno $out, $at + $done, length $piece; $done += length $piece;
}
my $map = pack 'Q12 L2', @field[26, 27, 45, 46, 47], syscall(12, 0), $field[28], $at, $at + $bytes, @field[50, 51], 0, 0, 0xffffffff;
die "prctl: $!" if syscall(157, 35, 14, $map, length $map, 0) != 0;
if (my $file = $ENV{SIGNALS}) {
  for my $each (qw(HUP INT QUIT USR1 USR2 TERM WINCH CONT)) { $SIG{$each} = sub { open my $f, '>>', $file; print $f "$$ $each\n"; close $f } }
}
syscall 157, 15, $name, 0, 0, 0;
sleep 3600 while 1;`;

/** A script that puts the tools of an attacker on the host, and makes him: `mallory`. */
export const ATTACKER = `id mallory >/dev/null 2>&1 || useradd --create-home mallory
cat >/usr/local/lib/pretend.pl <<'END'
${PRETEND}
END`;

/** A script that does `script`, for bash, as `user`. */
export function as(user: string, script: string): string {
  return `setpriv --reuid=${user} --regid="$(id -g ${user})" --clear-groups bash -c ${quoted(script)}`;
}

export interface Pretender {
  user: string;
  /** At most 15 bytes; `\n` is a newline. */
  name?: string;
  title?: string;
  /** Of its title, zeros behind it. */
  bytes?: number;
  /** Letters behind it. */
  more?: number;
}

/** A script that leaves such a process behind. */
export function pretender({ user, name = 'nginx', title = MASTER, bytes = 0, more = 0 }: Pretender): string {
  const words = ['perl', '/usr/local/lib/pretend.pl', name, title, String(bytes), String(more)].map(quoted).join(' ');
  // Its name is the last thing that it changes.
  return as(
    user,
    `setsid ${words} </dev/null >/dev/null 2>&1 &
pid=$!
until [ ! -d /proc/$pid ] || [ "$(tr -d '\\n' </proc/$pid/comm)" = ${quoted(name.replaceAll(String.raw`\n`, ''))} ]; do sleep 0.01; done
[ -d /proc/$pid ]`,
  );
}

const MASTER = 'nginx: master process /usr/sbin/nginx';

/** `text` as one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
