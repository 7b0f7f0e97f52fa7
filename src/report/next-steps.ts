import type { Reason } from '../errors.ts';
import { neverEntered } from './outcome.ts';
import { harmless } from './relay.ts';
import type { HostResult, RunReport } from './result.ts';

/** What a person does now: a sentence, and command lines where there are exact ones. Plain text. */
export interface Step {
  text: string;
  commands: string[];
}

const ADVICE: Record<Reason, string> = {
  refused: 'Each refusal names its fix.',
  unhealthy: 'The new version failed its health checks: look at the probe answers and the error log in the evidence.',
  inconclusive:
    'The probes could not be sent, so nothing is known about the new version: mend the network between prober and target, or change `health-from`, and run again.',
  'not-ready':
    'The new workers did not begin to accept in time: the error log in the evidence says what they waited for; raise `ready-timeout` if they only need longer.',
  'new-master-died': 'The new master ended by itself: its last words are in the error log in the evidence.',
  'workers-crashing':
    'The new workers died: look for "exited on signal" in the error log; a module built for another version is a usual cause.',
  'error-log': 'The new version wrote serious errors: they are in the evidence.',
  cancelled: 'The run was cancelled: run it again when you are ready.',
  'guard-expired':
    'The target heard nothing from the run within its deadline and went back by itself: look for what held up the runner or the network, or raise `confirm-timeout`.',
  'connection-lost': 'The connection broke: look at the state first, then run the same command again.',
  unreachable: 'The target could not be reached: check its name and port, firewalls and `proxy-jump`.',
  'host-key':
    'The target showed another host key than the pinned one: compare it on the machine itself before you change `known-hosts` or `fingerprint`.',
  auth: 'The login was refused: check `username`, `key` and the account on the target.',
  'upload-failed':
    'The binary did not arrive whole: check disk space on the target and the connection, then run again.',
  'changed-by-others':
    'Somebody else signalled or changed this nginx during the run: look for log rotation, certificate hooks and configuration management, then run again.',
  outage: 'The service stopped answering: look at the target now.',
  internal:
    'Something went wrong that was not foreseen: look at the state, keep the full report and tell the maintainers.',
};

/** In the order of urgency. Empty where everything is as asked and at rest. */
export function nextSteps(report: RunReport): Step[] {
  const of = (outcome: HostResult['outcome']) => report.hosts.filter((host) => host.outcome === outcome);
  const back = report.command === 'rollback' ? [] : of('rolled-back');
  return [
    ...lookSteps(of('failed'), report),
    ...heldSteps(of('held'), report),
    ...adviceSteps([...of('failed'), ...of('held'), ...back]),
    ...refusedSteps(of('refused')),
    ...skippedSteps(of('skipped')),
  ].map(({ text, commands }) => ({ text: harmless(text), commands }));
}

function lookSteps(failed: readonly HostResult[], run: Asked): Step[] {
  const unclear = failed.filter((host) => host.state !== 'idle' && !neverEntered(host));
  if (unclear.length === 0) return [];
  const unknown = unclear.some((host) => host.state === null);
  const guard = 'A guard that was armed there goes back to the old version when it hears nothing more. ';
  return [
    {
      text: `${names(unclear)} may not be at rest. ${unknown ? guard : ''}Look first, then go back if need be:`,
      commands: [commandLine('status', unclear, run), commandLine('rollback', unclear, run)],
    },
  ];
}

function heldSteps(held: readonly HostResult[], run: Asked): Step[] {
  if (held.length === 0) return [];
  const deadlines = held.flatMap((host) => host.guard?.deadline ?? []).sort();
  const until =
    deadlines[0] === undefined ? '' : ` Unless committed by ${deadlines[0]}, the old version takes over again.`;
  return [
    {
      text: `Keep the new version on ${names(held)}, or go back.${until} In a workflow: the same step with \`command: commit\` or \`command: rollback\`.`,
      commands: [commandLine('commit', held, run), commandLine('rollback', held, run)],
    },
  ];
}

function adviceSteps(hosts: readonly HostResult[]): Step[] {
  const reasons = new Set(hosts.flatMap((host) => host.reason?.code ?? []));
  return [...reasons].map((reason) => {
    const concerned = hosts.filter((host) => host.reason?.code === reason);
    return { text: `${names(concerned)}: ${ADVICE[reason]}`, commands: [] };
  });
}

function refusedSteps(refused: readonly HostResult[]): Step[] {
  return refused.length === 0 ? [] : [{ text: `${names(refused)}: ${ADVICE.refused}`, commands: [] }];
}

function skippedSteps(skipped: readonly HostResult[]): Step[] {
  if (skipped.length === 0) return [];
  const text = 'never started: run again once the cause is gone; targets that are done stay as they are.';
  return [{ text: `${names(skipped)}: ${text}`, commands: [] }];
}

function names(hosts: readonly HostResult[]): string {
  const shown = hosts.slice(0, 5).map((host) => host.target);
  return shown.join(', ') + (hosts.length > shown.length ? ` and ${hosts.length - shown.length} more` : '');
}

type Asked = Pick<RunReport, 'pidFile'>;

function commandLine(command: string, hosts: readonly HostResult[], { pidFile }: Asked): string {
  const instance = pidFile === undefined ? '' : ` --pid-file ${quote(pidFile)}`;
  const targets = quote(hosts.map(address).join(','));
  const remote = hosts.some((host) => host.port !== null);
  return `nginx-hot-upgrade ${command} --targets ${targets}${remote ? ' --known-hosts "@$HOME/.ssh/known_hosts"' : ''}${instance}`;
}

/** With user and port spelled out, so that the line works without this run's other inputs. */
function address(host: HostResult): string {
  if (host.port === null) return harmless(host.target);
  const name = host.host.includes(':') ? `[${host.host}]` : host.host;
  return harmless(`${host.user === null ? '' : `${host.user}@`}${name}${host.port === 22 ? '' : `:${host.port}`}`);
}

function quote(word: string): string {
  return /^[\w@.:,/-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
