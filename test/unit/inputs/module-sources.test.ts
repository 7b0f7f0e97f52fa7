import assert from 'node:assert/strict';
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
      ].join('\n'),
    });
    assert.deepEqual(modules, [
      { name: 'echo', from: FOLDER },
      { name: 'brotli_1.0-rc', from: ARCHIVE },
      { name: 'pinned', from: ARCHIVE, sha256: DIGEST },
      { name: 'headers-more', from: 'https://h/a=b?c=d.tar.gz', sha256: DIGEST },
    ]);
  });

  const MISSING = join(FOLDER, 'missing');
  const REFUSED: [what: string, line: string, why: RegExp][] = [
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
    ['a path that leads nowhere', `echo=${MISSING}`, /^echo: there is nothing at ".*missing"$/],
    ['a path through a file', `echo=${ARCHIVE}/src`, /^echo: there is nothing at ".*echo\.tar\.gz\/src"$/],
    ['a path from home', 'echo=~/echo', /^"~" is not expanded: write the whole path, found "~\/echo"$/],
    [
      'an invisible character',
      'echo=/srv/\u200Becho',
      /without control or invisible characters, found "\/srv\/\\u\{200b\}echo"$/,
    ],
    ['a path without a name', FOLDER, /^expected name=\/path, or name=https:\/\/…#sha256=…, found "/],
    ['an empty name', `=${FOLDER}`, /^expected name=\/path, .* found "=/],
    ['a name with blanks', `the echo=${FOLDER}`, /^expected name=\/path, .* found "the echo=/],
    ['a name that is a path', `../echo=${FOLDER}`, /^expected name=\/path, .* found "\.\.\/echo=/],
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
});
