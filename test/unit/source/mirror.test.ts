import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  mirrorOf,
  newest,
  NGINX_ORG,
  resolveVersion,
  urlOf,
  versionsIn,
  type Wish,
} from '../../../src/source/mirror.ts';
import { serveHttp } from '../health/servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'nhu-test-'));
after(() => rmSync(folder, { recursive: true }));

const DIRECTORY = 'https://mirror.example.org/nginx/';

/** What nginx.org answers, as far as it matters. */
const PAGE = `<html><head><title>Index of /download/</title></head><body><pre><a href="../">../</a>
<a href="nginx-1.9.15.tar.gz">nginx-1.9.15.tar.gz</a>            19-Apr-2016 16:02   908984
<a href="nginx-1.9.15.tar.gz.asc">nginx-1.9.15.tar.gz.asc</a>    19-Apr-2016 16:02   455
<a href="nginx-1.9.15.zip">nginx-1.9.15.zip</a>                  19-Apr-2016 16:02   1407310
<a href="/nginx/nginx-1.10.3.tar.gz">nginx-1.10.3.tar.gz</a>     31-Jan-2017 15:01   911509
<a href="nginx-1.12.0.tar.gz.asc">nginx-1.12.0.tar.gz.asc</a>    12-Apr-2017 14:46   455
<a href="nginx-1.13.0.zip">nginx-1.13.0.zip</a>                  25-Apr-2017 14:18   1464500
<a href="nginx-1.14.0-win.tar.gz">nginx-1.14.0-win.tar.gz</a>    17-Apr-2018 15:22   1464500
</pre></body></html>`;

const VERSIONS = ['1.9.15', '1.10.3', '1.10.12', '1.11.13', '1.9.2', '1.8.1', '1.2.0', '0.10.99'];

describe('mirrorOf', () => {
  const sources: [string, source: string, template: string, directory: string][] = [
    ['a directory', DIRECTORY, `${DIRECTORY}nginx-{version}.tar.gz`, DIRECTORY],
    ['a directory without a slash at its end', DIRECTORY.slice(0, -1), `${DIRECTORY}nginx-{version}.tar.gz`, DIRECTORY],
    ['a directory with several', `${DIRECTORY}//`, `${DIRECTORY}nginx-{version}.tar.gz`, DIRECTORY],
    ['a local directory', 'file:///srv/nginx/', 'file:///srv/nginx/nginx-{version}.tar.gz', 'file:///srv/nginx/'],
    ['a template', `${DIRECTORY}nginx-{version}.tar.gz`, `${DIRECTORY}nginx-{version}.tar.gz`, DIRECTORY],
    [
      'a template with a query',
      `${DIRECTORY}get?v={version}&as=tar/gz`,
      `${DIRECTORY}get?v={version}&as=tar/gz`,
      DIRECTORY,
    ],
    [
      'a template with a directory for each version',
      `${DIRECTORY}{version}/nginx-{version}.tar.gz`,
      `${DIRECTORY}{version}/nginx-{version}.tar.gz`,
      DIRECTORY,
    ],
  ];
  for (const [what, source, template, directory] of sources) {
    it(`takes ${what}, with the keys below`, () => {
      assert.deepEqual(mirrorOf(source), { template, directory, keys: `${directory}keys/` });
    });
  }

  it('knows where nginx.org has its keys', () => {
    for (const source of [NGINX_ORG, 'https://nginx.org/download/']) {
      const { directory, keys } = mirrorOf(source);
      assert.deepEqual([directory, keys], ['https://nginx.org/download/', 'https://nginx.org/keys/']);
    }
  });
});

describe('urlOf', () => {
  it('puts the version wherever it is asked for', () => {
    const mirror = mirrorOf(`${DIRECTORY}{version}/nginx-{version}.tar.gz`);
    assert.equal(urlOf(mirror, '1.30.4'), `${DIRECTORY}1.30.4/nginx-1.30.4.tar.gz`);
  });
});

describe('versionsIn', () => {
  it('reads the page of a web server, each release once', () => {
    assert.deepEqual(versionsIn(PAGE), ['1.9.15', '1.10.3']);
  });

  it('reads names', () => {
    assert.deepEqual(versionsIn('nginx-1.30.4.tar.gz\nkeys\nnginx-1.31.10.tar.gz'), ['1.30.4', '1.31.10']);
  });

  const others = [
    'nginx-1.30.4.tar.gz.asc',
    'nginx-1.30.4.tar.gz.sha256',
    'nginx-1.30.4.zip',
    'nginx-1.30.4.tar.xz',
    'nginx-1.30.tar.gz',
    'nginx-1.30.4-rc1.tar.gz',
    'nginx-1.30.4xtar.gz',
    'njs-0.8.4.tar.gz',
    'libnginx-1.30.4.tar.gz',
    'nginx-1.30.4.tar.gz~',
    'nginx-1.30.4.tar.gz-partial',
  ];
  for (const name of others) {
    it(`takes ${name} for no release`, () => assert.deepEqual(versionsIn(`${name}\n`), []));
  }
});

describe('newest', () => {
  const wishes: [string, Exclude<Wish, { kind: 'exact' }>, string | undefined][] = [
    ['stable release, of a line with an even number', { kind: 'stable' }, '1.10.12'],
    ['mainline release, of a line with an odd number', { kind: 'mainline' }, '1.11.13'],
    ['release of a line, by numbers', { kind: 'line', line: '1.10' }, '1.10.12'],
    ['release of an older line', { kind: 'line', line: '1.9' }, '1.9.15'],
    ['release of no line that only starts alike', { kind: 'line', line: '1.1' }, undefined],
    ['release of no line of another major version', { kind: 'line', line: '0.9' }, undefined],
  ];
  for (const [what, wish, version] of wishes) {
    it(`finds the newest ${what}`, () => assert.equal(newest(VERSIONS, wish), version));
  }

  it('puts 1.9 before 1.11, and 1.8 before 1.10, in whatever order they come', () => {
    for (const versions of [VERSIONS, VERSIONS.toReversed(), VERSIONS.toSorted()]) {
      assert.equal(newest(versions, { kind: 'mainline' }), '1.11.13');
      assert.equal(newest(versions, { kind: 'stable' }), '1.10.12');
    }
  });

  it('finds nothing where no release is of that branch', () => {
    assert.equal(newest(['1.30.4'], { kind: 'mainline' }), undefined);
    assert.equal(newest([], { kind: 'stable' }), undefined);
  });
});

describe('resolveVersion', () => {
  const local = mirrorOf(pathToFileURL(folder).href);
  for (const version of VERSIONS) writeFileSync(join(folder, `nginx-${version}.tar.gz`), '');
  for (const name of ['nginx-1.12.0.tar.gz.asc', 'nginx-1.13.0.zip']) writeFileSync(join(folder, name), '');

  it('finds the newest in a directory', async () => {
    assert.equal(await resolveVersion({ kind: 'stable' }, local), '1.10.12');
    assert.equal(await resolveVersion({ kind: 'mainline' }, local), '1.11.13');
    assert.equal(await resolveVersion({ kind: 'line', line: '1.9' }, local), '1.9.15');
  });

  it('finds the newest on the page of a web server', async (t) => {
    const asked: (string | undefined)[] = [];
    const port = await serveHttp(t, ({ url }, response) => {
      asked.push(url);
      response.end(PAGE);
    });
    const mirror = mirrorOf(`http://127.0.0.1:${port}/download/`);
    assert.equal(await resolveVersion({ kind: 'stable' }, mirror), '1.10.3');
    assert.deepEqual(asked, ['/download/']);
  });

  it('looks nowhere for a whole version', async () => {
    const nowhere = mirrorOf('file:///no/such/directory/');
    assert.equal(await resolveVersion({ kind: 'exact', version: '1.30.4' }, nowhere), '1.30.4');
  });

  const refused: [Wish, what: string][] = [
    [{ kind: 'line', line: '1.12' }, 'release of 1\\.12'],
    [{ kind: 'line', line: '1.13' }, 'release of 1\\.13'],
  ];
  for (const [wish, what] of refused) {
    it(`says which ${what.replace('\\', '')} it did not find, and where`, async () => {
      const message = new RegExp(`^version-unknown: expected a ${what} in file:///.*/; found none$`);
      await assert.rejects(resolveVersion(wish, local), { name: 'Refused', message });
    });
  }

  it('refuses a directory that is not there, and advises to name a whole version', async () => {
    const nowhere = mirrorOf('file:///no/such/directory/');
    await assert.rejects(resolveVersion({ kind: 'stable' }, nowhere), {
      name: 'Refused',
      findings: [
        {
          code: 'version-unknown',
          message: 'expected a stable release in file:///no/such/directory/; found none',
          fix: 'Name a whole version in `nginx-version`.',
        },
      ],
    });
  });

  it('refuses a web server that lists nothing', async (t) => {
    const port = await serveHttp(t, (_, response) => response.writeHead(404).end());
    await assert.rejects(resolveVersion({ kind: 'mainline' }, mirrorOf(`http://127.0.0.1:${port}/`)), {
      name: 'Refused',
      message: /^download-failed: the list of releases could not be fetched: .*no such file/,
    });
  });
});
