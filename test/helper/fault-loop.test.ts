import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { messageOf } from '../../src/errors.ts';
import { type Instance, NEW, OLD, okay, processesWith, startInstance } from '../support/helper-instance.ts';
import { programWithFaults, type FaultOptions } from '../support/helper-program.ts';
import type { Helper } from '../support/helper-session.ts';
import { waitFor } from '../support/wait.ts';

/** Every journal line by default; every command that changes something where this is set (nightly). */
const effects = process.env['NHU_FAULTS'] === 'all' ? 'all' : 'journal';

const FLOWS: Record<string, string[]> = {
  'a commit': ['begin', 'retire', 'look', 'commit'],
  'a rollback': ['begin', 'retire', 'rollback'],
  'a rollback before the old workers retired': ['begin', 'rollback'],
};

for (const [flow, verbs] of Object.entries(FLOWS)) {
  describe(`a run towards ${flow}, killed at one of its effects`, { concurrency: 4 }, async () => {
    const trace = await effectsOf(verbs);
    test('has effects', () => assert.ok(trace.length > 2, trace.join()));
    for (const [index, effect] of trace.entries()) {
      test(`ends in one whole generation when killed at effect ${index + 1}: ${effect}`, async (t) => {
        await using instance = await startInstance();
        const killed = await runUntilKilled(instance, { verbs, killAt: index + 1 });
        if (!killed) return instance.assertRest(verbs.includes('commit') ? NEW : OLD);
        const decided = decisionOf(instance);
        const took = await settle(instance, decided === 'commit' ? NEW : OLD);
        t.diagnostic(`${decided || 'undecided'}: at rest after ${took.toFixed(0)} ms`);
      });
    }
  });
}

async function effectsOf(verbs: string[]): Promise<string[]> {
  await using instance = await startInstance();
  const trace = instance.mark('trace');
  const helper = await faulty(instance, { effects, trace });
  await run(instance, { helper, verbs });
  const name = instance.nginx.dir;
  return readFileSync(trace, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(name, '').slice(0, 120));
}

function faulty(instance: Instance, faults: FaultOptions): Promise<Helper> {
  return instance.helper({ program: programWithFaults(faults) });
}

async function run(instance: Instance, { helper, verbs }: { helper: Helper; verbs: string[] }) {
  await instance.stage(helper);
  for (const verb of verbs) okay(await helper.ask(verb));
}

/** False where this run had fewer effects than the one that was traced: a guard may go before it is told to. */
async function runUntilKilled(instance: Instance, { verbs, killAt }: { verbs: string[]; killAt: number }) {
  const helper = await faulty(instance, { effects, killAt });
  try {
    await run(instance, { helper, verbs });
    return false;
  } catch (error) {
    assert.match(messageOf(error), /the helper ended: SIGKILL/);
    return true;
  }
}

function decisionOf(instance: Instance): string {
  const file = `${instance.directory}/decision`;
  return existsSync(file) ? (readFileSync(file, 'utf8').split(' ', 1)[0] ?? '') : '';
}

/** The guard ends what was begun; where none was armed yet, or the books are closed, the next run does. */
async function settle(instance: Instance, generation: typeof OLD | typeof NEW): Promise<number> {
  const armed = await waitFor('a guard', () => processesWith(`${instance.directory}/helper`).length > 0, 300).catch(
    () => false,
  );
  if (armed) {
    instance.expire();
    return instance.restWithin(generation, 10_000);
  }
  const start = performance.now();
  await recover(instance);
  await instance.assertRest(generation);
  return performance.now() - start;
}

async function recover(instance: Instance): Promise<void> {
  const helper = await instance.helper();
  const facts = okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
  if (facts.fields['upgrade'] === null) {
    await instance.stage(helper);
    await instance.unstage(helper);
    return;
  }
  okay(await helper.ask('adopt', { run: 'later' }));
  okay(await helper.ask('rollback'));
}
