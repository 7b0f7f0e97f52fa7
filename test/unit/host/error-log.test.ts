import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UpgradeError } from '../../../src/errors.ts';
import { judgeErrorLog, seriousLines } from '../../../src/host/error-log.ts';
import { emptyResult } from '../../../src/host/host-run.ts';
import { TARGET } from './scripted-run.ts';

const at = (text: string, { level = 'alert', pid = 12 } = {}) =>
  `2026/11/26 10:15:00 [${level}] ${pid}#${pid}: ${text}`;
const found = (line: string, before: string[] = []) =>
  seriousLines({ lines: [line], before, master: 11, workers: new Set([12]) }).length > 0;

describe('the error log of the new generation', () => {
  const serious: [string, string][] = [
    ['a worker that crashed', at('worker process 12 exited on signal 11', { pid: 11 })],
    ['a bug that nginx itself noticed', at('*7 zero size buf in writer t:0 r:0 f:0')],
    ['files that run out', at('accept4() failed (24: Too many open files)', { level: 'crit' })],
    ['a file that must not be written', at('*3 open() "/var/x" failed (13: Permission denied)', { level: 'crit' })],
    ['an emergency', at('epoll_create() failed (24: Too many open files)', { level: 'emerg' })],
    ['a temporary file that may not be opened', at('*3 open() "/t/1" failed (13: x), client: ::1', { level: 'crit' })],
    ['an upstream that must not be reached', at('*1 connect() to unix:/s failed (13: Permission denied) while', {})],
  ];
  for (const [what, line] of serious) {
    it(`is serious where it tells of ${what}`, () => assert.ok(found(line)));
  }

  const harmless: [string, string][] = [
    ['what a client did', at('*9 SSL_do_handshake() failed (SSL: error:0A00006C) while', { level: 'crit' })],
    ['a file that was gone', at('unlink() "/var/x" failed (2: No such file or directory)', { level: 'crit' })],
    ['the end of a worker', at('*9 open socket #12 left in connection 5')],
    ['what follows that', at('aborting')],
    ['a full cache of sessions', at('could not allocate new session in SSL session shared cache "a" while')],
    ['a worker that was gone', at('kill(77, 15) failed (3: No such process)', { pid: 11 })],
    ['a channel to one', at('sendmsg() failed (9: Bad file descriptor)', { pid: 11 })],
    ['a priority that a worker was not given', at('setpriority(-5) failed (13: Permission denied)')],
    ['an upstream that is down', at('*1 connect() to unix:/s failed (2: No such file or directory) while')],
    ['a reload that was refused', at('cannot load certificate "/x"', { level: 'emerg', pid: 11 })],
    ['a path that a client asked for', at('*3 stat() "/b/c" failed (13: x), client: ::1', { level: 'crit' })],
    ['an option that is not known here', at('setsockopt(TCP_FASTOPEN, 5) 0.0.0.0:80 failed (92: Protocol), ignored')],
    ['another LuaJIT', at("detected a LuaJIT version which is not OpenResty's; many optimizations")],
    ['ports that ran out', at('*1 connect() to 10.0.0.1:80 failed (99: x) while', { level: 'crit' })],
  ];
  for (const [what, line] of harmless) {
    it(`is not where it tells of ${what}`, () => assert.ok(!found(line)));
  }

  it('is its own: lines of others do not count, nor lines that are none of nginx', () => {
    assert.ok(!found(at('worker process 5 exited on signal 11', { pid: 10 })));
    assert.ok(!found('nginx: [alert] something'));
    assert.ok(!found('[alert] 12#12: no time'));
  });

  it('is new: what the old generation complained of, too, says nothing about the version', () => {
    const line = at('*9 open() "/srv/a" failed (13: x) while y 0xff, client: 10.0.0.1, server: a', { level: 'crit' });
    const old = '*4 open() "/srv/b" failed (13: x) while y 0x1b, client: ::2, server: b';
    const before = at(old, { level: 'crit', pid: 3 });
    assert.ok(!found(line, [before]));
    assert.ok(found(line, [before.replace('[crit]', '[alert]')]));
    assert.ok(found(line, [before.replace('while y', 'while z')]));
  });
});

describe('judgeErrorLog', () => {
  const answer = (fields: Record<string, unknown>) => ({
    id: 1,
    verb: 'look',
    ok: true,
    reason: '',
    message: '',
    fields,
  });

  it('rejects with the first line, and keeps all as evidence', () => {
    const result = emptyResult(TARGET);
    const lines = [at('zero size buf'), at('zero size buf in output')];
    assert.throws(
      () => judgeErrorLog(answer({ errorLog: lines, newPids: '11 12', errorsBefore: [] }), result),
      (error) =>
        error instanceof UpgradeError &&
        error.reason === 'error-log' &&
        error.message.endsWith(' zero size buf (and 1 more)'),
    );
    assert.deepEqual(result.evidence?.errorLog, lines);
  });

  it('accepts where nothing is serious', () => {
    const result = emptyResult(TARGET);
    judgeErrorLog(answer({ errorLog: [] }), result);
    judgeErrorLog(answer({ errorLog: [at('aborting')], newPids: '11 12', errorsBefore: [] }), result);
    assert.equal(result.evidence, null);
  });
});
