import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitArguments } from '../../../src/inputs/arguments.ts';
import { readCommandLine } from '../../../src/inputs/from-cli.ts';
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
