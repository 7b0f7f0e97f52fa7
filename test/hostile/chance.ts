/** Chance that can be had again: the same seed gives the same cases on every machine. */
export interface Chance {
  /** 0 up to but without `n`. */
  below(n: number): number;
  /** True with this probability. */
  is(probability: number): boolean;
  one<T>(of: readonly T[]): T;
  /** Some of these, each at most once, in their order. */
  some<T>(of: readonly T[], probability: number): T[];
}

/** Numbers by mulberry32 (Tommy Ettinger, public domain). */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return {
    below,
    is: (probability) => next() < probability,
    one<T>(of: readonly T[]): T {
      const found = of[below(of.length)];
      if (found === undefined) throw new Error('expected something to choose from, found nothing');
      return found;
    },
    some: (of, probability) => of.filter(() => next() < probability),
  };
}

const PARTS = [
  ...'a nginx error.log nginx.pid -rf -- - . .. * ? [a] ~ %0a % | || ; & < > # = \\ \\n "'.split(' '),
  ...'$(id) `id` ${D} (deleted) /proc/1/exe socket:[1] .nginx-hot-upgrade-abc .oldbin new old ::error::x'.split(' '),
  "'",
  ' ',
  '  ',
  '\n',
  '\n\n',
  '\r',
  '\t',
  '\u0001',
  '\u001b[31m',
  '\u007f',
  '\xc3\xa9',
  '\xff',
  '\xf0\x9f\xa6\x8e',
  '@marker {"ok":true}',
  '\nbin=/usr/bin/date',
  '\nwork=/root',
  '\nend\n',
  '\nnonce=x',
  ') S 1 1',
  'x'.repeat(60),
  'x'.repeat(200),
];

/** A name of a file, each character one byte of it: no `/`, no NUL, at most 255 bytes. */
export function fileName(by: Chance): string {
  const text = Array.from({ length: 1 + by.below(4) }, () => by.one(PARTS))
    .join('')
    .replaceAll('/', '_')
    .slice(0, 255);
  return ['.', '..'].includes(text) ? `${text}x` : text;
}

const TITLES = [
  'nginx: master process /usr/sbin/nginx',
  'nginx: master process',
  'nginx: worker process',
  'nginx: ma',
  'nginx: ',
  'nginx: worker process is shutting down',
  'nginx: cache manager process',
  'nginx: master process nginx -c /root/x',
  'nginx: master process /usr/sbin/nginx -g "load_module /home/mallory/canary.so;"',
  'nginx: master process /bin/sh',
  '\n==> /proc/1/cmdline <==\nnginx: master',
  'angie: master process',
  'nginx: master process ./nginx -p .',
  '',
  'sshd: x',
];

/** What a process may call itself in its command line: bytes, no NUL. */
export function title(by: Chance): string {
  return by.is(0.7) ? `${by.one(TITLES)}${by.is(0.4) ? fileName(by) : ''}` : fileName(by);
}

/** Bytes as one word of bash. */
export function word(bytes: string): string {
  const hex = (byte: string) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return `$'${bytes.replaceAll(/[^A-Za-z0-9/._-]/g, hex)}'`;
}
