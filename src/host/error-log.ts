import type { Answer } from '../target/answer.ts';
import { fieldsOf } from '../target/answer.ts';
import { UpgradeError } from '../errors.ts';
import type { HostResult } from '../report/result.ts';

/** What a look found in the error logs. Lines as nginx wrote them, oldest first. */
export interface LogLook {
  /** Of the levels emerg, alert and crit, since the swap. */
  lines: readonly string[];
  /** Of the same levels, before: what the old generation complained of, too. */
  before: readonly string[];
  /** Pids of the new master and its workers. */
  pids: ReadonlySet<number>;
}

/** `2026/11/26 10:15:00 [alert] 4711#4711: *12 text`; ngx_log.c, ngx_log_error_core. */
const LINE = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(emerg|alert|crit)\] (\d+)#\d+: (?:\*\d+ )?(.*)$/;

/** Serious by level alone. What nginx goes on serving with, and would have said whatever its version. */
const HARMLESS: readonly RegExp[] = [
  // What clients and their scanners bring about: ngx_event_openssl.c, ngx_ssl_connection_error.
  /^SSL_\w+\(\) failed/,
  /^ignoring stale global SSL error/,
  // A full cache of sessions, which only costs handshakes: ngx_ssl_new_session.
  /^could not allocate new session in SSL session shared cache/,
  // A file that was gone already.
  /^unlink\(\) ".*" failed \(2:/,
  // Connections of a worker that ends: ngx_process_cycle.c, ngx_worker_process_exit.
  /^open socket #\d+ left in connection/,
  /^aborting$/,
  // The channel to, and the signal for, a worker that has just ended: ngx_channel.c, ngx_signal_worker_processes.
  /^(?:send|recv)msg\(\) failed/,
  /^kill\(\d+, \d+\) failed \(3:/,
  // At a worker's start, which goes on without; the old one's said the same, in a log that may be rotated by now:
  // ngx_worker_process_init, ngx_setaffinity, ngx_epoll_aio_init.
  /^(?:setpriority|setrlimit|sched_setaffinity|prctl|io_setup|eventfd|initgroups)\(.*failed/,
  // An upstream's socket that is not there: nothing that a version of nginx changes.
  /^connect\(\) to unix:.* failed \(2:/,
  // Somebody's reload of a configuration that is wrong: the one in use stays.
  / in \S+:\d+$/,
];

/** Lines that the new generation wrote, that mean trouble, and of a kind that was not there before. */
export function seriousLines({ lines, before, pids }: LogLook): string[] {
  const known = new Set(before.map(kindOf));
  return lines.filter((line) => {
    const [, , pid, text = ''] = LINE.exec(line) ?? [];
    if (!pids.has(Number(pid)) || HARMLESS.some((harmless) => harmless.test(text))) return false;
    return !known.has(kindOf(line));
  });
}

/** The line without what differs from one time to the next: when, who, for whom, numbers. */
function kindOf(line: string): string {
  const [, level = '', , text = line] = LINE.exec(line) ?? [];
  return `${level} ${text.replace(/, (?:client|server|upstream): .*$/, '').replaceAll(/\d+/g, '#')}`;
}

/** Rejects as `error-log` where the new generation wrote serious lines; they become evidence. */
export function judgeErrorLog({ fields, verb }: Answer, result: HostResult): void {
  if (!Array.isArray(fields['errorLog']) || fields['errorLog'].length === 0) return;
  const read = fieldsOf(fields, verb);
  const [first, ...others] = seriousLines({
    lines: read.lines('errorLog'),
    before: read.lines('errorsBefore'),
    pids: new Set(read.text('newPids').split(' ').map(Number)),
  });
  if (first === undefined) return;
  result.evidence ??= { errorLog: [], probes: [], processes: [] };
  result.evidence.errorLog.push(first, ...others);
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw new UpgradeError('error-log', `the new generation wrote to its error log: ${first}${more}`);
}
