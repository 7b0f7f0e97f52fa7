import { Refused } from '../errors.ts';
import type { Finding } from '../report/result.ts';
import type { Facts } from '../target/facts.ts';
import { Cancelled } from './errors.ts';
import type { HostRun, Inspected } from './host-run.ts';
import { preflight } from './inspect.ts';
import { CODES } from './preflight/codes.ts';
import { type EarlyBaseline, judgeBaseline } from './probing.ts';
import { stage, unstage } from './staging.ts';

/**
 * The checks before anything is sent. Where they refuse, what can still be judged without harm is judged as well, so that
 * one run names everything: the health URL, and what the new binary itself says of a configuration that was changed.
 */
export async function judgeHostAndFile(
  run: HostRun,
  { facts, early }: { facts: Facts; early: EarlyBaseline | null },
): Promise<Inspected> {
  try {
    return preflight(run, facts);
  } catch (error) {
    if (!(error instanceof Refused) || facts.master === null) throw error;
    const inspected = { ...run, facts: { ...facts, master: facts.master } };
    const health = await refusalsOf(() => judgeBaseline(inspected, early));
    const test = error.findings.every(({ code }) => OF_CONFIGURATION.has(code))
      ? await refusalsOf(() => tryFile(inspected))
      : [];
    throw new Refused(distinct([...error.findings, ...health, ...test]));
  }
}

const OF_CONFIGURATION = new Set((CODES['The configuration'] ?? []).map(({ code }) => code));

async function tryFile(run: Inspected): Promise<void> {
  const { binary } = run;
  if (binary === undefined || binary.sha256 === run.facts.master.sha256) return;
  await stage(run, { kind: 'plan', sha256: binary.sha256, build: binary.build });
  await unstage(run);
}

async function refusalsOf(judge: () => Promise<unknown>): Promise<Finding[]> {
  try {
    await judge();
    return [];
  } catch (error) {
    if (error instanceof Refused) return error.findings;
    if (error instanceof Cancelled) throw error;
    // What could not be found out is no reason to hide what was.
    return [];
  }
}

function distinct(findings: Finding[]): Finding[] {
  return findings.filter(({ code }, index) => findings.findIndex((other) => other.code === code) === index);
}
