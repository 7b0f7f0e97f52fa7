import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Entry, readListing, unsafeEntry } from '../../../src/obtain/tar-listing.ts';

const GNU = `drwxr-xr-x 0/0               0 2026-01-01 12:00 usr/sbin/
-rwxr-xr-x 0/0         1234567 2026-01-01 12:00 usr/sbin/nginx
lrwxrwxrwx 0/0               0 2026-01-01 12:00 usr/sbin/link -> nginx
hrwxr-xr-x 1000/50           0 2026-01-01 12:00 usr/sbin/hard link to usr/sbin/nginx
crw-r--r-- 0/0             1,3 2026-01-01 12:00 dev/null
prw-r--r-- 0/0               0 2026-01-01 12:00 pipe
-rw-r--r-- 0/0               5 2026-01-01 12:00 a name with blanks
-rw-r--r-- 0/0               5 2026-01-01 12:00 a -> b link to c
`;

const BUSYBOX = `-rwxr-xr-x root/root   1234567 2026-01-01 12:00:00 usr/sbin/nginx
lrwxrwxrwx root/root         0 2026-01-01 12:00:00 usr/sbin/link -> nginx
`;

function entry(changes: Partial<Entry> = {}): Entry {
  return { type: '-', mode: 'rw-r--r--', size: 1, name: 'top/file', ...changes };
}

describe('readListing', () => {
  it('reads what GNU tar prints', () => {
    assert.deepEqual(readListing(GNU), [
      { type: 'd', mode: 'rwxr-xr-x', size: 0, name: 'usr/sbin/' },
      { type: '-', mode: 'rwxr-xr-x', size: 1_234_567, name: 'usr/sbin/nginx' },
      { type: 'l', mode: 'rwxrwxrwx', size: 0, name: 'usr/sbin/link', target: 'nginx' },
      { type: 'h', mode: 'rwxr-xr-x', size: 0, name: 'usr/sbin/hard', target: 'usr/sbin/nginx' },
      { type: 'c', mode: 'rw-r--r--', size: 0, name: 'dev/null' },
      { type: 'p', mode: 'rw-r--r--', size: 0, name: 'pipe' },
      { type: '-', mode: 'rw-r--r--', size: 5, name: 'a name with blanks' },
      { type: '-', mode: 'rw-r--r--', size: 5, name: 'a -> b link to c' },
    ]);
  });

  it('reads what busybox prints', () => {
    assert.deepEqual(readListing(BUSYBOX), [
      { type: '-', mode: 'rwxr-xr-x', size: 1_234_567, name: 'usr/sbin/nginx' },
      { type: 'l', mode: 'rwxrwxrwx', size: 0, name: 'usr/sbin/link', target: 'nginx' },
    ]);
  });

  it('reads nothing out of nothing', () => {
    assert.deepEqual(readListing(''), []);
  });

  it('does not take the second half of a name for an entry', () => {
    assert.equal(readListing(`${GNU}of a name\n`), 'found an entry that cannot be read: "of a name"');
  });

  for (const rest of ['a -> b -> ../c', 'a link to b -> /c', 'a -> b link to c']) {
    it(`does not guess where the name of a link ends: ${rest}`, () => {
      const line = `lrwxrwxrwx 0/0 0 2026-01-01 12:00 ${rest}`;
      assert.equal(readListing(`${GNU}${line}\n`), `found a link that cannot be read: ${JSON.stringify(line)}`);
    });
  }
});

describe('unsafeEntry', () => {
  const unsafe: [what: string, changes: Partial<Entry>, why: RegExp][] = [
    ['a name that climbs', { name: 'top/../../file' }, /"top\/\.\.\/\.\.\/file" leads out/],
    ['a name that is only a climb', { name: '..' }, /leads out/],
    ['an absolute name', { name: '/etc/passwd' }, /"\/etc\/passwd" leads out/],
    ['a line break', { name: 'top/a\nb' }, /line break/],
    ['a line break that tar wrote as two letters', { name: String.raw`top/a\nb` }, /line break/],
    ['a character device', { type: 'c' }, /device/],
    ['a block device', { type: 'b' }, /device/],
    ['a pipe', { type: 'p' }, /pipe/],
    ['a socket', { type: 's' }, /device/],
    ['a setuid file', { mode: 'rwsr-xr-x' }, /changes the user/],
    ['a setgid file that nobody executes', { mode: 'rw-r-Sr--' }, /changes the user/],
    ['a hard link', { type: 'h', target: 'top/other' }, /hard link/],
    ['a link to an absolute path', { type: 'l', target: '/etc' }, /"top\/file" leads upwards, to \/etc/],
    ['a link above the archive', { type: 'l', target: '../../x' }, /to \.\.\/\.\.\/x/],
    ['a link out of the top of an archive of ./', { type: 'l', name: './file', target: '../x' }, /leads upwards/],
    ['a link that goes down and further up', { type: 'l', target: 'a/../../../x' }, /leads upwards/],
    ['a link that goes down and up again', { type: 'l', target: 'a/..' }, /leads upwards, to a\/\.\./],
    ['a link that comes back', { type: 'l', name: 'link', target: '../here/file' }, /leads upwards/],
    ['a link up and down within', { type: 'l', name: './top/a/b/file', target: '../../c/./file' }, /leads upwards/],
    ['a name that is an option', { name: '--use-compress-program=id /nginx' }, /called like an option/],
    ['a name that is a letter of options', { name: '-f' }, /"-f" is called like an option/],
  ];
  for (const [what, changes, why] of unsafe) {
    it(`finds ${what} among others`, () => {
      assert.match(unsafeEntry([entry(), entry(changes), entry()], 1000) ?? '', why);
    });
  }

  const safe: [what: string, changes: Partial<Entry>][] = [
    ['dots in a name', { name: 'top/..a/b../...' }],
    ['a directory that is sticky', { type: 'd', mode: 'rwxrwxrwt', name: 'top/tmp/' }],
    ['a directory that hands on its group', { type: 'd', mode: 'rwxr-sr-x', name: 'top/src/' }],
    ['a hyphen further on in a name', { name: './-x/top/--file' }],
    ['a link beside', { type: 'l', target: 'other' }],
    ['a link further down', { type: 'l', target: './a/..b/c' }],
  ];
  for (const [what, changes] of safe) {
    it(`has nothing against ${what}`, () => {
      assert.equal(unsafeEntry([entry(changes)], 1000), undefined);
    });
  }

  it('finds an archive that is empty, that would be too large in all, or that has too many entries', () => {
    assert.match(unsafeEntry([], 1000) ?? '', /empty/);
    assert.equal(unsafeEntry([entry({ size: 400 }), entry({ size: 600 })], 1000), undefined);
    assert.match(unsafeEntry([entry({ size: 400 }), entry({ size: 601 })], 1000) ?? '', /1001 bytes, more than 1000/);
    assert.equal(unsafeEntry(Array<Entry>(100_000).fill(entry()), 1e9), undefined);
    assert.match(unsafeEntry(Array<Entry>(100_001).fill(entry()), 1e9) ?? '', /more than 100000 entries/);
  });
});
