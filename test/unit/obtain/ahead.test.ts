import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BinarySource, BuildSource, Config, Target } from '../../../src/config.ts';
import { obtainAhead } from '../../../src/obtain/ahead.ts';
import type { Supply } from '../../../src/obtain/supply.ts';
import { mirrorOf, NGINX_ORG } from '../../../src/source/mirror.ts';
import type { MasterFacts } from '../../../src/target/facts.ts';
import { freePort } from '../../support/port.ts';
import { BINARY, configOf, scriptedAgent, scriptedRun } from '../host/scripted-run.ts';

const DOWNLOAD: BinarySource = { kind: 'download', url: 'https://h/nginx', sha256: 'ab'.repeat(32) };
const BUILD: BuildSource = {
  kind: 'build',
  wish: { kind: 'stable' },
  mirror: mirrorOf(NGINX_ORG),
  trust: {},
  arguments: 'inherit',
  extra: [],
  omit: [],
  modules: [],
};
const NO_INSTANCE = '/nonexistent/nhu-unit/nginx.pid';
const UNREACHABLE: Target = { kind: 'ssh', name: 'web1', host: '127.0.0.1', port: 1, user: 'deploy' };
const local = (name: string): Target => ({ kind: 'local', name });

interface Asking {
  cancel?: AbortSignal;
  /** What the supply does at each question; gives a binary where not given. */
  give?: () => Promise<typeof BINARY>;
  supply?: undefined;
}

/** What came of asking ahead: the targets for which nothing can be had, what the supply was asked, what was said. */
async function ahead(changes: Partial<Omit<Config, 'switch'>>, asking: Asking = {}) {
  const { log, said } = scriptedRun(scriptedAgent().agent);
  const asked: (MasterFacts | null)[] = [];
  const give = async (master: MasterFacts | null) => {
    asked.push(master);
    return asking.give?.() ?? BINARY;
  };
  const supply: Supply = { for: give, atHand: give, warmUp: () => {}, costly: true, latest: () => undefined };
  const missing = await obtainAhead({
    config: configOf({ targets: [local('one'), local('two')], pidFile: NO_INSTANCE, ...changes }),
    log,
    cancel: asking.cancel ?? new AbortController().signal,
    supply: 'supply' in asking ? undefined : supply,
  });
  return { missing: [...missing], asked, said };
}

describe('obtainAhead', () => {
  const idle: [when: string, changes: Partial<Omit<Config, 'switch'>>, asking?: Asking][] = [
    ['the binary is a file', { binary: { kind: 'file', path: '/nginx' } }],
    ['nothing new is wanted', {}],
    ['there is no supply', { binary: DOWNLOAD }, { supply: undefined }],
    ['only a plan is wanted', { command: 'plan', binary: DOWNLOAD }],
    ['the run was cancelled', { binary: DOWNLOAD }, { cancel: AbortSignal.abort() }],
    [
      'the run was cancelled before a target was asked for its arguments',
      { binary: BUILD, targets: [UNREACHABLE] },
      { cancel: AbortSignal.abort() },
    ],
  ];
  for (const [when, changes, asking] of idle) {
    it(`obtains nothing where ${when}`, async () => {
      assert.deepEqual(await ahead(changes, asking), { missing: [], asked: [], said: [] });
    });
  }

  for (const [what, binary] of [
    ['a download', DOWNLOAD],
    ['a build with given arguments', { ...BUILD, arguments: ['--with-threads'] }],
  ] as const) {
    it(`obtains ${what} for every target without asking any`, async () => {
      assert.deepEqual(await ahead({ binary, targets: [UNREACHABLE, local('two')] }), {
        missing: [],
        asked: [null, null],
        said: [],
      });
    });
  }

  it('obtains a download where there is no target at all', async () => {
    assert.deepEqual((await ahead({ binary: DOWNLOAD, targets: [], command: 'build' })).asked, [null]);
  });

  it('tells for which targets nothing can be had, and why, and goes on with the others', async () => {
    const error = new Error('no such file');
    const answers = [() => Promise.reject(error), () => Promise.resolve(BINARY)];
    const give = () => answers.shift()?.() ?? Promise.resolve(BINARY);
    const { missing, asked } = await ahead({ binary: DOWNLOAD }, { give });
    assert.deepEqual(missing, [['one', error]]);
    assert.equal(asked.length, 2);
  });

  it('begins nothing more once it is cancelled', async () => {
    const stop = new AbortController();
    const give = async () => (stop.abort(), BINARY);
    assert.equal((await ahead({ binary: DOWNLOAD }, { give, cancel: stop.signal })).asked.length, 1);
  });

  it('leaves a target on which nothing runs to its own turn', async () => {
    const { missing, asked } = await ahead({ binary: BUILD, targets: [local('one')] });
    assert.deepEqual([missing, asked], [[], []]);
  });

  it('leaves a target that cannot be reached to its own turn, and says so', async () => {
    const target: Target = { ...UNREACHABLE, port: await freePort() };
    const ssh = { fingerprints: [`SHA256:${'A'.repeat(43)}`], agent: '/nonexistent', connectTimeout: 300 };
    const { missing, asked, said } = await ahead({ binary: BUILD, targets: [target], ssh });
    assert.deepEqual([missing, asked], [[], []]);
    assert.match(said.join('\n'), /^web1 cannot be asked for its arguments: /);
  });
});
