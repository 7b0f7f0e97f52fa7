import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { BUILD, DIGEST, FOLDER, refusal, sourceOf } from './builds.ts';
import { ask, LOCAL, NGINX } from './support.ts';

const KEYS = ['arut', 'thresh'].map((name) =>
  readFileSync(new URL(`../../../src/source/keys/${name}.asc`, import.meta.url), 'utf8'),
);

describe('a build', () => {
  it('is nginx.org, verified by its keys, with the arguments of the running binary where nothing else is said', async () => {
    const { parsed } = await ask({ command: 'build', targets: 'local', 'nginx-version': '1.30.4' });
    assert.deepEqual(parsed?.config.binary, {
      kind: 'build',
      wish: { kind: 'exact', version: '1.30.4' },
      mirror: {
        template: 'https://nginx.org/download/nginx-{version}.tar.gz',
        directory: 'https://nginx.org/download/',
        keys: 'https://nginx.org/keys/',
      },
      trust: {},
      arguments: 'inherit',
      extra: [],
      omit: [],
      modules: [],
    });
    assert.deepEqual(parsed.warnings, []);
  });

  it('is everything that was said of it', async () => {
    const { parsed } = await ask({
      command: 'build',
      'nginx-version': 'mainline',
      'source-url': 'https://mirror.example/nginx/',
      sha256: `sha256:${DIGEST.toUpperCase()}`,
      'configure-args': '--prefix=/etc/nginx --with-threads',
      'extra-configure-args': '--with-debug',
      'omit-configure-args': '--with-threads --with-cc-opt',
      'add-modules': `echo=${FOLDER}`,
    });
    assert.deepEqual(parsed?.config.binary, {
      kind: 'build',
      wish: { kind: 'mainline' },
      mirror: {
        template: 'https://mirror.example/nginx/nginx-{version}.tar.gz',
        directory: 'https://mirror.example/nginx/',
        keys: 'https://mirror.example/nginx/keys/',
      },
      trust: { sha256: DIGEST },
      arguments: ['--prefix=/etc/nginx', '--with-threads'],
      extra: ['--with-debug'],
      omit: ['--with-threads', '--with-cc-opt'],
      modules: [{ name: 'echo', from: FOLDER }],
    });
    assert.deepEqual(parsed.warnings, []);
  });

  it('has all its mistakes reported at once, each line of its modules too', async () => {
    const { problems } = await ask({
      command: 'build',
      targets: 'local',
      'nginx-version': 'latest',
      'source-url': 'ftp://h/',
      sha256: 'abc',
      'trusted-keys': 'none',
      'configure-args': 'with-threads',
      'extra-configure-args': "--a='b",
      'omit-configure-args': '-O2',
      'add-modules': 'echo=/no/such\nbrotli=http://h/x',
    });
    assert.deepEqual(
      problems.map(({ input }) => input),
      [
        'nginx-version',
        'source-url',
        'sha256',
        'trusted-keys',
        'configure-args',
        'extra-configure-args',
        'omit-configure-args',
        'add-modules',
        'add-modules',
      ],
    );
  });

  const UNUSED: Record<string, string> = {
    'source-url': 'file:///srv/mirror/',
    'trusted-keys': KEYS[0] ?? '',
    'configure-args': '--with-threads',
    'extra-configure-args': '--with-debug',
    'omit-configure-args': '--with-debug',
    'add-modules': `echo=${FOLDER}`,
  };
  for (const [input, value] of Object.entries(UNUSED)) {
    it(`is missed by ${input}, which warns without one`, async () => {
      const { parsed } = await ask({ ...LOCAL, [input]: value });
      const message = 'is not used: nothing is built without "nginx-version"';
      assert.deepEqual(parsed?.warnings, [{ input, message }]);
    });
  }

  it('is not missed where its inputs say only what is so anyway, or nothing', async () => {
    const { parsed } = await ask({ ...LOCAL, 'configure-args': 'inherit', 'source-url': '', 'add-modules': ' \n' });
    assert.deepEqual(parsed?.warnings, []);
  });

  it('is none for the commands that install nothing new', async () => {
    const { parsed } = await ask({ ...BUILD, command: 'status', targets: 'local' });
    assert.ok(parsed !== undefined);
    assert.equal(parsed.config.binary, undefined);
  });
});

describe('the command build', () => {
  it('needs an nginx', async () => {
    const { problems } = await ask({ command: 'build' });
    const message = '"build" needs the new nginx: give exactly one of binary, download-url, nginx-version';
    assert.deepEqual(problems, [{ input: 'binary', message }]);
  });

  const ALONE: Record<string, string>[] = [
    { 'nginx-version': '1.30.4', 'configure-args': '--with-threads' },
    { binary: NGINX },
    { 'download-url': 'https://h/nginx', sha256: DIGEST },
  ];
  for (const inputs of ALONE) {
    it(`needs neither targets nor a health-url with ${Object.keys(inputs).join(' and ')}`, async () => {
      const { parsed, problems } = await ask({ command: 'build', ...inputs });
      assert.deepEqual(problems, []);
      assert.deepEqual(parsed?.config.targets, []);
    });
  }

  for (const inputs of [{}, { 'configure-args': 'inherit' }]) {
    it(`needs targets with ${JSON.stringify(inputs)}, and says how it would need none`, async () => {
      const { problems } = await ask({ command: 'build', 'nginx-version': 'stable', ...inputs });
      assert.equal(problems.length, 1);
      assert.match(
        problems[0]?.message ?? '',
        /^no targets: expected at least one .* the word "local"; or say the arguments in "configure-args", and none is needed$/,
      );
    });
  }

  for (const text of ['with-threads', 'INHERIT', '# --with-threads', "--a='b", '--with-threads \\']) {
    it(`says of the wrong arguments ${JSON.stringify(text)} only that, and nothing of targets`, async () => {
      const { problems } = await ask({ command: 'build', 'nginx-version': '1.30.4', 'configure-args': text });
      assert.deepEqual(
        problems.map(({ input }) => input),
        ['configure-args'],
      );
    });
  }

  const WRONG_VERSION: [inputs: Record<string, string>, complaints: string[]][] = [
    [{}, ['targets', 'nginx-version']],
    [{ 'configure-args': 'inherit' }, ['targets', 'nginx-version']],
    [{ 'configure-args': '--with-threads' }, ['nginx-version']],
    [{ 'configure-args': 'with-threads' }, ['nginx-version', 'configure-args']],
  ];
  for (const [inputs, expected] of WRONG_VERSION) {
    it(`says of a wrong version with ${JSON.stringify(inputs)} and no targets all that is wrong`, async () => {
      const { problems } = await ask({ command: 'build', 'nginx-version': 'latest', ...inputs });
      assert.deepEqual(
        problems.map(({ input }) => input),
        expected,
      );
    });
  }

  for (const command of ['upgrade', 'plan']) {
    it(`differs from ${command}, which needs targets whatever is built`, async () => {
      const { problems } = await ask({ ...BUILD, command, 'health-url': 'none' });
      const message = 'no targets: expected at least one [user@]host[:port], or the word "local"';
      assert.deepEqual(problems, [{ input: 'targets', message }]);
    });
  }
});

describe('trusted-keys', () => {
  it('takes several keys, with notes around them', async () => {
    const { trust } = await sourceOf({ 'trusted-keys': `Roman\n${KEYS[0]}\r\nKonstantin\n${KEYS[1]}` });
    assert.deepEqual(
      trust.keys?.map(({ fingerprint, user }) => [fingerprint.slice(-16), user.split(' ')[0]]),
      [
        ['007C8D7C15D87369', 'Roman'],
        ['A0EA981B66B0D967', 'Konstantin'],
      ],
    );
  });

  it('stand beside a digest', async () => {
    const { trust } = await sourceOf({ 'trusted-keys': KEYS[0] ?? '', sha256: DIGEST });
    assert.deepEqual([trust.sha256, trust.keys?.length], [DIGEST, 1]);
  });

  const armored = (kind: string, bytes: string) =>
    `-----BEGIN PGP ${kind}-----\n\n${btoa(bytes)}\n-----END PGP ${kind}-----`;
  const REFUSED: [what: string, text: string, why: RegExp][] = [
    ['a path', '/etc/keys/nginx.asc', /found no such block$/],
    ['a fingerprint', '13C82A63B603576156E30A4EA0EA981B66B0D967', /found no such block$/],
    ['a signature', armored('SIGNATURE', 'x'), /expected a PGP public key block, found a PGP signature$/],
    ['an empty block', armored('PUBLIC KEY BLOCK', ''), /found an empty block$/],
    ['what is no key', armored('PUBLIC KEY BLOCK', 'hunter22'), /found a damaged key: no OpenPGP packet$/],
    ['half a key', armored('PUBLIC KEY BLOCK', '\x99\x01\x0d\x04'), /found a damaged key: a packet is cut off$/],
    ['a private key', armored('PRIVATE KEY BLOCK', 'hunter22'), /found a private one: withdraw it$/],
  ];
  for (const [what, text, why] of REFUSED) {
    it(`refuses ${what}, says how to get a key, and shows nothing of it`, async () => {
      const said = await refusal({ 'trusted-keys': text });
      assert.match(said, /^trusted-keys: expected the text of public keys \("gpg --armor --export KEY"\): /);
      assert.match(said, why);
      assert.ok(!said.includes(btoa('hunter22')) && !said.includes('hunter22'), said);
    });
  }
});
