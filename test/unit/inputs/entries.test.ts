import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { readActionInputs } from '../../../src/inputs/from-action.ts';
import { readCommandLine, type CommandLine } from '../../../src/inputs/from-cli.ts';
import { fileWith } from './support.ts';

describe('readActionInputs', () => {
  it('reads names with dashes, in upper case, and nothing else', () => {
    const { raw, othersMayBeThere } = readActionInputs({
      'INPUT_HEALTH-URL': 'http://h/',
      INPUT_TARGETS: 'a\nb',
      INPUT_SUDO: '',
      INPUT_HEALTH_URL: 'x',
      HOME: '/root',
      INPUT_KEEP: undefined,
    });
    assert.deepEqual(
      [...raw],
      [
        ['health-url', 'http://h/'],
        ['targets', 'a\nb'],
        ['sudo', ''],
        ['health_url', 'x'],
      ],
    );
    assert.equal(othersMayBeThere, false);
  });

  it('knows the runners that hand the inputs of a wrapping action along', () => {
    for (const name of ['GITEA_ACTIONS', 'FORGEJO_ACTIONS']) {
      assert.equal(readActionInputs({ GITHUB_ACTIONS: 'true', [name]: 'true' }).othersMayBeThere, true);
    }
    assert.equal(readActionInputs({ GITHUB_ACTIONS: 'true' }).othersMayBeThere, false);
  });
});

function run(argv: string[], variables: Record<string, string> = {}): Extract<CommandLine, { kind: 'run' }> {
  const line = readCommandLine(argv, { variables });
  assert.ok(line.kind === 'run', line.kind);
  return line;
}

describe('readCommandLine', () => {
  it('reads a command and its options, with a space or an equals sign', () => {
    const { raw, problems } = run(['plan', '--targets', 'web1', '--health-url=http://h/?a=b', '--keep', '-1']);
    assert.deepEqual(problems, []);
    assert.deepEqual(Object.fromEntries(raw), {
      command: 'plan',
      targets: 'web1',
      'health-url': 'http://h/?a=b',
      keep: '-1',
    });
  });

  it('leaves the command to its default where the line starts with an option', () => {
    assert.deepEqual([...run(['--targets', 'web1']).raw], [['targets', 'web1']]);
  });

  it('joins repeated lists line by line and refuses repeated single values', () => {
    const { raw, problems } = run(['status', '--targets', 'a', '--targets=b,c', '--keep', '1', '--keep', '2']);
    assert.equal(raw.get('targets'), 'a\nb,c');
    assert.deepEqual(problems, [{ input: 'keep', message: 'is given more than once' }]);
    assert.match(run(['plan', '--command', 'status']).problems[0]?.message ?? '', /more than once/);
  });

  it('takes a boolean without a value as true where an option or nothing follows', () => {
    const { raw } = run(['upgrade', '--allow-downgrade', '--auto-commit', 'false', '--rehearse']);
    assert.deepEqual(Object.fromEntries(raw), {
      command: 'upgrade',
      'allow-downgrade': 'true',
      'auto-commit': 'false',
      rehearse: 'true',
    });
  });

  it('recognises help, version and helper', () => {
    const kinds = [[], ['--help'], ['upgrade', '--help'], ['-h'], ['--version'], ['helper']].map(
      (argv) => readCommandLine(argv, { variables: {} }).kind,
    );
    assert.deepEqual(kinds, ['help', 'help', 'help', 'help', 'version', 'helper']);
  });

  it('reads values from files', () => {
    const hosts = fileWith('hosts', 'web1\nweb2\n');
    const key = fileWith('key', 'KEY');
    const { raw, problems } = run(['status', '--targets', `@${hosts}`, '--targets', 'web3', `--key=@${key}`]);
    assert.deepEqual(problems, []);
    assert.equal(raw.get('targets'), 'web1\nweb2\n\nweb3');
    assert.equal(raw.get('key'), 'KEY');
  });

  it('says what is wrong with a file', () => {
    const { problems } = run(['status', '--targets', '@/no/such', '--known-hosts', '@/', '--sudo', '@']);
    assert.deepEqual(problems, [
      { input: 'targets', message: 'there is no file "/no/such"' },
      { input: 'known-hosts', message: 'expected a file behind "@", found the directory "/"' },
      { input: 'sudo', message: 'there is no file ""' },
    ]);
  });

  it('reads a secret from standard input', () => {
    const program = `
      import { readCommandLine } from './src/inputs/from-cli.ts';
      console.log(readCommandLine(['status', '--key', '-'], { variables: {} }).raw.get('key'));`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      input: 'KEY',
      encoding: 'utf8',
    });
    assert.equal(child.stdout, 'KEY\n', child.stderr);
  });

  it('reads standard input for one secret only', () => {
    const line = readCommandLine(['--key', '-', '--passphrase', '-'], { variables: {}, readFile: () => 'x' });
    assert.ok(line.kind === 'run');
    assert.match(line.problems[0]?.message ?? '', /read only once/);
  });

  it('takes secrets from the environment, an option first', () => {
    const variables = { NGINX_HOT_UPGRADE_KEY: 'KEY', NGINX_HOT_UPGRADE_PASSPHRASE: 'PASS' };
    assert.equal(run(['status'], variables).raw.get('passphrase'), 'PASS');
    assert.equal(run(['status', '--key', `@${fileWith('own', 'OWN')}`], variables).raw.get('key'), 'OWN');
  });

  it('refuses a literal secret, does not show it and says what to do', () => {
    const { problems, raw } = run(['status', '--key', 'hunter22', '--passphrase=hunter22', '--key=']);
    assert.match(problems[0]?.message ?? '', /--key @FILE, --key - .*NGINX_HOT_UPGRADE_KEY/);
    assert.match(problems[1]?.message ?? '', /--passphrase @FILE.*NGINX_HOT_UPGRADE_PASSPHRASE/);
    assert.doesNotMatch(JSON.stringify([problems, [...raw]]), /hunter22/);
  });

  it('names all mistakes at once', () => {
    const { problems } = run(['upgrade', 'extra', '--helth-url', 'x', '--keep', '--targets', 'a', '-x', '--timeout']);
    assert.deepEqual(
      problems.map(({ input }) => input),
      ['command', 'helth-url', 'keep', 'command', 'timeout'],
    );
    assert.match(problems[1]?.message ?? '', /no such option\. Did you mean "health-url"\?/);
    assert.match(problems[2]?.message ?? '', /a value is missing/);
  });
});

describe('importing the inputs', () => {
  it("loads neither ssh2 nor the runner's toolkit", () => {
    const program = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ resolve(name, context, next) { loaded.push(name); return next(name, context); } });
      await import('./src/inputs/parse.ts');
      await import('./src/inputs/from-cli.ts');
      await import('./src/inputs/from-action.ts');
      console.log(loaded.filter((name) => !name.startsWith('.') && !name.startsWith('node:')).join());`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    assert.equal(child.stdout.trim(), '', child.stderr);
    assert.equal(child.status, 0);
  });
});
