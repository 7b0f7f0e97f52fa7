import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUILD, DIGEST, refusal, sourceOf } from './builds.ts';
import { ask } from './support.ts';

describe('source-url', () => {
  const MIRRORS: [url: string, template: string, directory: string][] = [
    ['file:///srv/mirror/', 'file:///srv/mirror/nginx-{version}.tar.gz', 'file:///srv/mirror/'],
    ['https://h/a/n-{version}.tgz', 'https://h/a/n-{version}.tgz', 'https://h/a/'],
    ['FILE:///srv/mirror/', 'FILE:///srv/mirror/nginx-{version}.tar.gz', 'FILE:///srv/mirror/'],
    ['https://h/file://a/', 'https://h/file://a/nginx-{version}.tar.gz', 'https://h/file://a/'],
    ['https://h/{version}/n-{version}.tgz', 'https://h/{version}/n-{version}.tgz', 'https://h/'],
  ];
  for (const [url, template, directory] of MIRRORS) {
    it(`takes ${url}, with the keys beside the releases`, async () => {
      const { mirror } = await sourceOf({ 'source-url': url });
      assert.deepEqual(mirror, { template, directory, keys: `${directory}keys/` });
    });
  }

  const REFUSED: [string, RegExp][] = [
    ['/srv/mirror/', /expected a valid URL, found "\/srv\/mirror\/"$/],
    ['http://h/', /expected an https:\/\/ or file:\/\/ URL, found "http:\/\/h\/"$/],
    ['ftp://h/', /expected an https:\/\/ or file:\/\/ URL, found "ftp:\/\/h\/"$/],
    ['file://srv/', /expected file:\/\/\/directory\/ with three slashes, found "file:\/\/srv\/"$/],
    ['ftp://h/https://h/', /expected an https:\/\/ or file:\/\/ URL, found "ftp:/],
    ['FILE://srv/', /expected file:\/\/\/directory\/ with three slashes, found "FILE:\/\/srv\/"$/],
    ['https://{version}.h/', /\{version\} has no place in the name of a host, found "https:\/\/\{version\}\.h\/"$/],
    ['HTTPS://a-{version}.h:443/', /\{version\} has no place .* found "HTTPS:\/\/a-\{version\}\.h:443\/"$/],
    ['https://{version}', /\{version\} has no place .* found "https:\/\/\{version\}"$/],
    ['h/{version}/', /expected a valid URL, found "h\/\{version\}\/"$/],
    ['https://h:{version}/', /expected a valid URL, found "https:\/\/h:\{version\}\/"$/],
    ['https://h/a {version}', /expected one URL without spaces, found "https:\/\/h\/a \{version\}"$/],
    ['https://h/{version}#top', /"#…" is never sent .* found "https:\/\/h\/\{version\}#top"$/],
    ['https://h/dir', /expected \{version\} in it, or a directory with a slash at its end, found "https:\/\/h\/dir"$/],
    ['https://h/n-{VERSION}.tgz', /only \{version\} stands for something, found "https:\/\/h\/n-\{VERSION\}\.tgz"$/],
    ['https://h/{os}/{version}.tgz', /only \{version\} stands for something, found /],
    ['https://h/a b/', /expected one URL without spaces, found "https:\/\/h\/a b\/"$/],
    ['https://h/\u200B/', /expected one URL without spaces, found "https:\/\/h\/\\u\{200b\}\/"$/],
    ['https://h/#top/', /"#…" is never sent to a server: leave it out, found /],
  ];
  for (const [url, why] of REFUSED) {
    it(`refuses ${JSON.stringify(url)}`, async () => {
      const said = await refusal({ 'source-url': url });
      assert.match(said, /^source-url: /);
      assert.match(said, why);
    });
  }
});

describe('download-url', () => {
  const DOWNLOAD = { command: 'build', sha256: DIGEST };

  for (const url of ['https://h/nginx', 'https://h:8443/a/nginx.tar.xz?token=x@y', 'HTTPS://h/nginx.deb']) {
    it(`takes ${url}`, async () => {
      const { parsed } = await ask({ ...DOWNLOAD, 'download-url': url });
      assert.deepEqual(parsed?.config.binary, { kind: 'download', url, sha256: DIGEST });
    });
  }

  it('needs the digest of what lies there', async () => {
    const { problems } = await ask({ command: 'build', 'download-url': 'https://h/nginx' });
    assert.deepEqual(problems, [{ input: 'sha256', message: '"download-url" needs the digest of what lies there' }]);
  });

  it('needs it also where the URL is wrong', async () => {
    const { problems } = await ask({ command: 'build', 'download-url': 'http://h/nginx' });
    assert.deepEqual(
      problems.map(({ input, message }) => `${input}: ${message}`),
      [
        'download-url: expected an https:// URL, found "http://h/nginx"',
        'sha256: "download-url" needs the digest of what lies there',
      ],
    );
  });

  it('says of a wrong digest only what is wrong with it', async () => {
    const { problems } = await ask({ command: 'build', 'download-url': 'https://h/nginx', sha256: 'abc' });
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? '', /64 hexadecimal digits .* found 3 digits$/);
  });

  const REFUSED: [string, RegExp][] = [
    ['http://h/nginx', /^expected an https:\/\/ URL, found "http:\/\/h\/nginx"$/],
    ['file:///srv/nginx', /^expected an https:\/\/ URL, found "file:\/\/\/srv\/nginx"$/],
    ['http://h/?to=https://h/', /^expected an https:\/\/ URL, found /],
    ['https:/h/nginx', /^expected an https:\/\/ URL, found "https:\/h\/nginx"$/],
    ['h/nginx', /^expected a valid URL, found "h\/nginx"$/],
    ['https://', /^expected a valid URL, found "https:\/\/"$/],
    ['https://h/a b', /^expected one URL without spaces, found "https:\/\/h\/a b"$/],
    ['https://h/a\nhttps://h/b', /^expected one URL without spaces, found "https:\/\/h\/a\\nhttps:\/\/h\/b"$/],
    [`https://h/nginx#sha256=1`, /^"#…" is never sent to a server: leave it out, found "https:\/\/h\/nginx#sha256=1"$/],
  ];
  for (const [url, why] of REFUSED) {
    it(`refuses ${JSON.stringify(url)}`, async () => {
      const { problems } = await ask({ ...DOWNLOAD, 'download-url': url });
      assert.deepEqual(
        problems.map(({ input }) => input),
        ['download-url'],
      );
      assert.match(problems[0]?.message ?? '', why);
    });
  }
});

describe('credentials in a URL', () => {
  const GIVEN: [input: string, value: string][] = [
    ['source-url', 'https://me:hunter22@h/'],
    ['source-url', 'https://hunter22@h/n-{version}.tgz'],
    ['source-url', 'http://me:hunter22@h/n-{VERSION}'],
    ['download-url', 'https://me:hunter22@h/nginx'],
    ['download-url', 'https://hunter22@h/nginx'],
    ['download-url', 'http://:hunter22@h/nginx'],
    ['download-url', 'https://me:hunter22@h/nginx#top'],
    ['add-modules', `echo=https://me:hunter22@h/e.tgz#sha256=${DIGEST}`],
    ['add-modules', 'echo=http://me:hunter22@h/e.tgz'],
    ['add-modules', `echo=https://hunter22@h/e.tgz#sha256=${DIGEST}`],
    ['add-modules', `x=/no/such\necho=https://hunter22@h/e.tgz`],
  ];
  for (const [input, value] of GIVEN) {
    it(`are refused and never shown in ${input}: ${JSON.stringify(value.slice(0, 40))}`, async () => {
      const { problems } = await ask({ ...BUILD, sha256: DIGEST, [input]: value });
      const said = problems.filter((problem) => problem.input === input).map(({ message }) => message);
      assert.match(said.join('\n'), /no credentials in URLs, found "https?:\/\/\*\*\*@h\//);
      assert.doesNotMatch(JSON.stringify(problems), /hunter22/);
    });
  }

  it('are not shown where something before them is wrong', async () => {
    for (const credentials of ['me:hunter22', 'hunter22']) {
      for (const line of ['my echo=https://_@h/', 'https://_@h/', 'echo=https://_@h/ x', 'a=ftp://_@h/ b=ssh://_@h/']) {
        const said = await refusal({ 'add-modules': line.replaceAll('_', credentials) });
        assert.match(said, /^add-modules: .*\*\*\*@h\//);
        assert.doesNotMatch(said, /hunter22/);
      }
    }
  });

  it('are not taken for the {version} that stands in them', async () => {
    const said = await refusal({ 'source-url': 'https://hunter22@h/{version}/n-{version}.tgz' });
    assert.equal(said, 'source-url: no credentials in URLs, found "https://***@h/{version}/n-{version}.tgz"');
  });
});
