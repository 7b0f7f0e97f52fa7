import assert from 'node:assert/strict';
import { appendFile, readFile, stat } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { type LocalNginx, startNginx } from '../support/local-nginx.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { runAction, runPost, type Step } from '../support/runner.ts';

const older = await nginxBuild('1.22.1');
const newer = await nginxBuild('1.26.3');

describe('the action, as a runner runs it', () => {
  test('upgrades, and says so in outputs, summary and report; the post step has nothing to do', async () => {
    await using nginx = await startNginx({ binary: older });
    const inputs = { ...upgradeOf(nginx), 'bake-time': '1s' };
    const step = await runAction(inputs);
    assert.equal(step.code, 0, step.log);
    const { outcome, version, sha256, results = '', report = '', binary } = step.outputs;
    assert.deepEqual([outcome, version, step.outputs['previous-version']], ['upgraded', '1.26.3', '1.22.1']);
    assert.deepEqual([step.outputs['failed-requests'], step.outputs['longest-gap-ms']], ['0', '0']);
    assert.deepEqual([binary, step.outputs['failed-hosts']], [newer, '']);
    const [host] = JSON.parse(results);
    assert.deepEqual([host.target, host.state, host.version, host.sha256], ['local', 'idle', '1.26.3', sha256]);
    await assertReport(step, report);
    assert.match(step.summary, /1\.22\.1.*1\.26\.3/s);
    assert.deepEqual([step.errors, await serving(nginx)], [[], '1.26.3']);
    const post = await runPost(inputs, step);
    assert.deepEqual([post.code, post.log], [0, '']);
  });

  test('refuses a master without daemon mode: nothing touched, one error with its code, exit code 1', async () => {
    await using nginx = await startNginx({ binary: older });
    await appendFile(nginx.configFile, 'daemon off;\n');
    const master = await nginx.masterPid();
    const step = await runAction(upgradeOf(nginx));
    assert.deepEqual([step.code, step.outputs['outcome'], step.outputs['failed-hosts']], [1, 'refused', 'local'], step.log);
    assert.match(step.errors.map(({ title }) => title).join('\n'), /daemon-off/);
    assert.match(step.errors[0]?.message ?? '', /nothing was touched/);
    assert.match(step.summary, /daemon-off/);
    assert.deepEqual([await nginx.masterPid(), await serving(nginx)], [master, '1.22.1']);
  });

  test('names every wrong input at once, each with its own error, and no secret', async () => {
    const secret = 'hunter2-but-longer-than-that';
    const step = await runAction({
      targets: 'web1.example.org, deploy@web1.example.org:99999',
      key: secret,
      binary: '/nowhere/nginx',
      'bake-time': '10',
      'drain-timeout': '-1s',
      'auto-commit': 'maybe',
      keep: 'three',
      allow: 'everything',
      'health-status': '700',
    });
    assert.equal(step.code, 1, step.log);
    const blamed = new Set(step.errors.map(({ title }) => title.replace('Input ', '')));
    const expected = ['targets', 'key', 'known-hosts', 'binary', 'bake-time', 'drain-timeout', 'auto-commit', 'keep', 'allow'];
    for (const input of [...expected, 'health-url', 'health-status']) assert.ok(blamed.has(input), `${input} in ${[...blamed].join(', ')}`);
    assert.match(step.errors.find(({ title }) => title === 'Input bake-time')?.message ?? '', /found "?10"?/);
    const said = [step.log, step.summary, JSON.stringify([step.outputs, step.state])].join('\n');
    assert.ok(!said.includes(secret), 'the secret was said');
    assert.match(step.log, /Nothing was done/);
  });

  test('does nothing where a name is no input, and names the nearest', async () => {
    await using nginx = await startNginx({ binary: older });
    const master = await nginx.masterPid();
    const step = await runAction({ ...upgradeOf(nginx), 'auto-comit': 'false' });
    assert.deepEqual([step.code, step.outputs['outcome']], [1, undefined], step.log);
    assert.match(JSON.stringify(step.errors), /Input auto-comit.*Did you mean \\"auto-commit\\"/);
    assert.match(step.log, /Nothing was done/);
    assert.deepEqual([await nginx.masterPid(), await serving(nginx)], [master, '1.22.1']);
  });

  test('warns of it where the runner hands the inputs of a wrapping action along', async () => {
    await using nginx = await startNginx({ binary: older });
    const inputs = { command: 'status', targets: 'local', 'pid-file': nginx.pidFile, site: 'blog' };
    const step = await runAction(inputs, { GITEA_ACTIONS: 'true' });
    assert.deepEqual([step.code, step.outputs['outcome']], [0, 'reported'], step.log);
    assert.match(JSON.stringify(step.warnings), /site.*no input of this name/);
  });

  test('holds where asked to; the post step reports it, rollback ends it', async () => {
    await using nginx = await startNginx({ binary: older });
    const inputs = { ...upgradeOf(nginx), 'auto-commit': 'false' };
    const step = await runAction(inputs);
    assert.deepEqual([step.code, step.outputs['outcome'], step.outputs['version']], [0, 'held', '1.26.3'], step.log);
    assert.equal(await serving(nginx), '1.26.3');
    const post = await runPost(inputs, step);
    assert.deepEqual([post.code, post.errors], [0, []], post.log);
    assert.match(post.warnings.map(({ message }) => message).join('\n'), /local is held/);
    const back = await runAction({ command: 'rollback', targets: 'local', 'pid-file': nginx.pidFile });
    assert.deepEqual([back.code, back.outputs['outcome'], await serving(nginx)], [0, 'rolled-back', '1.22.1'], back.log);
  });

  test('goes back where the new version turns red: rolled back, failed step, evidence in the report', async () => {
    await using nginx = await startNginx({ binary: older });
    const red = await nginxBuild('1.26.3', 'turns-red');
    const step = await runAction({ ...upgradeOf(nginx), binary: red, 'bake-time': '10s' });
    assert.deepEqual([step.code, step.outputs['outcome'], step.outputs['failed-hosts']], [1, 'rolled-back', 'local'], step.log);
    assert.match(step.errors[0]?.title ?? '', /unhealthy in bake/);
    const [host] = JSON.parse(step.outputs['results'] ?? '[]');
    assert.match(host.evidence.probes.join('\n'), /500/);
    assert.deepEqual([host.version, await serving(nginx)], ['1.22.1', '1.22.1']);
  });
});

function upgradeOf(nginx: LocalNginx): Record<string, string> {
  return {
    targets: 'local',
    'pid-file': nginx.pidFile,
    binary: newer,
    'health-url': `http://127.0.0.1:${nginx.port}/`,
    'health-interval': '200ms',
    'health-successes': '2',
    'bake-time': '0s',
  };
}

async function serving({ port }: LocalNginx): Promise<string | null> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  return answer.headers.get('x-nginx');
}

/** Only its owner may read it, and it lies where the runner removes it. */
async function assertReport({ temp }: Step, path: string): Promise<void> {
  assert.ok(path.startsWith(`${temp}/`), path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(JSON.parse(await readFile(path, 'utf8')).outcome, 'upgraded');
}
