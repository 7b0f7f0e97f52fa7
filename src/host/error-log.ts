import type { Answer } from '../target/answer.ts';
import { fieldsOf } from '../target/answer.ts';
import { UpgradeError } from '../errors.ts';
import { evidenceOf } from './errors.ts';
import type { HostResult } from '../report/result.ts';

/** What a look found in the error logs. Lines as nginx wrote them, oldest first. */
export interface LogLook {
  /** Of the levels emerg, alert and crit, since the swap. */
  lines: readonly string[];
  /** Of the same levels, before: what the old generation complained of, too. */
  before: readonly string[];
  /** Pids of the new generation. */
  master: number;
  workers: ReadonlySet<number>;
}

/** `2026/11/26 10:15:00 [alert] 4711#4711: *12 text`; ngx_log.c, ngx_log_error_core. */
const LINE = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(emerg|alert|crit)\] (\d+)#\d+: (?:\*\d+ )?(.*)$/;

/** Serious by level alone. What nginx goes on serving with, and would have said whatever its version. */
const HARMLESS: readonly RegExp[] = [
  // What clients and their scanners bring about: ngx_event_openssl.c, ngx_ssl_connection_error; a path that may not be
  // looked at, ngx_open_cached_file; a pattern that ends at its limit, ngx_regex_exec.
  /^SSL_\w+\(\) failed/,
  /^ignoring stale global SSL error/,
  /^(?:l?stat|openat)\(\) "[^"]*" failed .*, client: /,
  /^pcre2?_\w+\(\) failed/,
  // Full caches and zones, which were full before or fill again: ngx_ssl_new_session, ngx_slab_alloc_locked.
  /^could not allocate (?:new session in SSL session shared cache|node)/,
  /^ngx_slab_alloc\(\) failed: no memory/,
  /^gzip filter failed to use preallocated memory/,
  // A file that was gone already.
  /^unlink\(\) ".*" failed \(2:/,
  // Connections of a worker that ends: ngx_process_cycle.c, ngx_worker_process_exit.
  /^open socket #\d+ left in connection/,
  /^aborting$/,
  // The channel to, and the signal for, a worker that has just ended: ngx_channel.c, ngx_signal_worker_processes.
  /^(?:send|recv)msg\(\) failed/,
  /^kill\(\d+, \d+\) failed \(3:/,
  // At a start, which goes on without; the old one's said the same, in a log that may be rotated by now:
  // ngx_worker_process_init, ngx_setaffinity, ngx_epoll_aio_init, ngx_configure_listening_sockets, lua-nginx-module.
  /^(?:setpriority|setrlimit|sched_setaffinity|prctl|io_setup|eventfd|initgroups)\(.*failed/,
  / failed(?: \(\d+: [^)]*\))?, ignored/,
  /^detected .*LuaJIT/,
  // Somebody else who is down or out of ports: an upstream, a resolver.
  /^connect\(\) (?:to .* )?failed \((?:2|99|101|110|111|113):/,
];

/** Lines that the new generation wrote, that mean trouble, and of a kind that was not there before. */
export function seriousLines({ lines, before, master, workers }: LogLook): string[] {
  const known = new Set(before.map(kindOf));
  return lines.filter((line) => {
    const [, level, pid, text = ''] = LINE.exec(line) ?? [];
    // A master that lives on after an emergency has refused somebody's reload, and uses what it had (ngx_init_cycle).
    const ours = Number(pid) === master ? level !== 'emerg' : workers.has(Number(pid));
    return ours && !HARMLESS.some((harmless) => harmless.test(text)) && !known.has(kindOf(line));
  });
}

/** The line without what differs from one time to the next: when, who, for whom, names, addresses, numbers. */
function kindOf(line: string): string {
  const [, level = '', , text = line] = LINE.exec(line) ?? [];
  return `${level} ${text
    .replace(/, (?:client|server|upstream|responder|peer): .*$/, '')
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\b(?:0x[0-9A-F]+|[0-9A-F]*\d[0-9A-F]*)\b/gi, '#')}`;
}

/** Rejects as `error-log` where the new generation wrote serious lines; they become evidence. */
export function judgeErrorLog({ fields, verb }: Answer, result: HostResult): void {
  if (!Array.isArray(fields['errorLog']) || fields['errorLog'].length === 0) return;
  const read = fieldsOf(fields, verb);
  const [master = 0, ...workers] = read.text('newPids').split(' ').map(Number);
  const [first, ...others] = seriousLines({
    lines: read.lines('errorLog'),
    before: read.lines('errorsBefore'),
    master,
    workers: new Set(workers),
  });
  if (first === undefined) return;
  evidenceOf(result).errorLog.push(first, ...others);
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw new UpgradeError('error-log', `the new generation wrote to its error log: ${first}${more}`);
}
