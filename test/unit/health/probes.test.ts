import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import type { HealthSettings, Target } from '../../../src/config.ts';
import { DialError } from '../../../src/connection/port.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { healthProbes, probeUrl } from '../../../src/health/probes.ts';
import { closedPort, healthSettings, never, serveHttp } from './servers.ts';

const LOCAL: Target = { kind: 'local', name: 'local' };
const ssh = (host: string): Target => ({ kind: 'ssh', name: `deploy@${host}`, host, port: 22, user: 'deploy' });

/** Connects to `port` whatever it is asked for, and notes that. */
function connection(dial: number | DialError): Connection & { dialled: unknown[] } {
  const dialled: unknown[] = [];
  return {
    dialled,
    dial: (to) => {
      dialled.push(to);
      if (dial instanceof DialError) return Promise.reject(dial);
      const socket = connect(dial, '127.0.0.1');
      return new Promise((resolve) => socket.once('connect', () => resolve(socket)));
    },
    start: () => Promise.reject(new Error('probes start no command')),
    lost: never,
    roundTripMs: 0,
    close: () => {},
  };
}

function fromBoth(port: number): HealthSettings {
  return healthSettings({ url: `http://127.0.0.1:${port}/`, from: 'both' });
}

describe('probeUrl', () => {
  for (const [template, target, expected] of [
    ['http://{host}/health', ssh('web1.example.org'), 'http://web1.example.org/health'],
    ['https://{host}:8443/?of={host}', ssh('web1'), 'https://web1:8443/?of=web1'],
    ['http://{host}:81/', ssh('2001:db8::1'), 'http://[2001:db8::1]:81/'],
    ['http://{host}/', LOCAL, 'http://localhost/'],
    ['http://127.0.0.1:8080/', ssh('web1'), 'http://127.0.0.1:8080/'],
  ] as const) {
    test(`makes ${expected} of ${template} for ${target.name}`, () => {
      assert.equal(probeUrl(template, target).href, expected);
    });
  }
});

describe('healthProbes', () => {
  test('probes from the target through its connection', async (t) => {
    const link = connection(await serveHttp(t, (_request, response) => response.end('ok')));
    const settings = healthSettings({ url: 'http://{host}:8080/' });
    const judgement = await healthProbes(settings, { target: ssh('web1'), connection: link }).send(never);
    assert.equal(judgement.verdict, 'good');
    assert.deepEqual(link.dialled, [{ host: 'web1', port: 8080 }]);
  });

  test('dials the port of the scheme and an address without its brackets', async () => {
    const link = connection(new DialError('refused', 'nobody there'));
    await healthProbes(healthSettings({ url: 'https://[::1]/' }), { target: LOCAL, connection: link }).send(never);
    await healthProbes(healthSettings({ url: 'http://a/' }), { target: LOCAL, connection: link }).send(never);
    assert.deepEqual(link.dialled, [
      { host: '::1', port: 443 },
      { host: 'a', port: 80 },
    ]);
  });

  test('probes from the runner without the connection', async (t) => {
    const port = await serveHttp(t, (_request, response) => response.end('ok'));
    const link = connection(new DialError('denied', 'no'));
    const settings = healthSettings({ url: `http://127.0.0.1:${port}/`, from: 'runner' });
    assert.equal((await healthProbes(settings, { target: LOCAL, connection: link }).send(never)).verdict, 'good');
    assert.deepEqual(link.dialled, []);
  });

  test('is good from both places only if it is from each, and says from which it is not', async (t) => {
    const port = await serveHttp(t, (_request, response) => response.end('ok'));
    const place = { target: LOCAL, connection: connection(port) };
    assert.equal((await healthProbes(fromBoth(port), place).send(never)).verdict, 'good');
    const red = healthProbes(fromBoth(await closedPort()), place);
    const judgement = await red.send(never);
    assert.equal(judgement.verdict, 'bad');
    assert.match(judgement.why, /^from the runner: .*ECONNREFUSED/);
    assert.equal((await red.sendOne(never)).verdict, 'good');
  });

  test('takes three quick answers as the baseline, and their slowest time', async (t) => {
    let asked = 0;
    const port = await serveHttp(t, (_request, response) => {
      asked += 1;
      response.end('ok');
    });
    const probes = healthProbes(healthSettings(), { target: LOCAL, connection: connection(port) });
    const baseline = await probes.baseline(never);
    assert.deepEqual([baseline.state, asked, baseline.denied, baseline.redSources], ['green', 3, false, []]);
    const slowest = Math.max(...baseline.answers.map(({ ms }) => ms));
    assert.equal(baseline.p99Ms, Math.round(slowest * 10) / 10);
  });

  test('ends a red baseline at the first bad answer, and lets only what turns red count once that is allowed', async (t) => {
    let asked = 0;
    const port = await serveHttp(t, (_request, response) => {
      asked += 1;
      response.writeHead(503).end();
    });
    const probes = healthProbes(healthSettings(), { target: LOCAL, connection: connection(port) });
    const baseline = await probes.baseline(never);
    assert.deepEqual([baseline.state, asked, baseline.p99Ms, baseline.redSources], ['red', 1, null, ['target']]);
    assert.match(baseline.why, /^Before any change 1 of 1 answer bad; the last was status 503, expected 200-399/);
    assert.equal(probes.redBefore, false);
    assert.equal(probes.afterAllowing(baseline).redBefore, true);
  });

  test('goes on from the place that was green where only the other was red and that is allowed', async (t) => {
    const port = await serveHttp(t, (_request, response) => response.end('ok'));
    const probes = healthProbes(fromBoth(await closedPort()), { target: LOCAL, connection: connection(port) });
    const baseline = await probes.baseline(never);
    assert.deepEqual([baseline.state, baseline.redSources], ['red', ['runner']]);
    const allowed = probes.afterAllowing(baseline);
    assert.equal(allowed.redBefore, false);
    assert.equal((await allowed.send(never)).verdict, 'good');
  });

  test('says in the baseline that forwarding is denied', async () => {
    const link = connection(new DialError('denied', 'administratively prohibited'));
    const baseline = await healthProbes(healthSettings(), { target: LOCAL, connection: link }).baseline(never);
    assert.deepEqual([baseline.state, baseline.denied], ['inconclusive', true]);
    assert.match(baseline.why, /forwarding-denied: administratively prohibited/);
  });
});
