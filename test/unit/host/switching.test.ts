import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HealthSettings } from '../../../src/config.ts';
import { UpgradeError } from '../../../src/errors.ts';
import type { Span } from '../../../src/health/gaps.ts';
import type { Judgement } from '../../../src/health/judge.ts';
import type { HealthProbes } from '../../../src/health/probes.ts';
import { Cancelled } from '../../../src/host/errors.ts';
import { bake } from '../../../src/host/switching.ts';
import type { Agent } from '../../../src/target/agent.ts';
import { configOf, scriptedAgent, scriptedRun, type Scripted } from './scripted-run.ts';

const GOOD: Judgement = { verdict: 'good', why: 'status 200', ms: 1 };
const BAD: Judgement = { verdict: 'bad', why: 'status 503', ms: 1 };
const SILENT: Judgement = { verdict: 'bad', why: 'timeout while connecting', ms: 1 };
const LOST: Judgement = { verdict: 'inconclusive', why: 'the link is gone', ms: 1, cause: 'lost' };
const STOPPED: Judgement = { verdict: 'inconclusive', why: 'stopped', ms: 1, cause: 'stopped' };

const HEALTH: HealthSettings = {
  url: 'http://127.0.0.1/',
  from: 'target',
  status: [{ from: 200, to: 399 }],
  headers: [],
  interval: 1,
  timeout: 1_000,
  successes: 2,
  failureLimit: 0,
};

const QUIET = { reparked: false, errorLog: [] };

interface Course {
  /** What the probes are answered, one after another; the last one stays. */
  probes: Judgement[];
  looks?: Scripted[];
  /** Looks, counted from one, that were only answered over a new link. */
  renewedBy?: number[];
  /** Called when the target is asked. */
  onLook?: () => Promise<void>;
  onProbe?: () => void;
  cancel?: AbortSignal;
}

/** `course`: probes and looks in their order. */
async function baked({ probes, looks = [QUIET], renewedBy = [], onLook, onProbe, cancel }: Course) {
  const scripted = scriptedAgent({ answers: { look: looks } });
  const course: string[] = [];
  const outages: Span[] = [];
  const agent: Agent = {
    ...scripted.agent,
    outages: () => outages,
    async ask(verb, options) {
      course.push(verb);
      await onLook?.();
      if (renewedBy.includes(course.filter((step) => step === 'look').length)) outages.push({ from: 1, to: 2 });
      return scripted.agent.ask(verb, options);
    },
  };
  const left = [...probes];
  const send = async (): Promise<Judgement> => {
    onProbe?.();
    const judgement = (left.length > 1 ? left.shift() : left[0]) ?? GOOD;
    course.push(judgement.verdict);
    return judgement;
  };
  const healthProbes: HealthProbes = {
    send,
    sendOne: send,
    baseline: () => Promise.reject(new Error('expected no baseline')),
    afterAllowing: () => healthProbes,
    redBefore: false,
  };
  const run = scriptedRun(agent, { config: configOf({ health: HEALTH }), ...(cancel === undefined ? {} : { cancel }) });
  const ended = await bake(run, { probes: healthProbes, baselineP99Ms: null, stream: undefined }).then(
    () => 'healthy' as const,
    (error: unknown) => error,
  );
  return { ended, course, result: run.result };
}

function reasonOf(ended: unknown): string {
  return ended instanceof UpgradeError ? ended.reason : String(ended);
}

describe('bake', () => {
  it('takes a good answer as it is', async () => {
    const { ended, course } = await baked({ probes: [GOOD] });
    assert.deepEqual([ended, course], ['healthy', ['good', 'good']]);
  });

  it('believes a bad answer once the target has answered over the same link', async () => {
    const { ended, course, result } = await baked({ probes: [GOOD, BAD] });
    assert.deepEqual([reasonOf(ended), course], ['unhealthy', ['good', 'bad', 'look']]);
    assert.match(result.evidence?.probes.at(-1) ?? '', / bad after 1\.0 ms: status 503$/);
  });

  it('asks the target for every answer that is not good', async () => {
    const { ended, course } = await baked({ probes: [BAD, BAD, GOOD] });
    assert.deepEqual([ended, course], ['healthy', ['bad', 'look', 'bad', 'look', 'good', 'good']]);
  });

  for (const [what, judgement] of [
    ['was lost with the link', LOST],
    ['met a silent link', SILENT],
  ] as const) {
    it(`sends a probe that ${what} again over the new one, and goes on`, async () => {
      const { ended, course, result } = await baked({ probes: [GOOD, judgement, GOOD], renewedBy: [1] });
      assert.deepEqual([ended, course], ['healthy', ['good', judgement.verdict, 'look', 'good']]);
      assert.equal(result.evidence, null, 'what it said first counts for nothing');
    });
  }

  it('believes what the probe says over the new link', async () => {
    const { ended, course } = await baked({ probes: [GOOD, LOST, BAD], renewedBy: [1] });
    assert.deepEqual([reasonOf(ended), course.slice(0, 4)], ['unhealthy', ['good', 'inconclusive', 'look', 'bad']]);
  });

  it('sends one again each time that the link is renewed', async () => {
    const { ended } = await baked({ probes: [GOOD, LOST, GOOD, LOST, GOOD], renewedBy: [1, 2] });
    assert.equal(ended, 'healthy');
  });

  it('does not believe the repeated probe either where the link breaks again under it', async () => {
    const { ended } = await baked({ probes: [GOOD, LOST, LOST, GOOD], renewedBy: [1, 2] });
    assert.equal(ended, 'healthy');
  });

  it('is inconclusive where the link lives and the probes still cannot tell', async () => {
    const { ended, course } = await baked({ probes: [LOST] });
    assert.deepEqual([reasonOf(ended), course], ['inconclusive', ['inconclusive', 'look']]);
  });

  it('ends with the loss, not with what the probe said, where there is no way back', async () => {
    const lost = new UpgradeError('connection-lost', 'connecting again failed');
    const { ended, result } = await baked({ probes: [GOOD, SILENT], looks: [lost] });
    assert.equal(ended, lost);
    assert.equal(result.evidence, null);
  });

  it('ends with what the target saw, where it saw why the probe was bad', async () => {
    const { ended } = await baked({
      probes: [GOOD, BAD],
      looks: [['new-master-died', { evidenceLog: ['[alert] a'] }]],
    });
    assert.equal(reasonOf(ended), 'new-master-died');
  });

  it('ends with serious lines in the error log of the new generation, and tells of a reload from outside', async () => {
    const errorLog = ['2026/11/26 10:15:00 [alert] 900#900: worker process 901 exited on signal 11'];
    const { ended, result } = await baked({
      probes: [GOOD, BAD],
      looks: [{ reparked: true, errorLog, newPids: '900 901', errorsBefore: [] }],
    });
    assert.equal(reasonOf(ended), 'error-log');
    assert.deepEqual(result.evidence?.errorLog, errorLog);
    assert.match(result.notes.join(), /Somebody reloaded the old master/);
  });

  it('does not wait for the target once it is cancelled', async () => {
    const cancel = new AbortController();
    const never = Promise.withResolvers<undefined>();
    const { ended } = await baked({
      probes: [GOOD, SILENT],
      cancel: cancel.signal,
      onLook: () => (cancel.abort('SIGTERM'), never.promise),
    });
    assert.ok(ended instanceof Cancelled);
    assert.match(ended.message, /SIGTERM/);
  });

  it('asks nothing about a probe that was only stopped', async () => {
    const cancel = new AbortController();
    let sent = 0;
    const { ended, course } = await baked({
      probes: [GOOD, STOPPED],
      cancel: cancel.signal,
      onProbe: () => void ((sent += 1) === 2 && cancel.abort('SIGINT')),
    });
    assert.deepEqual([ended instanceof Cancelled, course], [true, ['good', 'inconclusive']]);
  });
});
