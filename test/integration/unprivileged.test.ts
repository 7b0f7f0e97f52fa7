import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { assertAtRest, snapshotHost, type Snapshot } from '../support/invariants.ts';
import { startLoad } from '../support/load.ts';
import { startNginx, type LocalNginx } from '../support/local-nginx.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { productAt, quick, type Inputs, type Product } from '../support/product.ts';
import { waitFor } from '../support/wait.ts';

const newer = await nginxBuild('1.26.3');
const as = process.getuid?.() === 0 ? nobody() : [];

/** `nobody` has no sudo rights; where the checkout lies in a closed home it cannot run the program either. */
const blind =
  as.length > 0 && spawnSync(as[0] ?? '', [...as.slice(1), 'test', '-r', import.meta.filename]).status !== 0;

describe('an instance without root on this machine', { skip: blind && 'nobody cannot read this checkout' }, () => {
  test('is upgraded and rolled back with its state in its own home', async () => {
    await using site = await serve();
    const { product, nginx } = site;
    const done = await product.run('upgrade', '--binary', newer, ...site.quick());
    assert.deepEqual([done.code, done.report.outcome, done.host.version], [0, 'upgraded', '1.26.3'], done.output);
    await assertAtRest(nginx, { before: site.before, sha256: done.host.sha256 ?? '', committed: true });
    const books = join(nginx.home, '.local/state/nginx-hot-upgrade');
    assert.equal((await nginx.run(`find ${books} -name journal.jsonl -user "$(id -un)"`)).stdout.split('\n').length, 2);
    const back = await product.run('rollback', ...site.quick());
    assert.deepEqual([back.code, back.report.outcome, back.host.version], [0, 'rolled-back', '1.22.1'], back.output);
    await assertAtRest(nginx, { before: site.before, committed: true });
    await site.lostNothing();
    const books2 = `/var/lib/nginx-hot-upgrade/${nginx.pidFile.slice(1).replaceAll('/', '-')}`;
    assert.equal(existsSync(books2), false);
  });

  test('is planned without a trace', async () => {
    await using site = await serve();
    const list = async () =>
      (await site.nginx.run(`find ${site.nginx.dir} -printf '%p %i %s\\n' | grep -v nginx-hot`)).stdout;
    const files = await list();
    const { code, report, host, output } = await site.product.run('plan', '--binary', newer, ...site.quick());
    assert.deepEqual([code, report.outcome], [0, 'planned'], output);
    assert.match(host.notes.join('\n'), /Guard: a detached process/);
    assert.equal(await list(), files);
    await assertAtRest(site.nginx, { before: site.before });
  });

  test('goes back by its own guard when the run is killed', async () => {
    await using site = await serve();
    const inputs = site.quick({ 'bake-time': '60s', 'confirm-timeout': '5s' });
    const run = site.product.start('upgrade', '--binary', newer, ...inputs);
    await run.until(waitFor('the new version', async () => (await site.version()) === '1.26.3'));
    run.kill('SIGKILL');
    const oldbin = `${site.nginx.pidFile}.oldbin`;
    await waitFor('the old generation', () => !existsSync(oldbin), 10_000);
    await waitFor('rest', () =>
      assertAtRest(site.nginx, { before: site.before })
        .then(() => true)
        .catch(() => false),
    );
    assert.equal(await site.version(), '1.22.1');
    await site.lostNothing();
  });

  test('is held under a detached guard, and goes back when hold-timeout is over', async () => {
    await using site = await serve();
    const inputs = site.quick({ 'auto-commit': 'false', 'hold-timeout': '5s' });
    const { code, host, output } = await site.product.run('upgrade', '--binary', newer, ...inputs);
    assert.deepEqual([code, host.outcome, host.guard?.kind], [0, 'held', 'detached'], output);
    await waitFor('rest', () =>
      assertAtRest(site.nginx, { before: site.before })
        .then(() => true)
        .catch(() => false),
    );
    await site.lostNothing();
  });
});

interface Site extends AsyncDisposable {
  nginx: LocalNginx;
  product: Product;
  before: Snapshot;
  quick(over?: Inputs): string[];
  version(): Promise<string>;
  /** Ends the load and asserts that none of its requests failed. */
  lostNothing(): Promise<void>;
}

/** 1.22.1 under load. */
async function serve(): Promise<Site> {
  const user = as.length > 0 ? { user: 'nobody' } : {};
  const nginx = await startNginx({ binary: await nginxBuild('1.22.1'), ...user });
  const url = `http://127.0.0.1:${nginx.port}/`;
  const load = await startLoad({ host: '127.0.0.1', port: nginx.port, rate: 200 });
  let loaded = true;
  const end = async () => {
    loaded = false;
    return load.stop();
  };
  return {
    nginx,
    product: productAt(nginx, as),
    before: await snapshotHost(nginx),
    quick: (over = {}) => quick({ 'health-url': url, ...over }),
    version: async () => (await fetch(url, { headers: { connection: 'close' } })).headers.get('x-nginx') ?? '',
    lostNothing: async () => {
      const { failed, failures } = await end();
      assert.equal(failed, 0, failures.join('\n'));
    },
    [Symbol.asyncDispose]: async () => {
      if (loaded) await end();
      await nginx.stop();
    },
  };
}

function nobody(): string[] {
  const group = execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' }).trim();
  return ['setpriv', '--reuid=nobody', `--regid=${group}`, '--init-groups'];
}
