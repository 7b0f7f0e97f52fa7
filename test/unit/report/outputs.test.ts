import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OUTPUT_NAMES, type OutputExtras, outputs } from '../../../src/report/outputs.ts';
import type { RunReport } from '../../../src/report/result.ts';
import { shards } from '../../../src/report/shards.ts';
import { HOSTILE } from './hostile.ts';
import { host, NEW_DIGEST, refused, report, unhealthy } from './typical-reports.ts';

const outputsOf = (run: RunReport, extras: Partial<OutputExtras> = {}) =>
  outputs(run, { asked: { command: 'upgrade', autoCommit: true }, ...extras });
const fleet = (size: number) => Array.from({ length: size }, (_, index) => ({ target: `w${index + 1}` }));

describe('outputs()', () => {
  it('gives every output of a run that upgraded one host', () => {
    const run = report([host()]);
    const binary = { path: '/opt/cache/nginx', configureArgs: '--with-http_ssl_module' };
    assert.deepEqual(outputsOf(run, { reportPath: '/tmp/x/report.json', binary }), {
      outcome: 'upgraded',
      version: '1.26.3',
      'previous-version': '1.22.1',
      sha256: NEW_DIGEST,
      binary: '/opt/cache/nginx',
      'configure-args': '--with-http_ssl_module',
      'failed-hosts': '',
      'remaining-hosts': '',
      results: JSON.stringify(run.hosts),
      report: '/tmp/x/report.json',
      'report-page': '',
      'failed-requests': '0',
      'longest-gap-ms': '0',
      'duration-ms': '10500',
      matrix: '',
    });
  });

  it('leaves empty what does not apply to a refused host', () => {
    const values = outputsOf(report([refused()]));
    assert.deepEqual(
      [values['failed-requests'], values['longest-gap-ms'], values.binary, values.matrix],
      ['', '', '', ''],
    );
    assert.equal(values['failed-hosts'], 'web1');
  });

  it('takes version and digest from the build where no host has any', () => {
    const values = outputsOf(report([], { command: 'build' }), { binary: { version: '1.30.4', sha256: NEW_DIGEST } });
    assert.deepEqual(
      [values.outcome, values.version, values.sha256, values.results],
      ['built', '1.30.4', NEW_DIGEST, '[]'],
    );
  });

  it('names as remaining every host that did not reach what was asked for, also those that were never started', () => {
    const hosts = [
      host({ target: 'deploy@web1' }),
      unhealthy({ target: 'web2' }),
      host({ target: 'web3', outcome: 'held' }),
      host({ target: 'web4', outcome: 'skipped' }),
      host({ target: 'web5', outcome: 'unchanged' }),
    ];
    const asked = { command: 'upgrade', autoCommit: false } as const;
    assert.equal(outputsOf(report(hosts))['remaining-hosts'], 'web2,web3,web4');
    assert.equal(outputsOf(report(hosts), { asked })['remaining-hosts'], 'web2,web4');
  });

  it('leaves a version empty on which the hosts do not agree', () => {
    const values = outputsOf(report([host(), unhealthy({ target: 'web2' })]));
    assert.deepEqual([values.version, values['previous-version'], values['failed-hosts']], ['', '1.22.1', 'web2']);
  });

  it('cuts the planned fleet into shards', () => {
    const values = outputsOf(report([host({ target: 'deploy@web1', outcome: 'planned' })], { command: 'plan' }));
    assert.equal(values.matrix, '{"include":[{"name":"deploy@web1","targets":"deploy@web1"}]}');
  });

  it('empties values from a target that are not of their grammar', () => {
    for (const text of [...Object.values(HOSTILE), '1.26.3\nsecond=1', 'v1', '1.26.3 ', '']) {
      const values = outputsOf(report([host({ version: text, previousVersion: text, sha256: text })]));
      assert.deepEqual([values.version, values['previous-version'], values.sha256], ['', '', '']);
    }
  });

  it('accepts the versions of nginx and its relatives', () => {
    for (const version of ['1.30', '1.22.1', '1.25.3.2', '1.27.0-rc1', '1.9.0+abc'])
      assert.equal(outputsOf(report([host({ version })])).version, version);
  });

  it('never writes a line break, whatever a target says', () => {
    const text = 'a\r\nb\u2028::set-output name=x::y';
    const hostile = host({ target: text, notes: [text], version: text, reason: { code: 'internal', message: text } });
    const values = outputsOf(report([{ ...hostile, outcome: 'failed' }]), {
      reportPath: `/${text}`,
      binary: { path: `/${text}`, configureArgs: text },
    });
    for (const name of OUTPUT_NAMES) assert.doesNotMatch(values[name], /[\r\n]/, name);
  });

  it('drops from results what only people read before it becomes too large for an output', () => {
    const evidence = { errorLog: Array.from({ length: 1000 }, () => 'x'.repeat(500)), probes: [], processes: [] };
    const sick = unhealthy({ evidence });
    assert.deepEqual(JSON.parse(outputsOf(report([sick])).results), [{ ...sick, evidence: null }]);
  });

  it('keeps the results of 3,000 hosts valid and within the limit', () => {
    const hosts = Array.from({ length: 3000 }, (_, index) => host({ target: `web${index}` }));
    const { results } = outputsOf(report(hosts));
    assert.ok(results.length <= 400_000);
    assert.equal(JSON.parse(results).length, 3000);
  });
});

describe('shards()', () => {
  it('makes nearly equal parts that hold every target once, in order', () => {
    const parts = shards(fleet(7), 3);
    assert.deepEqual(parts, [
      { name: 'hosts 1-2', targets: 'w1,w2' },
      { name: 'hosts 3-4', targets: 'w3,w4' },
      { name: 'hosts 5-7', targets: 'w5,w6,w7' },
    ]);
  });

  it('makes no more jobs than a matrix may have', () => {
    const parts = shards(fleet(20_000));
    assert.equal(parts.length, 256);
    assert.equal(parts.flatMap(({ targets }) => targets.split(',')).length, 20_000);
  });

  it('makes none of none', () => {
    assert.deepEqual(shards([]), []);
  });
});
