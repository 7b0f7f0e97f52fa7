import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { BUILD, DIGEST, FOLDER, sourceOf } from './builds.ts';
import { ask, fileWith } from './support.ts';

const ARCHIVE = fileWith('echo.tar.gz', 'not looked into');

describe('add-modules', () => {
  it('takes directories, archives and URLs, one a line', async () => {
    const { modules } = await sourceOf({
      'add-modules': [
        '# third-party',
        `echo=${relative(process.cwd(), FOLDER)}`,
        `brotli_1.0-rc=${ARCHIVE}`,
        `pinned=${ARCHIVE}#sha256=${DIGEST.toUpperCase()}`,
        `headers-more=https://h/a=b?c=d.tar.gz#sha256=${DIGEST}`,
        `loud=HTTPS://h/loud.zip#sha256=${DIGEST}`,
      ].join('\n'),
    });
    assert.deepEqual(modules, [
      { name: 'echo', from: FOLDER },
      { name: 'brotli_1.0-rc', from: ARCHIVE },
      { name: 'pinned', from: ARCHIVE, sha256: DIGEST },
      { name: 'headers-more', from: 'https://h/a=b?c=d.tar.gz', sha256: DIGEST },
      { name: 'loud', from: 'HTTPS://h/loud.zip', sha256: DIGEST },
    ]);
  });

  const MISSING = join(FOLDER, 'missing');
  const CIRCLE = join(FOLDER, 'circle');
  symlinkSync(CIRCLE, CIRCLE);
  const REFUSED: [what: string, line: string, why: RegExp][] = [
    [
      'an http URL that names a better one',
      `echo=http://h/https://h/#sha256=${DIGEST}`,
      /^echo: expected an https:\/\/ URL/,
    ],
    ['a path with a URL in it', 'echo=./https://h/e', /^echo: there is no file ".*\/https:\/h\/e"$/],
    [
      'a URL without a digest',
      'echo=https://h/e.tgz',
      /^echo: a URL needs the digest .*"https:\/\/h\/e\.tgz"#sha256=…$/,
    ],
    [
      'an http URL',
      `echo=http://h/e#sha256=${DIGEST}`,
      /^echo: expected an https:\/\/ URL or a path, found "http:\/\/h\/e"$/,
    ],
    [
      'a file URL',
      'echo=file:///srv/echo',
      /^echo: expected an https:\/\/ URL or a path, found "file:\/\/\/srv\/echo"$/,
    ],
    ['a URL with a blank', `echo=https://h/a b#sha256=${DIGEST}`, /^echo: expected one URL without spaces/],
    ['a URL with another fragment', `echo=https://h/e#md5=1`, /^echo: "#…" is never sent to a server/],
    [
      'a digest of another length',
      'echo=https://h/e.tgz#sha256=abc',
      /^echo: expected the 64 hexadecimal .* found 3 digits$/,
    ],
    ['an empty digest', `echo=${ARCHIVE}#sha256=`, /^echo: expected the 64 hexadecimal digits .* found ""$/],
    [
      'the digest of a directory',
      `echo=${FOLDER}#sha256=${DIGEST}`,
      /^echo: a digest belongs to an archive, ".*" is none$/,
    ],
    ['a path that leads nowhere', `echo=${MISSING}`, /^echo: there is no file ".*missing"$/],
    [
      'a path through a file',
      `echo=${ARCHIVE}/src`,
      /^echo: a part of the path is not a directory: ".*echo\.tar\.gz\/src"$/,
    ],
    ['a path that leads in a circle', `echo=${CIRCLE}`, /^echo: is a circle of symbolic links: ".*circle"$/],
    ['a name in a path that is too long', `echo=/srv/${'x'.repeat(300)}`, /^echo: the path is too long: "\/srv\/x+…"$/],
    ['a path that is too long', `echo=${'/x'.repeat(2500)}`, /^echo: a path has at most 4096 bytes, found 5000$/],
    ['a device', 'echo=/dev/null', /^echo: expected a directory or an archive at "\/dev\/null"$/],
    [
      'the digest of a device',
      `echo=/dev/null#sha256=${DIGEST}`,
      /^echo: expected a directory or an archive at "\/dev\/null"$/,
    ],
    ['a path from home', 'echo=~/echo', /^echo: "~" is not expanded: write the whole path, found "~\/echo"$/],
    [
      'an invisible character',
      'echo=/srv/\u200Becho',
      /^echo: expected one path without control or invisible characters, found "\/srv\/\\u\{200b\}echo"$/,
    ],
    ['a path without a name', FOLDER, /^expected name=\/path, or name=https:\/\/…#sha256=…, found "/],
    ['an empty name', `=${FOLDER}`, /^expected name=\/path, .* found "=/],
    ['a name with blanks', `the echo=${FOLDER}`, /^expected name=\/path, .* found "the echo=/],
    ['a name that is a path', `../echo=${FOLDER}`, /^expected name=\/path, .* found "\.\.\/echo=/],
    ['an empty path', 'echo=', /^expected name=\/path, .* found "echo="$/],
    ['the digest of an empty path', `echo=#sha256=${DIGEST}`, /^expected name=\/path, .* found "echo=#sha256=abab/],
    ['a name alone', 'echo', /^expected name=\/path, .* found "echo"$/],
    ['a name twice', `echo=${FOLDER}\nx=${FOLDER}\necho=${ARCHIVE}`, /^"echo" is given more than once$/],
  ];
  for (const [what, line, why] of REFUSED) {
    it(`refuses ${what}`, async () => {
      const { problems } = await ask({ ...BUILD, 'add-modules': line });
      assert.deepEqual(
        problems.map(({ input }) => input),
        ['add-modules'],
      );
      assert.match(problems[0]?.message ?? '', why);
    });
  }

  it(
    'refuses what may not be looked at',
    { skip: process.getuid?.() === 0 ? 'root looks at everything' : false },
    async () => {
      const hidden = join(FOLDER, 'hidden-modules');
      mkdirSync(hidden, { mode: 0 });
      const { problems } = await ask({ ...BUILD, 'add-modules': `echo=${hidden}/echo` });
      // What removes the others could not look into it.
      rmdirSync(hidden);
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? '', /^echo: may not be read by this user: ".*\/hidden-modules\/echo"$/);
    },
  );
});
