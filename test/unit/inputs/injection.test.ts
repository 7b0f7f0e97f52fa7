import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readActionInputs } from '../../../src/inputs/from-action.ts';
import { readCommandLine } from '../../../src/inputs/from-cli.ts';
import { INPUT_NAMES, specOf } from '../../../src/inputs/names.ts';
import { PASSPHRASE, ED25519 } from './keys.ts';
import { ask, HOST_KEY, NGINX, type Answer } from './support.ts';

const CORPUS = [
  // options and shell text where a host, a path or an argument is expected
  '-oProxyCommand=id',
  '--help',
  '-l',
  '-rf /',
  'user@host@evil',
  'a b',
  'host;id',
  '$(id)',
  '`id`',
  '${IFS}id',
  '%(id)s',
  '| id',
  '&& id',
  '> /tmp/x',
  "--with-cc-opt='-O2 -g",
  '--prefix=',
  'a\nb',
  'a\r\nb',
  'a\rb',
  '../../etc/passwd',
  '~/x',
  '~root/x',
  './/x/',
  '/srv/$HOME/*',
  '/',
  'x'.repeat(5000),
  'x'.repeat(1_000_000),
  ','.repeat(10_000),
  '\n'.repeat(10_000),
  '(a+)+$'.repeat(500),
  '/(a+)+$/',
  // header text
  'X: a\r\nY: b',
  'X: a\rY: b',
  ': value',
  'Host: a\nHost: b',
  // what a runner or a terminal would obey
  '::error::x',
  'x\n::set-output name=version::6.6.6',
  '##[group]x',
  'x ##[add-mask]y',
  '%0A::error::x',
  '\u001B[31mred\u001B[0m',
  'a\0b',
  'web\u202Egnp.exe',
  'we\u200Bb',
  '\uFEFFweb',
  '\u2028x',
  '\u0085x',
  '🙂'.repeat(100),
  '\uD800',
  '٢٢',
  // what a parser may trip over
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '1e309',
  '{host}',
  '${{ secrets.KEY }}',
  '{"a":1}',
  '-----BEGIN ',
  '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----',
  '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----',
  '|1|AAAA|BBBB ssh-rsa AAAA',
  '@@@',
  '#',
  '# comment',
];

const CANARY = 'canary-Zx81QpLm';
const BASE: Record<string, string> = {
  targets: 'web1',
  binary: NGINX,
  'health-url': 'http://{host}/',
  'known-hosts': `* ${HOST_KEY}`,
  key: ED25519.private,
  passphrase: CANARY,
  'health-headers': `Authorization: Bearer ${CANARY}`,
};
const KEY_LINES = ED25519.private.split('\n').filter((line) => !line.startsWith('---') && line.length > 8);

function assertSafe({ problems, parsed }: Answer, secrets: string[]): void {
  for (const { input, message } of [...problems, ...(parsed?.warnings ?? [])]) {
    const line = `${input}: ${message}`;
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
    assert.doesNotMatch(line, /##\[|^\s*::/);
    assert.ok(line.length < 600, `a message of ${line.length} characters: ${line.slice(0, 300)}`);
    for (const secret of secrets) assert.ok(!line.includes(secret), line.replaceAll(secret, 'SECRET'));
  }
}

describe('hostile text', () => {
  for (const name of INPUT_NAMES) {
    it(`is inert or plainly refused as ${name}`, async () => {
      for (const value of CORPUS) {
        const answer = await ask({ ...BASE, [name]: value });
        assertSafe(answer, [CANARY, ...KEY_LINES]);
        assert.ok(answer.parsed !== undefined || answer.problems.length > 0);
      }
    });
  }

  it('beside a secret in the same input never brings the secret into a message', async () => {
    const secret: Record<string, (value: string) => string> = {
      key: (value) => `${value}${CANARY}\n${value}`,
      passphrase: (value) => `${CANARY}${value}`,
      'health-headers': (value) => `X-Token: ${CANARY}${value}\n${value}${CANARY}`,
      'health-url': (value) => `http://me:${CANARY}${value}@h/${value}`,
      'download-url': (value) => `https://me:${CANARY}@h/${value}`,
      targets: (value) => `me:${CANARY}@${value.replaceAll(/[\s,]/g, '')}`,
    };
    for (const [name, wrap] of Object.entries(secret)) {
      for (const value of CORPUS) assertSafe(await ask({ ...BASE, [name]: wrap(value) }), [CANARY]);
    }
  });

  it('as the name of an input is only an unknown name', async () => {
    for (const value of CORPUS) assertSafe(await ask({ ...BASE, [value]: 'x' }), [CANARY]);
  });

  it('in the environment of a runner is read as it is', () => {
    for (const value of CORPUS) {
      assert.equal(readActionInputs({ 'INPUT_HEALTH-URL': value }).raw.get('health-url'), value);
    }
  });

  it('on a command line is a value, a file or a mistake', () => {
    for (const value of CORPUS) {
      for (const name of INPUT_NAMES) {
        const line = readCommandLine([`--${name}=${value}`], { variables: {}, readFile: () => 'content' });
        assert.ok(line.kind === 'run');
        if (specOf(name).secret === true && value !== '-')
          assert.equal(line.problems.length, value.startsWith('@') ? 0 : 1);
        assertSafe({ parsed: undefined, problems: line.problems }, [PASSPHRASE]);
      }
      readCommandLine([value, value], { variables: {}, readFile: () => '' });
    }
  });
});
