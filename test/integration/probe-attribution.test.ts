import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick } from '../support/product.ts';
import { webHost } from '../support/web-host.ts';

const red = await nginxBuild('1.26.3', 'turns-red');
const newer = await nginxBuild('1.26.3');

/** Another nginx, whose socket is at the address that is probed; what is upgraded is named by its pid file. */
const SECOND = ['--pid-file', '/run/second.pid'];
const second = (
  port: number,
) => `sed 's/listen 80/listen ${port}/; s#/run/nginx.pid#/run/second.pid#' /etc/nginx/nginx.conf \
  >/etc/nginx/second.conf; install -m 755 /usr/sbin/nginx /usr/local/sbin/second`;

describe('probes that somebody else answers', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('attributed');

  const untouched = async () => {
    assert.equal(await web.sh('pgrep -fc "^nginx: master"'), '2');
    assert.equal(await web.sh('/usr/local/sbin/second -v 2>&1'), 'nginx version: nginx/1.22.1');
  };

  test('are refused where the nginx to upgrade serves in a network namespace of its own', async () => {
    await web.sh(`${second(80)}
      ip netns add second; ip -n second link set lo up
      ip netns exec second /usr/local/sbin/second -c /etc/nginx/second.conf`);
    web.spoil();
    for (const command of ['plan', 'upgrade']) {
      const { code, host, output } = await web.product.run(command, '--binary', red, ...SECOND, ...quick());
      assert.deepEqual(
        [code, host.outcome, host.refusals.map((each) => each.code)],
        [1, 'refused', ['network-namespace']],
        output,
      );
      assert.match(host.refusals[0]?.message ?? '', /network namespace of its own.*ends in another one/);
    }
    await untouched();
    const words = [...SECOND, ...quick({ 'health-url': 'none', 'bake-time': '0s' })];
    const unprobed = await web.product.run('upgrade', '--binary', newer, ...words);
    assert.deepEqual([unprobed.code, unprobed.host.version], [0, '1.26.3'], unprobed.output);
  });

  test('are not attributed where another nginx listens there: log, verdict and report say so', async () => {
    await web.sh(`${second(81)}; /usr/local/sbin/second -c /etc/nginx/second.conf`);
    web.spoil();
    const { host, output } = await web.product.run('upgrade', '--binary', newer, ...SECOND, ...quick());
    assert.deepEqual(host.warnings.filter(({ code }) => code === 'not-attributed').length, 1, output);
    assert.match(
      output,
      /not-attributed: probes of http:\/\/127\.0\.0\.1\/ are not attributed to this nginx: a socket that its master/,
    );
    assert.match(output, /0 of \d+ probes failed \(not attributed to this nginx\)/);
  });

  test('are attributed where its own socket listens there, under each of its names', async () => {
    await web.sh(`${second(81)}; /usr/local/sbin/second -c /etc/nginx/second.conf`);
    web.spoil();
    for (const url of [
      'http://127.0.0.1:81/',
      'http://localhost:81/',
      `http://${web.address}:81/`,
      'http://{host}:81/',
    ]) {
      const { code, host, output } = await web.product.run(
        'plan',
        '--binary',
        newer,
        ...SECOND,
        ...quick({ 'health-url': url }),
      );
      assert.equal(code, 0, output);
      assert.deepEqual(
        host.warnings.filter(({ code: each }) => each === 'not-attributed'),
        [],
        url,
      );
    }
    const runner = quick({ 'health-url': `http://${web.address}:81/`, 'health-from': 'both' });
    const both = await web.product.run('plan', '--binary', newer, ...SECOND, ...runner);
    assert.deepEqual(
      [both.code, both.host.warnings.filter(({ code }) => code === 'not-attributed')],
      [0, []],
      both.output,
    );
    const other = quick({ 'health-url': `http://${web.address}/`, 'health-from': 'runner' });
    const wrong = await web.product.run('plan', '--binary', newer, ...SECOND, ...other);
    assert.deepEqual(
      [wrong.code, wrong.host.warnings.filter(({ code }) => code === 'not-attributed').length],
      [0, 1],
      wrong.output,
    );
  });
});
