import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parsePrivateKey } from '../../../src/inputs/private-key.ts';
import { dsaPem, ECDSA, ED25519, ENCRYPTED, openSshPem, PASSPHRASE, pkcs8, rsaPem } from './keys.ts';
import { ask, HOST_KEY, NGINX, said } from './support.ts';

const KEY = ED25519.private.trim();
const BODY = KEY.split('\n').slice(1, -1);
const SSH = { targets: 'web1', binary: NGINX, 'health-url': 'none', 'known-hosts': `web1 ${HOST_KEY}` };

describe('key', () => {
  const accepted: [string, string, string?][] = [
    ['an Ed25519 key', KEY],
    ['an ECDSA key', ECDSA],
    ['an RSA key of 2048 bits in PEM form', rsaPem(2048)],
    ['an encrypted key with its passphrase', ENCRYPTED, PASSPHRASE],
    ['an encrypted PEM key with its passphrase', rsaPem(2048, PASSPHRASE), PASSPHRASE],
    ['a key with CRLF line ends', KEY.replaceAll('\n', '\r\n')],
    ['a key behind a byte order mark', `\uFEFF${KEY}`],
    ['a key without a final newline', KEY],
    ['a key between blank lines', `\n\n${KEY}\n\n`],
  ];
  for (const [what, key, passphrase] of accepted) {
    it(`takes ${what}`, async () => {
      const { parsed, problems } = await ask({ ...SSH, key, ...(passphrase === undefined ? {} : { passphrase }) });
      assert.deepEqual(problems, []);
      assert.deepEqual(parsed?.warnings, []);
      assert.equal(parsed?.config.ssh.passphrase, passphrase);
      assert.match(parsed?.config.ssh.key ?? '', /^-----BEGIN [^\r]+-----\n$/s);
    });
  }

  const refused: [string, string, RegExp][] = [
    ['with "\\n" for line ends', KEY.replaceAll('\n', String.raw`\n`), /two characters "\\n"/],
    ['with spaces for line ends', KEY.replaceAll('\n', ' '), /spaces where lines should end/],
    ['that is indented', KEY.replaceAll('\n', '\n    '), /is indented/],
    ['in quotation marks', `"${KEY}"`, /quotation marks/],
    ['in JSON', JSON.stringify({ key: KEY }), /is JSON/],
    ['in base64', Buffer.from(KEY).toString('base64'), /base64 form of a key/],
    ['without its first and last line', BODY.join('\n'), /lost its first and last line/],
    ['that is a public key', ED25519.public, /is a public key.*without ".pub"/],
    ['that is a public PEM key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /is a public key/],
    ['that is a user certificate', 'ssh-ed25519-cert-v01@openssh.com AAAA me', /user certificate/],
    [
      'that is an X.509 certificate',
      '-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----',
      /holds a certificate/,
    ],
    ['of PuTTY, version 3', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none', /puttygen FILE -O private-openssh/],
    ['in PKCS#8', pkcs8(), /is a PKCS#8 key.*ssh-keygen -p -f FILE/],
    ['in encrypted PKCS#8', pkcs8(PASSPHRASE), /is a PKCS#8 key/],
    ['of SSH protocol 1', 'SSH PRIVATE KEY FILE FORMAT 1.1\nx', /protocol 1/],
    ['that is a PGP block', '-----BEGIN PGP PRIVATE KEY BLOCK-----\nx', /PGP/],
    ['that is a path', '~/.ssh/id_ed25519', /looks like a path/],
    ['that is something else', 'hello', /expected the text of a private key/],
    ['in hardware', openSshPem('none', 'sk-ssh-ed25519@openssh.com'), /keys in hardware/],
    ['that is the public half of one in hardware', 'sk-ssh-ed25519@openssh.com AAAA', /keys in hardware/],
    ['encrypted with chacha20', openSshPem('chacha20-poly1305@openssh.com'), /chacha20.*-Z aes256-ctr/],
    ['of DSA', dsaPem(), /is a DSA key/],
    ['of RSA with 1024 bits', rsaPem(1024), /RSA key of 1024 bits, expected at least 2048/],
    ['that comes twice', `${KEY}\n${ECDSA}`, /more than one private key/],
    ['that is cut in half', KEY.slice(0, KEY.length / 2), /is cut off/],
    ['with a line missing', [KEY.split('\n')[0], ...BODY.slice(2), KEY.split('\n').at(-1)].join('\n'), /is damaged/],
    ['with text before it', `my key:\n${KEY}`, /text before its first line/],
    ['with text after it', `${KEY}\nend`, /more text after/],
    ['of two megabytes', 'x'.repeat(2_000_000), /longer than 1 MiB/],
    ['of a hundred kilobytes', 'x'.repeat(100_000), /longer than 64 KiB/],
    ['that is encrypted, without a passphrase', ENCRYPTED, /is encrypted: give its "passphrase"/],
  ];
  for (const [what, key, why] of refused) {
    it(`refuses one ${what} and shows nothing of it`, async () => {
      const { problems } = await ask({ ...SSH, key });
      assert.deepEqual(
        problems.map(({ input }) => input),
        ['key'],
      );
      assert.match(problems[0]?.message ?? '', why);
      const lines = key.split(/\s+/).filter((line) => line.length > 20);
      assert.ok(lines.every((line) => problems[0]?.message.includes(line) === false));
    });
  }

  it('is not used where every target is this very machine', async () => {
    const { parsed } = await ask({ ...SSH, targets: 'local', key: 'rubbish' });
    assert.equal(parsed?.config.ssh.key, undefined);
  });
});

describe('passphrase', () => {
  it('is refused where it is the wrong one', async () => {
    assert.match(
      said(await parsePrivateKey(ENCRYPTED.trim(), 'wrong horse')),
      /cannot be decrypted: is the "passphrase"/,
    );
    assert.match(said(await parsePrivateKey(rsaPem(2048, PASSPHRASE).trim(), 'wrong')), /cannot be decrypted/);
  });

  it('is said to be unused where the key is plain', async () => {
    const { parsed } = await ask({ ...SSH, key: KEY, passphrase: 'hunter22' });
    assert.deepEqual(parsed?.warnings, [{ input: 'key', message: 'is not encrypted: the "passphrase" is not used' }]);
  });

  it('loses one newline at its end and keeps its spaces', async () => {
    const { parsed } = await ask({ ...SSH, key: KEY, passphrase: ' pass wörd \n' });
    assert.equal(parsed?.config.ssh.passphrase, ' pass wörd ');
  });

  it('is refused where it is too short to be masked', async () => {
    const { problems } = await ask({ ...SSH, key: KEY, passphrase: 'abc' });
    assert.match(problems[0]?.message ?? '', /shorter than 4 characters/);
    assert.doesNotMatch(problems[0]?.message ?? '', /abc/);
  });
});

describe('agent', () => {
  it('is asked for where there is no key', async () => {
    const { problems } = await ask(SSH);
    assert.match(problems[0]?.message ?? '', /is empty, and SSH_AUTH_SOCK names no agent.*is the secret defined/);
  });

  it('must be a socket', async () => {
    const missing = await ask(SSH, { sshAuthSock: join(tmpdir(), 'no-such-agent') });
    assert.match(missing.problems[0]?.message ?? '', /names no agent's socket: "/);
    const file = await ask(SSH, { sshAuthSock: NGINX });
    assert.match(file.problems[0]?.message ?? '', /names no agent's socket/);
  });

  it('is used where its socket is there, and not where a key is given', async () => {
    const path = join(tmpdir(), `nhu-agent-${process.pid}`);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      assert.equal((await ask(SSH, { sshAuthSock: path })).parsed?.config.ssh.agent, path);
      assert.equal((await ask({ ...SSH, key: KEY }, { sshAuthSock: path })).parsed?.config.ssh.agent, undefined);
    } finally {
      server.close();
    }
  });
});
