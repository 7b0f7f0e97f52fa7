import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from '../../../src/config.ts';
import { annotations } from '../../../src/report/annotations.ts';
import { consoleVerdict } from '../../../src/report/console-verdict.ts';
import type { Finding, HostResult } from '../../../src/report/result.ts';
import { HOSTILE, obeyedByRunner } from './hostile.ts';
import { held, host, lost, refused, report, unhealthy } from './typical-reports.ts';

const finding = (code: string): Finding => ({ code, message: `${code} was found.`, fix: 'Mend it.' });

function verdict(command: Command, changes: Partial<HostResult>): string | undefined {
  return consoleVerdict(report([host(changes)], { command }))[0];
}

describe('annotations()', () => {
  it('has none for a run that reached what was asked for', () => {
    assert.deepEqual(annotations(report([host(), held()], { autoCommit: false })), []);
  });

  it('says phase, expectation, finding and the state left behind, once for all hosts of one cause', () => {
    assert.deepEqual(annotations(report([unhealthy(), host(), unhealthy({ target: 'web2' })])), [
      {
        title: 'nginx-hot-upgrade: unhealthy in bake',
        message: `Phase bake: expected the new generation to serve well alone.
Found: expected status 200-399 from http://127.0.0.1/, found 503 three times.
State left behind: at rest, 1.22.1 serves.
Targets: web1, web2`,
      },
    ]);
  });

  it('has one for each refusal, with its fix', () => {
    const found = annotations(report([refused({ refusals: [finding('daemon-off'), finding('noexec')] })]));
    assert.deepEqual(
      found.map(({ title }) => title),
      ['nginx-hot-upgrade: daemon-off in preflight', 'nginx-hot-upgrade: noexec in preflight'],
    );
    assert.match(
      found[0]?.message ?? '',
      /Found: daemon-off was found\. Fix: Mend it\.\nState left behind: nothing was/,
    );
  });

  it('puts the worst first and says that a state is unknown', () => {
    const found = annotations(report([refused(), unhealthy(), lost()]));
    assert.deepEqual(
      found.map(({ title }) => title.replace('nginx-hot-upgrade: ', '')),
      ['connection-lost in swap', 'unhealthy in bake', 'daemon-off in preflight', 'downgrade in preflight'],
    );
    assert.match(found[0]?.message ?? '', /State left behind: unknown; a guard armed on the target goes back/);
  });

  it('says that nothing was touched where the run never got onto the host', () => {
    const away = lost({ phases: [], reason: { code: 'unreachable', message: 'expected an answer, found none' } });
    assert.match(
      annotations(report([away]))[0]?.message ?? '',
      /^Phase connect: .*\n.*\nState left behind: nothing was/,
    );
  });

  it('never has more than 10, the last one counting the rest', () => {
    const refusals = Array.from({ length: 13 }, (_, index) => finding(`code-${index}`));
    const found = annotations(report([refused({ refusals }), refused({ target: 'web2', refusals })]));
    assert.equal(found.length, 10);
    assert.equal(found[9]?.title, 'nginx-hot-upgrade: 4 more causes');
    assert.match(found[9]?.message ?? '', /code-9 in preflight \(2\), .*code-12 in preflight \(2\)/);
  });

  it('keeps each below 4,096 characters, however much there is to say', () => {
    const reason = { code: 'unhealthy', message: 'ü'.repeat(9000) } as const;
    const hosts = Array.from({ length: 900 }, (_, index) =>
      unhealthy({ target: `web${index}`, version: `${index}`, reason }),
    );
    const [only, ...others] = annotations(report(hosts));
    assert.equal(others.length, 0);
    assert.ok(only !== undefined && only.message.length < 4096 && only.message.includes('Targets: web0, web1'));
  });

  for (const [name, text] of Object.entries(HOSTILE)) {
    it(`obeys nothing in ${name}`, () => {
      const hosts = [
        unhealthy({ target: text, version: text, reason: { code: 'internal', message: text } }),
        refused({ target: text, refusals: [{ code: text, message: text, fix: text }] }),
        held({ target: text, version: text, previousVersion: text, guard: { deadline: text, kind: text } }),
      ];
      const said = [
        ...annotations(report(hosts)).flatMap(({ title, message }) => [title, message]),
        ...consoleVerdict(report(hosts)),
      ];
      assert.deepEqual(said.filter(obeyedByRunner), []);
    });
  }
});

describe('consoleVerdict()', () => {
  it('says one line where all went well', () => {
    assert.deepEqual(consoleVerdict(report([host()])), [
      'web1 upgraded 1.22.1 → 1.26.3: 0 of 214 probes failed, longest gap 0 ms, old workers drained',
    ]);
  });

  it('says every refusal and its fix', () => {
    assert.deepEqual(consoleVerdict(report([refused({ refusals: [finding('noexec')] })])), [
      'web1 refused, nothing was touched: noexec',
      'web1 noexec: noexec was found. Fix: Mend it.',
      'Next: web1: Each refusal names its fix.',
    ]);
  });

  it('lists the hosts of a fleet, the worst first', () => {
    const skipped = host({ target: 'web4', outcome: 'skipped' });
    assert.deepEqual(consoleVerdict(report([host(), skipped, unhealthy({ target: 'web2' })])).slice(0, 4), [
      '3 targets: 1 rolled back, 1 skipped, 1 upgraded; 3 of 488 probes failed, longest gap 151 ms',
      '  web2 rolled back to 1.22.1 (unhealthy): expected status 200-399 from http://127.0.0.1/, found 503 three times; 3 of 60 probes failed, longest gap 151 ms',
      '  web4 skipped: never started, because the rollout stopped',
      '  web1 upgraded 1.22.1 → 1.26.3: 0 of 214 probes failed, longest gap 0 ms, old workers drained',
    ]);
  });

  it('tells the other commands in their own words', () => {
    assert.equal(verdict('rollback', { outcome: 'unchanged' }), 'web1 unchanged: nothing to undo, runs 1.26.3');
    assert.equal(verdict('commit', { outcome: 'unchanged' }), 'web1 unchanged: nothing to commit, runs 1.26.3');
    assert.equal(verdict('status', { outcome: 'reported', state: 'held' }), 'web1 runs 1.26.3, state held');
    assert.equal(
      verdict('plan', { outcome: 'planned', warnings: [finding('memory')] }),
      'web1 can be upgraded: 1.22.1 → 1.26.3, 1 warning',
    );
    assert.equal(
      verdict('rollback', {
        outcome: 'rolled-back',
        previousVersion: '1.26.3',
        version: '1.22.1',
        probe: null,
        drained: null,
      }),
      'web1 rolled back 1.26.3 → 1.22.1: not probed',
    );
  });
});
