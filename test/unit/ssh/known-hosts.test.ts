import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lookupNames, matchesHost } from '../../../src/ssh/host-patterns.ts';
import { parseKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { fakeKey } from '../../support/host-keys.ts';

const key = fakeKey('ssh-ed25519');
const rsa = fakeKey('ssh-rsa');

describe('parseKnownHosts', () => {
  it('reads plain lines, comments, blank lines, tabs and trailing comments', () => {
    const text = `# scanned today\n\n  web1 ${key.line} root@web1\nweb2\t${rsa.line.replace(' ', '\t')}\n`;
    const { entries, problems } = parseKnownHosts(text);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      entries.map(({ line, marker, keyType }) => ({ line, marker, keyType })),
      [
        { line: 3, marker: 'none', keyType: 'ssh-ed25519' },
        { line: 4, marker: 'none', keyType: 'ssh-rsa' },
      ],
    );
    assert.ok(entries[0]?.key.equals(key.blob));
  });

  it('reads a byte order mark, CRLF and lone CR, and counts lines as an editor does', () => {
    const { entries, problems } = parseKnownHosts(`\uFEFF# hosts\r\nweb1 ${key.line}\r\n\r\nweb2 ${rsa.line}`);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      entries.map((entry) => entry.line),
      [2, 4],
    );
    assert.equal(parseKnownHosts(`# hosts\rweb1 ${key.line}\r`).entries[0]?.line, 2);
  });

  it('keeps apart what is trusted, revoked and signed by an authority', () => {
    const text = `web1 ${key.line}\n@revoked * ${rsa.line}\n@cert-authority *.example.com ${rsa.line}`;
    assert.deepEqual(
      parseKnownHosts(text).entries.map((entry) => entry.marker),
      ['none', 'revoked', 'cert-authority'],
    );
  });

  const [type, base64] = key.line.split(' ');
  const malformed: [name: string, line: string, problem: RegExp][] = [
    ['a line of one word', 'web1', /found one word/],
    ['a line without a key', 'web1 ssh-ed25519', /found 2 words/],
    ['a key that is no base64', `web1 ${type} AAAA!${base64?.slice(5)}`, /not whole base64/],
    ['a key that was cut inside a group', `web1 ${type} ${base64?.slice(0, -3)}`, /not whole base64/],
    ['a key that was cut between groups', `web1 ${type} ${base64?.slice(0, -8)}`, /ends early/],
    ['a type word that disagrees with the key', `web1 ssh-rsa ${base64}`, /says ssh-rsa, but .* of type ssh-ed25519/],
    [
      'a key without its second half',
      `web1 ssh-ed25519 ${Buffer.from('\0\0\0\x0bssh-ed25519').toString('base64')}`,
      /not a complete/,
    ],
    ['an unknown marker', `@trusted web1 ${key.line}`, /@revoked or @cert-authority/],
    ['a key of protocol 1', 'web1 2048 65537 123456789', /protocol 1/],
    ['an empty name in a list', `web1,,web2 ${key.line}`, /found an empty one/],
    ['a hashed name of another version', `|2|abc|def ${key.line}`, /\|1\|salt\|digest/],
    [
      'a hashed name that was cut',
      `|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITL ${key.line}`,
      /20 \+ 20 bytes/,
    ],
    ['a PEM block', '-----BEGIN OPENSSH PRIVATE KEY-----', /another secret/],
  ];
  for (const [name, line, problem] of malformed) {
    it(`refuses ${name}, names the line and does not repeat it`, () => {
      const { problems } = parseKnownHosts(`web0 ${rsa.line}\n${line}\n`);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', problem);
      assert.match(problems[0] ?? '', /^line 2: /);
      assert.ok(!problems[0]?.includes(line));
    });
  }

  it('reports every malformed line, not only the first', () => {
    const { problems } = parseKnownHosts(`web1\nweb2 ${key.line}\nweb3 x`);
    assert.deepEqual(
      problems.map((problem) => problem.slice(0, 6)),
      ['line 1', 'line 3'],
    );
  });

  const useless: [name: string, text: string, problem: RegExp][] = [
    ['nothing', '', /only comments or nothing at all/],
    ['comments only', '# web1:22 SSH-2.0-OpenSSH_9.2\n\n', /was the host down/],
    ['authorities only', `@cert-authority * ${key.line}`, /unsupported by this transport/],
    ['revocations only', `@revoked * ${key.line}`, /only revokes/],
    ['DSA keys only', `web1 ${fakeKey('ssh-dss').line}`, /not accepted: ssh-dss/],
  ];
  for (const [name, text, problem] of useless) {
    it(`finds no usable line in ${name}`, () => {
      const { problems } = parseKnownHosts(text);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', /^no usable line/);
      assert.match(problems[0] ?? '', problem);
    });
  }
});

describe('matchesHost', () => {
  const cases: [pattern: string, host: string, port: number, matches: boolean][] = [
    ['web1', 'web1', 22, true],
    ['web1', 'WEB1', 22, true],
    ['WEB1', 'web1', 22, true],
    ['web1', 'web10', 22, false],
    ['web1', 'web1', 2222, false],
    ['[web1]:22', 'web1', 22, true],
    ['[web1]:2222', 'web1', 2222, true],
    ['[web1]:2222', 'web1', 22, false],
    ['[web1]:2222', 'web1', 2223, false],
    ['web1,10.0.0.1', '10.0.0.1', 22, true],
    ['*.example.com', 'web1.example.com', 22, true],
    ['*.example.com', 'example.com', 22, false],
    ['*.example.com', 'web1.example.com', 2222, false],
    ['[*.example.com]:2222', 'web1.example.com', 2222, true],
    ['web?', 'web1', 22, true],
    ['web?', 'web', 22, false],
    ['*', 'anything', 2222, true],
    ['*.example.com,!db.example.com', 'web.example.com', 22, true],
    ['*.example.com,!db.example.com', 'db.example.com', 22, false],
    ['!db.example.com,*', 'db.example.com', 22, false],
    ['!db.example.com', 'web.example.com', 22, false],
    ['we*b*1', 'web-web-1', 22, true],
    ['web.', 'webx', 22, false],
    ['2001:db8::1', '2001:db8::1', 22, true],
    ['[2001:db8::1]:2222', '2001:db8::1', 2222, true],
  ];
  for (const [pattern, name, port, expected] of cases) {
    it(`${expected ? 'takes' : 'does not take'} a line for ${pattern} as one about ${name} port ${port}`, () => {
      const [entry] = parseKnownHosts(`${pattern} ${key.line}`).entries;
      assert.ok(entry);
      assert.equal(matchesHost(entry.hosts, lookupNames({ name, port })), expected);
    });
  }

  it('recognises names that ssh-keygen hashed, each with its port', () => {
    const [entry, other] = parseKnownHosts(hashedByOpenSsh(`web1 ${key.line}\n[web1]:2222 ${rsa.line}\n`)).entries;
    assert.ok(entry && other);
    assert.equal(entry.hosts.kind, 'hashed');
    assert.equal(matchesHost(entry.hosts, lookupNames({ name: 'Web1', port: 22 })), true);
    assert.equal(matchesHost(entry.hosts, lookupNames({ name: 'web1', port: 2222 })), false);
    assert.equal(matchesHost(other.hosts, lookupNames({ name: 'web1', port: 2222 })), true);
    assert.equal(matchesHost(other.hosts, lookupNames({ name: 'web2', port: 2222 })), false);
  });

  it('takes no exponential time over a pattern made of stars', () => {
    const [entry] = parseKnownHosts(`${'*a'.repeat(200)}b ${key.line}`).entries;
    assert.ok(entry);
    const started = performance.now();
    assert.equal(matchesHost(entry.hosts, ['a'.repeat(2000)]), false);
    assert.ok(performance.now() - started < 1000);
  });
});

function hashedByOpenSsh(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'known-hosts-'));
  try {
    writeFileSync(join(dir, 'known_hosts'), text);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', join(dir, 'known_hosts')], { stdio: 'ignore' });
    return readFileSync(join(dir, 'known_hosts'), 'utf8');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
