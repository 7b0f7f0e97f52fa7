import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { findEntry, keyOf, storeEntry } from '../../../src/obtain/cache.ts';
import { sha256Of } from '../../../src/obtain/fetch.ts';
import { folder, restoring, usingOwnToolCache } from './support.ts';

const PLACE = { version: '1.30.4', key: keyOf({ arguments: ['--with-threads'] }) };
const BUILT = {
  nginx: randomBytes(10_000),
  modules: [
    { name: 'ngx_stream_module.so', bytes: randomBytes(1000) },
    { name: 'ngx_http_headers-more_module.so', bytes: randomBytes(1000) },
  ],
};

const found = () => findEntry(PLACE.version, PLACE.key);

/** What is noted of the entry, away from it. */
const voucher = () =>
  join(process.env['XDG_STATE_HOME'] ?? '', 'nginx-hot-upgrade/built', `${PLACE.version}-${PLACE.key}.json`);

describe('keyOf', () => {
  it('is the same for the same parts, and another where any of them differs', () => {
    const parts = { version: '1.30.4', arguments: ['--a', '--b'] };
    assert.equal(keyOf(parts), keyOf(structuredClone(parts)));
    const others = [
      { ...parts, version: '1.30.5' },
      { ...parts, arguments: ['--b', '--a'] },
      { ...parts, more: 1 },
    ];
    assert.equal(new Set([parts, ...others].map(keyOf)).size, 4);
  });

  it('can be the name of a directory', () => {
    assert.match(keyOf({ path: '../../etc/passwd' }), /^[0-9a-f]{32}$/);
  });
});

/** Everything that is written as text to standard output. The test runner's own records are bytes: they go on. */
function overheard(t: TestContext): string[] {
  const pieces: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  t.mock.method(process.stdout, 'write', (piece: string | Uint8Array) =>
    typeof piece === 'string' ? pieces.push(piece) > 0 : write(piece),
  );
  return pieces;
}

describe('the cache', () => {
  usingOwnToolCache();
  restoring('TMPDIR', 'XDG_CACHE_HOME', 'GITHUB_ACTIONS', 'HOME');

  it('finds what was stored again, byte for byte', async () => {
    const stored = await storeEntry(BUILT, PLACE);
    assert.deepEqual(await found(), { ...BUILT, path: stored.path });
    assert.deepEqual(readFileSync(stored.path), BUILT.nginx);
  });

  it('keeps a program that can be run', async () => {
    const { path } = await storeEntry(BUILT, PLACE);
    assert.equal(statSync(path).mode & 0o111, 0o111);
  });

  it('does not find it by another key or as another version', async () => {
    await storeEntry(BUILT, PLACE);
    assert.equal(await findEntry(PLACE.version, keyOf({ arguments: [] })), undefined);
    assert.equal(await findEntry('1.30.5', PLACE.key), undefined);
  });

  it('does not find what others have put there, whatever digests they put beside it', async () => {
    const { path } = await storeEntry(BUILT, PLACE);
    process.env['XDG_STATE_HOME'] = folder();
    writeFileSync(join(dirname(path), 'manifest.json'), JSON.stringify({ nginx: sha256Of(BUILT.nginx) }));
    assert.equal(await found(), undefined);
    assert.equal(existsSync(path), false);
  });

  it('lets nobody else see or change what it notes of an entry', async () => {
    await storeEntry(BUILT, PLACE);
    const noted = voucher();
    assert.deepEqual([statSync(noted).mode & 0o777, statSync(dirname(noted)).mode & 0o777], [0o600, 0o700]);
    assert.deepEqual(Object.keys(JSON.parse(readFileSync(noted, 'utf8'))).sort(), [
      'modules/ngx_http_headers-more_module.so',
      'modules/ngx_stream_module.so',
      'nginx',
    ]);
  });

  it('finds nothing, but stores all the same, where a user has no place for his state', async () => {
    delete process.env['XDG_STATE_HOME'];
    delete process.env['HOME'];
    const { path } = await storeEntry(BUILT, PLACE);
    assert.deepEqual(readFileSync(path), BUILT.nginx);
    assert.equal(await found(), undefined);
  });

  it('finds nothing where nothing was ever stored', async () => {
    assert.equal(await found(), undefined);
  });

  it('leaves nothing elsewhere', async () => {
    process.env['TMPDIR'] = folder();
    await storeEntry(BUILT, PLACE);
    assert.deepEqual(readdirSync(process.env['TMPDIR']), []);
  });

  it("is the user's own where there is no runner", async () => {
    delete process.env['RUNNER_TOOL_CACHE'];
    const own = folder();
    process.env['XDG_CACHE_HOME'] = own;
    const { path } = await storeEntry(BUILT, PLACE);
    assert.ok(path.startsWith(`${own}/nginx-hot-upgrade/tools/`), path);
  });

  /** What storing an entry and a line of text put on standard output. */
  const written = async (t: TestContext): Promise<string[]> => {
    const pieces = overheard(t);
    await storeEntry(BUILT, PLACE);
    process.stdout.write('other text');
    return pieces;
  };
  const isCommand = (piece: string): boolean => piece.startsWith('::debug::');

  it('speaks to a runner', async (t) => {
    process.env['GITHUB_ACTIONS'] = 'true';
    assert.ok((await written(t)).some(isCommand));
  });

  it('does not speak to a runner where there is none, and lets all else be said', async (t) => {
    delete process.env['GITHUB_ACTIONS'];
    const pieces = await written(t);
    assert.deepEqual(pieces.filter(isCommand), []);
    assert.ok(pieces.includes('other text'));
  });

  it('holds nothing of others back after it looked for two entries at once, and stored two', async (t) => {
    delete process.env['GITHUB_ACTIONS'];
    const pieces = overheard(t);
    await Promise.all([found(), found()]);
    await Promise.all(['1.30.4', '1.30.5'].map((version) => storeEntry(BUILT, { ...PLACE, version })));
    process.stdout.write('::debug::of another');
    assert.deepEqual(pieces, ['::debug::of another']);
  });

  it('stores the next entry also where one could not be stored', async () => {
    delete process.env['GITHUB_ACTIONS'];
    const [failed, stored] = await Promise.allSettled([
      storeEntry(BUILT, { ...PLACE, version: '1\0' }),
      storeEntry(BUILT, PLACE),
    ]);
    assert.deepEqual([failed.status, stored.status], ['rejected', 'fulfilled']);
    assert.deepEqual((await found())?.nginx, BUILT.nginx);
  });
});

describe('an entry of the cache that was spoilt', () => {
  usingOwnToolCache();
  let directory = '';
  beforeEach(async () => {
    directory = dirname((await storeEntry(BUILT, PLACE)).path);
  });

  const at = (name: string): string => join(directory, name);
  const flip = (name: string): void => {
    const bytes = readFileSync(at(name));
    bytes[500] = (bytes[500] ?? 0) ^ 1;
    writeFileSync(at(name), bytes);
  };
  const replace = (name: string, put: (path: string) => void): void => {
    rmSync(at(name));
    put(at(name));
  };
  const elsewhere = (bytes: Buffer): string => {
    const path = join(folder(), 'nginx');
    writeFileSync(path, bytes);
    return path;
  };
  const note = (noted: unknown): void => writeFileSync(voucher(), JSON.stringify(noted));
  const nginx = sha256Of(BUILT.nginx);

  const spoilt: [how: string, spoil: () => void][] = [
    ['one bit of nginx is another', () => flip('nginx')],
    ['one bit of a module is another', () => flip('modules/ngx_stream_module.so')],
    ['something was added to nginx', () => appendFileSync(at('nginx'), 'x')],
    ['nginx is gone', () => rmSync(at('nginx'))],
    ['a module is gone', () => rmSync(at('modules/ngx_stream_module.so'))],
    ['a module is a pipe', () => replace('modules/ngx_stream_module.so', (path) => execFileSync('mkfifo', [path]))],
    ['nginx is a link to the same bytes', () => replace('nginx', (path) => symlinkSync(elsewhere(BUILT.nginx), path))],
    ['nginx is a link to a device without end', () => replace('nginx', (path) => symlinkSync('/dev/zero', path))],
    ['nginx is larger than any', () => truncateSync(at('nginx'), 2 ** 31)],
    ['its list is gone', () => rmSync(voucher())],
    ['its list is no JSON', () => writeFileSync(voucher(), '{"nginx":')],
    ['its list is none', () => note(null)],
    ['its list has no nginx', () => note({})],
    ['its list has a digest that is none', () => note({ nginx: 1 })],
    [
      'its list leads out of it',
      () => {
        writeFileSync(at('../outside'), BUILT.nginx);
        note({ nginx, '../outside': nginx });
      },
    ],
    [
      'its list leads out of the modules',
      () => {
        writeFileSync(at('modules/nginx'), BUILT.nginx);
        note({ nginx, 'modules/../nginx': nginx });
      },
    ],
    ['its list has an absolute name', () => note({ nginx, [at('nginx')]: nginx })],
  ];
  for (const [how, spoil] of spoilt) {
    it(`is not found, and removed, where ${how}`, async () => {
      assert.ok(await found());
      spoil();
      assert.equal(await found(), undefined);
      assert.deepEqual([directory, `${directory}.complete`].filter(existsSync), []);
    });
  }

  it('makes room for a new one', async () => {
    flip('nginx');
    await found();
    await storeEntry(BUILT, PLACE);
    assert.deepEqual((await found())?.nginx, BUILT.nginx);
  });

  it('does not count before it was stored to its end', async () => {
    rmSync(`${directory}.complete`);
    assert.equal(await found(), undefined);
  });
});
