import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { splitArguments } from '../../../src/inputs/arguments.ts';
import { readCommandLine } from '../../../src/inputs/from-cli.ts';
import { ED25519 } from './keys.ts';
import { ask } from './support.ts';

describe('values that start with two dashes', () => {
  for (const name of ['configure-args', 'extra-configure-args', 'omit-configure-args']) {
    it(`may follow --${name} as a word of their own`, () => {
      const { values, problems } = splitArguments(['build', `--${name}`, '--with-threads --with-debug', '--keep', '1']);
      assert.deepEqual(problems, []);
      assert.deepEqual(values, [
        { name, value: '--with-threads --with-debug' },
        { name: 'keep', value: '1' },
      ]);
    });

    it(`may follow --${name} behind an equals sign, with others in them`, () => {
      const { values, problems } = splitArguments(['build', `--${name}=--with-cc-opt=-O2`, '--keep', '1']);
      assert.deepEqual(problems, []);
      assert.deepEqual(values, [
        { name, value: '--with-cc-opt=-O2' },
        { name: 'keep', value: '1' },
      ]);
    });

    it(`are missed where nothing follows --${name}`, () => {
      const { values, problems } = splitArguments(['build', `--${name}`]);
      assert.deepEqual(values, []);
      assert.deepEqual(
        problems.map(({ input }) => input),
        [name],
      );
    });
  }

  it('are options behind any other input, which says how to give them', () => {
    const { values, problems } = splitArguments(['plan', '--health-body', '--keep', '1']);
    assert.deepEqual(values, [{ name: 'keep', value: '1' }]);
    const message = 'a value is missing after the option (one that starts with "--": --name=value)';
    assert.deepEqual(problems, [{ input: 'health-body', message }]);
    const { values: given } = splitArguments(['plan', '--health-body=--keep']);
    assert.deepEqual(given, [{ name: 'health-body', value: '--keep' }]);
  });

  it('are told from those that only hold them, and from the text of a key', () => {
    const values = ['/srv/nginx--new', '-----BEGIN PGP PUBLIC KEY BLOCK-----', '--'];
    for (const value of values) {
      const found = splitArguments(['build', '--trusted-keys', value, '--keep', '1']);
      assert.deepEqual(found.problems, []);
      assert.deepEqual(found.values[0], { name: 'trusted-keys', value });
    }
  });

  it('leave a boolean before them true', () => {
    const { values } = splitArguments(['build', '--allow-downgrade', '--configure-args', '--with-threads']);
    assert.deepEqual(values, [
      { name: 'allow-downgrade', value: 'true' },
      { name: 'configure-args', value: '--with-threads' },
    ]);
  });

  it('are options of this program where they stand alone', () => {
    const { problems } = splitArguments(['build', '--configure-args', '--with-threads', '--with-debug']);
    assert.deepEqual(
      problems.map(({ input }) => input),
      ['with-debug'],
    );
  });

  it('come one after the other from a repeated option, with quotes that the shell left in them', async () => {
    const argv = ['build', '--nginx-version', '1.30.4', '--configure-args', '--with-threads'];
    const line = readCommandLine([...argv, '--configure-args', `--with-cc-opt='-O2 -g'`], { variables: {} });
    assert.ok(line.kind === 'run');
    const { parsed } = await ask(Object.fromEntries(line.raw), { problems: line.problems });
    assert.ok(parsed?.config.binary?.kind === 'build');
    assert.deepEqual(parsed.config.binary.arguments, ['--with-threads', '--with-cc-opt=-O2 -g']);
  });
});

describe('the text of a key on the command line', () => {
  const PUBLIC = readFileSync(new URL('../../../src/source/keys/arut.asc', import.meta.url), 'utf8');
  const PRIVATE = ED25519.private;

  it('is taken where it is a public one', async () => {
    assert.ok(PUBLIC.startsWith('-----BEGIN PGP PUBLIC KEY BLOCK-----\n'));
    const argv = ['build', '--trusted-keys', PUBLIC, '--nginx-version', '1.30.4', '--configure-args', '--with-threads'];
    const line = readCommandLine(argv, { variables: {} });
    assert.ok(line.kind === 'run');
    const { parsed, problems } = await ask(Object.fromEntries(line.raw), { problems: line.problems });
    assert.deepEqual(problems, []);
    assert.ok(parsed?.config.binary?.kind === 'build');
    assert.equal(parsed.config.binary.trust.keys?.length, 1);
  });

  const SECRET: [what: string, words: string[], input: string, why: RegExp][] = [
    ['behind --key', ['--key', PRIVATE], 'key', /^a secret is never taken from the command line/],
    ['behind --key=', [`--key=${PRIVATE}`], 'key', /^a secret is never taken from the command line/],
    ['behind --passphrase', ['--passphrase', PRIVATE], 'passphrase', /^a secret is never taken from the command line/],
    ['that lost its option', [PRIVATE], 'command', /^expected one command and then options, found a further word/],
  ];
  for (const [what, words, input, why] of SECRET) {
    it(`is refused as a secret in plain sight, and nothing of it is shown, ${what}`, async () => {
      const line = readCommandLine(['status', '--targets', 'local', ...words], { variables: {} });
      assert.ok(line.kind === 'run');
      const { problems } = await ask(Object.fromEntries(line.raw), { problems: line.problems });
      assert.deepEqual(
        problems.map((problem) => problem.input),
        [input],
      );
      assert.match(problems[0]?.message ?? '', why);
      const said = JSON.stringify([problems, [...line.raw]]);
      for (const part of PRIVATE.split('\n').filter((text) => text !== '')) assert.ok(!said.includes(part), said);
    });
  }
});
