import { PREFLIGHT_CODES } from './codes.ts';
import type { Finding } from '../../report/result.ts';
import type { Facts, MasterFacts } from '../../target/facts.ts';
import { BUILD_CHECKS } from './build-checks.ts';
import { FILE_CHECKS } from './candidate-checks.ts';
import { CONFIG_CHECKS } from './config-checks.ts';
import { NOTICE_CHECKS } from './notice-checks.ts';
import type { Candidate, CandidateCheck, Found } from './check.ts';
import { EXEC_CHECKS, isSurvivable } from './exec-checks.ts';
import { HOST_CHECKS, MASTER_CHECKS } from './master-checks.ts';
import { SERVICE_CHECKS } from './service-checks.ts';

/** All findings that apply, sorted into what refuses and what only warns. */
export interface Judgement {
  refusals: Finding[];
  warnings: Finding[];
}

export interface Rules {
  /** Codes that the user accepts. */
  allow: ReadonlySet<string>;
  allowDowngrade: boolean;
}

/** The checks that need no more than the host's facts. */
export function judgeHost(facts: Facts, rules: Rules): Judgement {
  const host = HOST_CHECKS.map(({ code, check }) => named(code, check(facts)));
  const { master } = facts;
  if (master === null) return sort(host, { rules, master });
  const checks = [...MASTER_CHECKS, ...EXEC_CHECKS, ...CONFIG_CHECKS, ...SERVICE_CHECKS, ...NOTICE_CHECKS];
  return sort([...host, ...checks.map(({ code, check }) => named(code, check(master, facts)))], { rules, master });
}

/** The checks of the new file; those of its build only where it could be asked. */
export function judgeCandidate(candidate: Candidate, facts: Facts, rules: Rules): Judgement {
  const { master } = facts;
  if (master === null) return { refusals: [], warnings: [] };
  const checks: CandidateCheck[] = [...FILE_CHECKS, ...(candidate.build.version === '' ? [] : BUILD_CHECKS)];
  const context = { master, facts, allowDowngrade: rules.allowDowngrade };
  return sort(
    checks.map(({ code, check }) => named(code, check(candidate, context))),
    { rules, master },
  );
}

/** One finding that was made elsewhere (health, configuration test), by the same rules. */
export function judgeFinding(finding: Finding, rules: Rules): Judgement {
  return sort([finding], { rules, master: null });
}

export function joined(...judgements: Judgement[]): Judgement {
  return {
    refusals: judgements.flatMap(({ refusals }) => refusals),
    warnings: judgements.flatMap(({ warnings }) => warnings),
  };
}

/** One finding, and whether it is none to refuse for here. */
type Graded = Finding & { mild?: boolean };

function named(code: string, found: Found): Graded | undefined {
  return found === undefined ? undefined : { code, ...found };
}

function sort(findings: (Graded | undefined)[], given: { rules: Rules; master: MasterFacts | null }): Judgement {
  const sorted: Judgement = { refusals: [], warnings: [] };
  for (const finding of findings) {
    if (finding === undefined) continue;
    const { mild: _, ...plain } = finding;
    if (accepted(finding, given)) sorted.warnings.push(plain);
    else sorted.refusals.push({ ...plain, fix: `${plain.fix}${wayAround(finding, given.master)}` });
  }
  return sorted;
}

/** What the user may decide, said where it is refused. */
function wayAround({ code }: Graded, master: MasterFacts | null): string {
  const survivable = PREFLIGHT_CODES.get(code) === 'survivable' && (master === null || isSurvivable(code, master));
  return survivable ? ` Or accept it: \`allow: ${code}\`.` : '';
}

function accepted({ code, mild }: Graded, { rules, master }: { rules: Rules; master: MasterFacts | null }): boolean {
  const severity = PREFLIGHT_CODES.get(code);
  if (severity === 'warns' || mild === true) return true;
  return severity === 'survivable' && rules.allow.has(code) && (master === null || isSurvivable(code, master));
}
