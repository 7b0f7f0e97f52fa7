import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ED25519 } from './keys.ts';
import { ask, complaints, HOST_KEY, LOCAL, USER } from './support.ts';

describe('parseInputs', () => {
  it('gives everything that was not said its documented default', async () => {
    const { parsed } = await ask(LOCAL);
    assert.deepEqual(parsed?.warnings, []);
    assert.deepEqual(parsed?.config, {
      command: 'upgrade',
      targets: [{ kind: 'local', name: 'local' }],
      ssh: { fingerprints: [], connectTimeout: 30_000 },
      sudo: ['sudo', '-n'],
      commandTimeout: 600_000,
      binary: { kind: 'file', path: LOCAL.binary },
      health: 'none',
      switch: {
        canaryTime: 0,
        bakeTime: 10_000,
        readyTimeout: 15_000,
        drainTimeout: 60_000,
        confirmTimeout: 120_000,
        holdTimeout: 900_000,
        autoCommit: true,
        autoRollback: true,
        allowDowngrade: false,
        rehearse: false,
        keep: 3,
        allow: new Set(),
      },
    });
  });

  it('reads every input that was said', async () => {
    const { parsed } = await ask({
      ...LOCAL,
      targets: 'web1\nroot@web2:2222',
      username: 'deploy',
      port: ' 2200 ',
      key: ED25519.private,
      'known-hosts': `* ${HOST_KEY}`,
      'health-url': 'https://{host}/',
      'health-body': '/ok/i',
      'health-from': 'both ',
      'pid-file': '/run/nginx.pid',
      allow: 'quic,config-drift',
      'allow-downgrade': 'true',
    });
    assert.deepEqual(
      parsed?.config.targets.map((target) =>
        target.kind === 'ssh' ? `${target.user}@${target.host}:${target.port}` : '',
      ),
      ['deploy@web1:2200', 'root@web2:2222'],
    );
    assert.deepEqual(parsed?.config.health, {
      url: 'https://{host}/',
      from: 'both',
      status: [{ from: 200, to: 399 }],
      body: { kind: 'regex', source: 'ok', flags: 'i' },
      headers: [],
      interval: 1000,
      timeout: 5000,
      successes: 5,
      failureLimit: 0,
    });
    assert.equal(parsed?.config.pidFile, '/run/nginx.pid');
    assert.deepEqual(parsed?.config.switch.allow, new Set(['quic', 'config-drift']));
    assert.equal(parsed?.config.switch.allowDowngrade, true);
  });

  it('logs in as the current user where nothing else is said', async () => {
    const { parsed } = await ask({ ...LOCAL, targets: 'web1', key: ED25519.private, 'known-hosts': `* ${HOST_KEY}` });
    assert.deepEqual(parsed?.config.targets, [{ kind: 'ssh', name: 'web1', host: 'web1', port: 22, user: USER }]);
  });

  it('reports all mistakes at once, in the order of the documentation', async () => {
    const { problems } = await ask({
      keep: '-1',
      targets: 'a b',
      timeout: '30',
      'health-url': 'ftp://h',
      allow: 'downgrade',
      'auto-commit': 'no',
    });
    assert.deepEqual(
      problems.map(({ input }) => input),
      ['targets', 'key', 'known-hosts', 'timeout', 'binary', 'health-url', 'auto-commit', 'allow', 'keep'],
    );
  });

  it('needs targets', async () => {
    assert.match(await complaints('targets', ''), /^no targets/);
    assert.match(await complaints('targets', ' \n '), /^no targets/);
    assert.match(await complaints('targets', '# web1'), /^no targets/);
  });

  it('takes an empty value as none, except for sudo, where it means never', async () => {
    const { parsed } = await ask({ ...LOCAL, keep: '', 'bake-time': '  ', sudo: '' });
    assert.equal(parsed?.config.switch.keep, 3);
    assert.equal(parsed?.config.switch.bakeTime, 10_000);
    assert.deepEqual(parsed?.config.sudo, []);
  });

  it('takes a name that is no input for a mistake, and names the one that was meant', async () => {
    const { parsed, problems } = await ask({ ...LOCAL, 'auto-comit': 'false', 'no such thing at all': 'x' });
    assert.equal(parsed, undefined);
    assert.deepEqual(problems, [
      {
        input: 'auto-comit',
        message:
          'there is no input of this name (an input of the step, or a variable INPUT_… of its job). Did you mean "auto-commit"?',
      },
      {
        input: '"no such thing at all"',
        message: 'there is no input of this name (an input of the step, or a variable INPUT_… of its job).',
      },
    ]);
  });

  it('tells of it first, among other mistakes, since it may be their cause', async () => {
    const { problems } = await ask({ targets: 'local', binary: LOCAL.binary, 'helth-url': 'none' });
    assert.deepEqual(
      problems.map(({ input }) => input),
      ['helth-url', 'health-url'],
    );
  });

  it('warns of it where a wrapping action may have brought it along, and repeats that among mistakes', async () => {
    const there = { othersMayBeThere: true };
    const { parsed } = await ask({ ...LOCAL, 'bake-tme': '5s' }, there);
    assert.deepEqual(parsed?.warnings, [
      {
        input: 'bake-tme',
        message:
          'there is no input of this name (an input of the step, or a variable INPUT_… of its job). Did you mean "bake-time"?',
      },
    ]);
    const { problems } = await ask({ ...LOCAL, 'bake-tme': '5s', keep: 'x' }, there);
    assert.deepEqual(
      problems.map(({ input }) => input),
      ['bake-tme', 'keep'],
    );
  });

  it('repeats what the reader of the command line found', async () => {
    const { problems } = await ask({ ...LOCAL, keep: 'x' }, { problems: [{ input: 'key', message: 'is literal' }] });
    assert.deepEqual(
      problems.map(({ input }) => input),
      ['key', 'keep'],
    );
  });

  it('says of a misspelt command only that', async () => {
    const { problems } = await ask({ command: 'upgrad', targets: 'local' });
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['expected build, plan, upgrade, commit, rollback, status, found "upgrad". Did you mean "upgrade"?'],
    );
  });

  it('refuses a NUL anywhere and a value of more than a megabyte', async () => {
    assert.equal(await complaints('health-body', 'a\0b'), 'contains a NUL character');
    assert.match(await complaints('known-hosts', 'x'.repeat(1_100_000)), /longer than 1 MiB/);
  });

  it('shows the first twenty of many mistakes in one input', async () => {
    const lines = (await complaints('targets', 'a b\n'.repeat(5000))).split('\n');
    assert.equal(lines.length, 21);
    assert.equal(lines.at(-1), 'and 4980 more of this kind');
  });
});

describe('time limits', () => {
  for (const [name, value] of [
    ['confirm-timeout', '4s'],
    ['hold-timeout', '0s'],
    ['ready-timeout', '0s'],
    ['timeout', '0s'],
    ['command-timeout', '0s'],
    ['health-interval', '0s'],
    ['health-timeout', '0s'],
  ] as const) {
    it(`refuses a ${name} of ${value}`, async () => {
      assert.match(await complaints(name, value), /must be at least/);
    });
  }

  for (const name of ['canary-time', 'bake-time', 'drain-timeout']) {
    it(`takes a ${name} of 0s`, async () => assert.equal(await complaints(name, '0s'), ''));
  }
});
