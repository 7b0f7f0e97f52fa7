import { nextSteps } from './next-steps.ts';
import { worstFirst } from './outcome.ts';
import { harmless } from './relay.ts';
import type { HostResult, RunReport } from './result.ts';
import { clause, hostVerdict, runVerdict } from './verdict.ts';

/** The same as the summary in a few plain lines for the log, the verdict first. */
export function consoleVerdict(report: RunReport): string[] {
  const each = report.hosts.length > 1 ? worstFirst(report.hosts) : [];
  return [
    runVerdict(report),
    ...each.map((host) => `  ${hostVerdict(host, report.command)}`),
    ...report.hosts.flatMap(refusals),
    ...nextSteps(report).flatMap(({ text, commands }) => [`Next: ${text}`, ...commands.map((line) => `  ${line}`)]),
  ];
}

function refusals(host: HostResult): string[] {
  return host.refusals.map(({ code, message, fix }) =>
    harmless(`${host.target} ${code}: ${clause(message)}. Fix: ${clause(fix)}.`),
  );
}
