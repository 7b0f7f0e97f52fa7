import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readModule } from '../../../src/build/third-party.ts';
import { sha256Of } from '../../../src/obtain/fetch.ts';
import { forge } from '../obtain/archives.ts';
import { folder, openSite, plant, refused, trustingSites } from '../obtain/support.ts';

const FILES = { config: 'ngx_addon_name=echo\n', 'src/echo.c': 'int echo;\n', 'src/echo.h': 'extern int echo;\n' };
const ARCHIVE = forge(
  { name: 'echo-0.63/config', content: FILES.config },
  { name: 'echo-0.63/src/echo.c', content: FILES['src/echo.c'] },
);
const DIGEST = sha256Of(ARCHIVE);

function archive(bytes: Buffer | string = ARCHIVE): string {
  return join(plant(folder(), { 'echo.tar.gz': bytes }), 'echo.tar.gz');
}

async function digestOf(files: Record<string, string>): Promise<string> {
  return (await readModule({ name: 'echo', from: plant(folder(), files) })).digest;
}

/** What a module's sources look like where nginx's own expect them. */
async function placed(tree: Awaited<ReturnType<typeof readModule>>): Promise<Record<string, string>> {
  const directory = join(folder(), 'modules/echo');
  await tree.placeAt(directory);
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((file) => [file.slice(directory.length + 1), readFileSync(file, 'utf8')]));
}

describe('the digest of a directory', () => {
  it('is the same wherever it lies, and in whatever order it was written', async () => {
    const reversed = Object.fromEntries(Object.entries(FILES).toReversed());
    assert.match(await digestOf(FILES), /^[0-9a-f]{64}$/);
    assert.equal(await digestOf(FILES), await digestOf(reversed));
  });

  const kept: [what: string, files: Record<string, string>][] = [
    ['a repository', { '.git/HEAD': 'ref', '.git/objects/ab/cd': 'x' }],
    ['that of a submodule', { 'src/.git/HEAD': 'ref' }],
    ['the file that leads to it', { '.git': 'gitdir: ../.git/modules/echo', 'src/.git': 'gitdir: elsewhere' }],
  ];
  for (const [what, files] of kept) {
    it(`does not count what a version control keeps: ${what}`, async () => {
      assert.equal(await digestOf({ ...FILES, ...files }), await digestOf(FILES));
    });
  }

  it('counts links by where they lead', async () => {
    const linked = async (target: string): Promise<string> => {
      const from = plant(folder(), FILES);
      symlinkSync(target, join(from, 'echo.h'));
      return (await readModule({ name: 'echo', from })).digest;
    };
    const digests = await Promise.all(['src/echo.h', 'src/echo.h', 'src/echo.c', 'src', 'nowhere'].map(linked));
    assert.equal(digests[0], digests[1]);
    assert.equal(new Set([...digests, await digestOf(FILES)]).size, 5);
  });

  const changed: [what: string, files: Record<string, string>][] = [
    ['a content', { ...FILES, 'src/echo.c': 'int ECHO;\n' }],
    ['a name', { config: FILES.config, 'src/echo.cc': FILES['src/echo.c'], 'src/echo.h': FILES['src/echo.h'] }],
    ['a directory', { config: FILES.config, 'lib/echo.c': FILES['src/echo.c'], 'lib/echo.h': FILES['src/echo.h'] }],
    [
      "two contents in each other's place",
      { ...FILES, 'src/echo.c': FILES['src/echo.h'], 'src/echo.h': FILES['src/echo.c'] },
    ],
    ['an empty file more', { ...FILES, README: '' }],
    ['a hidden file more', { ...FILES, '.gitmodules': '' }],
    ['a file whose name only ends like that of a repository', { ...FILES, 'echo.git': '' }],
  ];
  for (const [what, files] of changed) {
    it(`is another with ${what}`, async () => {
      assert.notEqual(await digestOf(files), await digestOf(FILES));
    });
  }
});

describe('readModule', () => {
  trustingSites();

  it('puts a copy of a directory into place, without what a version control keeps', async () => {
    const from = plant(folder(), { ...FILES, '.git/HEAD': 'ref', 'src/.git': 'gitdir: elsewhere' });
    mkdirSync(join(from, 'empty'));
    const source = { name: 'echo', from };
    const tree = await readModule(source);
    assert.equal(tree.source, source);
    assert.deepEqual(await placed(tree), FILES);
  });

  it('keeps a link in a copy leading to the copy', async () => {
    const from = plant(folder(), FILES);
    symlinkSync('src/echo.h', join(from, 'echo.h'));
    const directory = join(folder(), 'modules/echo');
    await (await readModule({ name: 'echo', from })).placeAt(directory);
    assert.equal(readlinkSync(join(directory, 'echo.h')), 'src/echo.h');
  });

  for (const sha256 of [undefined, DIGEST]) {
    it(`unpacks an archive ${sha256 === undefined ? 'without' : 'with'} a digest`, async () => {
      const tree = await readModule({ name: 'echo', from: archive(), ...(sha256 === undefined ? {} : { sha256 }) });
      assert.equal(tree.digest, DIGEST);
      assert.deepEqual(await placed(tree), { config: FILES.config, 'src/echo.c': FILES['src/echo.c'] });
    });
  }

  it('refuses an archive with another digest, and shows both', async () => {
    const wrong = 'ab'.repeat(32);
    await assert.rejects(
      readModule({ name: 'echo', from: archive(), sha256: wrong }),
      refused('digest-mismatch', new RegExp(`echo\\.tar\\.gz has the digest ${DIGEST}, expected ${wrong}$`)),
    );
  });

  it('fetches an archive', async (t) => {
    const site = await openSite(t, (_request, response) => response.end(ARCHIVE));
    const tree = await readModule({ name: 'echo', from: `${site.url}/echo.tar.gz`, sha256: DIGEST });
    assert.deepEqual(await placed(tree), { config: FILES.config, 'src/echo.c': FILES['src/echo.c'] });
    assert.deepEqual(site.asked, ['/echo.tar.gz']);
  });

  it('refuses an address that gives something else or nothing', async (t) => {
    const site = await openSite(t, ({ url }, response) => {
      response.writeHead(url === '/page' ? 200 : 404).end('<html>');
    });
    const from = (path: string) => readModule({ name: 'echo', from: `${site.url}${path}`, sha256: DIGEST });
    await assert.rejects(from('/page'), refused('digest-mismatch', new RegExp(`expected ${DIGEST}`)));
    await assert.rejects(from('/none'), refused('download-failed', /the source of the module echo.*no such file/));
  });

  it('refuses a file that is no archive, although its digest is right', async () => {
    const page = '<!DOCTYPE html><title>404';
    const sha256 = sha256Of(Buffer.from(page));
    await assert.rejects(
      readModule({ name: 'echo', from: archive(page), sha256 }),
      refused('archive-unsafe', /is no archive/),
    );
  });

  it('refuses an archive that leads out of its place when it is put there', async () => {
    const tree = await readModule({ name: 'echo', from: archive(forge({ name: 'echo/../../evil' })) });
    await assert.rejects(placed(tree), refused('archive-unsafe', /the source of the module echo.*leads out/));
  });
});
