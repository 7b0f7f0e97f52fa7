import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HealthSettings } from '../../../src/config.ts';
import { attribution } from '../../../src/host/attributing.ts';
import { masterOf, type Raw } from './recorded.ts';
import { configOf, scriptedAgent, scriptedRun } from './scripted-run.ts';

const LISTENERS = { listeners: ['11 tcp 00000000:0050'] };
const OWN = { ...LISTENERS, probe: ['here listen tcp 00000000 11', 'here local 10.0.0.5'] };
const OTHERS = { ...LISTENERS, probe: ['here listen tcp 00000000 77', 'here local 10.0.0.5'] };
/** The master has a network of its own, 10.9.0.2, and another nginx has ours. */
const APART = {
  ...LISTENERS,
  sameNetwork: false,
  probe: [...OTHERS.probe, 'there listen tcp 00000000 11', 'there local 127.0.0.1,10.9.0.2'],
};

const SETTINGS: HealthSettings = {
  url: 'http://127.0.0.1/',
  from: 'target',
  status: [{ from: 200, to: 399 }],
  headers: [],
  interval: 1_000,
  timeout: 1_000,
  successes: 1,
  failureLimit: 0,
};

async function found(changes: Raw, over: Partial<HealthSettings> = {}): Promise<string | undefined> {
  const run = scriptedRun(scriptedAgent().agent);
  const config = configOf({ health: { ...SETTINGS, ...over } });
  return (await attribution({ ...run, config }, masterOf('systemd', changes)))?.code;
}

describe('attribution', () => {
  it('finds nothing where the socket at the probed address is the master’s', async () => {
    assert.equal(await found(OWN), undefined);
    assert.equal(await found(OWN, { url: 'http://10.0.0.5/', from: 'both' }), undefined);
  });

  it('finds nothing without probes', async () => {
    const run = scriptedRun(scriptedAgent().agent);
    assert.equal(await attribution(run, masterOf('systemd', OTHERS)), undefined);
  });

  it('is not attributed where the socket is of somebody else, or the address of another machine', async () => {
    assert.equal(await found(OTHERS), 'not-attributed');
    assert.equal(await found(OWN, { url: 'http://10.0.0.9/' }), 'not-attributed');
  });

  it('is another network where the master has one of its own, for probes through the connection', async () => {
    assert.equal(await found(APART), 'network-namespace');
    assert.equal(await found(APART, { from: 'both' }), 'network-namespace');
    assert.equal(await found(APART, { url: 'http://10.0.0.5/', from: 'runner' }), 'not-attributed');
  });

  it('finds nothing where the probe is routed to an address of that network', async () => {
    for (const from of ['target', 'runner', 'both'] as const) {
      assert.equal(await found(APART, { url: 'http://10.9.0.2/', from }), undefined, from);
    }
    assert.equal(await found(APART, { url: 'http://10.9.0.3/' }), 'not-attributed');
  });

  it('is none where the master has one of its own, but its socket is of ours', async () => {
    assert.equal(await found({ ...OWN, sameNetwork: false }), undefined);
  });

  it('takes the loopback of a remote runner for no address of the target', async () => {
    assert.equal(await found(OWN, { from: 'runner' }), 'not-attributed');
  });

  it('takes a name for what the target resolves it to, and knows localhost by itself', async () => {
    assert.equal(await found(OWN, { url: 'http://localhost/' }), undefined);
    assert.equal(await found(OWN, { url: 'http://web.internal/' }), 'not-attributed');
    const resolved = { ...OWN, probe: [...OWN.probe, 'here resolved 10.0.0.5'] };
    assert.equal(await found(resolved, { url: 'http://web.internal/' }), undefined);
  });
});
