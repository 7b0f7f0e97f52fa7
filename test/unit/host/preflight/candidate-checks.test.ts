import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUILD_CHECKS, FILE_CHECKS } from '../../../../src/host/preflight/candidate-checks.ts';
import type { Candidate } from '../../../../src/host/preflight/check.ts';
import { judgeCandidate } from '../../../../src/host/preflight/preflight.ts';
import { buildOf, factsOf, type Raw } from '../recorded.ts';
import { codes, only, STRICT } from './rules.ts';

const NEWER: [string, string] = ['nginx/1.22.1', 'nginx/1.26.3'];
const good: Candidate = { sha256: '1b'.repeat(32), size: 1_000_000, build: buildOf([NEWER]), machine: 'x86_64' };

interface Case {
  code: string;
  where: string;
  file?: Partial<Candidate>;
  /** Changes of what the new binary says of itself. */
  said?: [from: string, to: string];
  host?: Raw;
  says: RegExp;
  fix: RegExp;
}

const FOUND: Case[] = [
  {
    code: 'architecture',
    where: 'the file is for another machine',
    file: { machine: 'aarch64' },
    says: /for aarch64, the host is x86_64/,
    fix: /for x86_64/,
  },
  {
    code: 'disk-space',
    where: 'there is no room for three of it',
    host: { diskFreeKb: 2929 },
    says: /2929 KiB .* need 2930 KiB/,
    fix: /Free/,
  },
  {
    code: 'flavour-differs',
    where: 'it is another server',
    said: ['nginx/1.26.3', 'openresty/1.27.1.1'],
    says: /is nginx, the new binary openresty/,
    fix: /same flavour/,
  },
  {
    code: 'prefix-differs',
    where: 'it has another prefix',
    said: ['=/usr/share/nginx', '=/opt/nginx'],
    says: /use \/opt\/nginx, .* \/usr\/share\/nginx/,
    fix: /--prefix=\/usr\/share\/nginx/,
  },
  {
    code: 'conf-path-differs',
    where: 'it would read another configuration',
    said: ['=/etc/nginx/nginx.conf', '=/etc/other.conf'],
    says: /\/etc\/other\.conf/,
    fix: /--conf-path=\/etc\/nginx\/nginx\.conf/,
  },
  {
    code: 'pid-path-differs',
    where: 'it would write another pid file',
    said: ['=/run/nginx.pid', '=/run/other.pid'],
    host: { pidDirective: '' },
    says: /\/run\/other\.pid/,
    fix: /--pid-path=\/run\/nginx\.pid/,
  },
  {
    code: 'downgrade',
    where: 'it is older',
    said: ['nginx/1.26.3', 'nginx/1.18.0'],
    says: /1\.18\.0 is older than the running 1\.22\.1/,
    fix: /allow-downgrade/,
  },
];

function judged({ file = {}, said, host = {} }: Partial<Case>) {
  const build = buildOf(said === undefined ? [NEWER] : [NEWER, said]);
  return judgeCandidate({ ...good, build, ...file }, factsOf('systemd', host), STRICT);
}

describe('judgeCandidate', () => {
  for (const found of FOUND) {
    it(`finds ${found.code} where ${found.where}`, () => {
      const finding = only(judged(found));
      assert.equal(finding.code, found.code);
      assert.match(finding.message, found.says);
      assert.match(finding.fix, found.fix);
    });
  }

  it('has a case here for each of its checks', () => {
    const checks = [...FILE_CHECKS, ...BUILD_CHECKS].map(({ code }) => code);
    assert.deepEqual(FOUND.map(({ code }) => code).sort(), checks.sort());
  });

  it('finds nothing wrong with a newer build of the same make', () => {
    assert.deepEqual(judged({}), { refusals: [], warnings: [] });
  });

  it('finds nothing wrong with as much room as is needed', () => {
    assert.deepEqual(codes(judged({ host: { diskFreeKb: 2930 } })), []);
  });

  it('does not count a path that the command line or the configuration overrides', () => {
    const build = buildOf([
      ['=/usr/share/nginx', '=/opt/nginx'],
      ['=/etc/nginx/nginx.conf', '=/etc/other.conf'],
      ['=/run/nginx.pid', '=/run/other.pid'],
    ]);
    assert.deepEqual(codes(judgeCandidate({ ...good, build }, factsOf('local'), STRICT)), []);
  });

  it('takes /var/run for /run, and a slash at the end for none', () => {
    assert.deepEqual(
      codes(judged({ said: ['=/run/nginx.pid', '=/var/run/nginx.pid'], host: { pidDirective: '' } })),
      [],
    );
    assert.deepEqual(codes(judged({ said: ['=/usr/share/nginx ', '=/usr/share/nginx/ '] })), []);
  });

  it('reports all that applies', () => {
    const all = judgeCandidate(
      {
        ...good,
        machine: 'riscv64',
        build: buildOf([
          ['nginx/1.22.1', 'freenginx/1.4.0'],
          ['=/usr/share/nginx', '=/opt'],
        ]),
      },
      factsOf('systemd', { diskFreeKb: 1 }),
      STRICT,
    );
    assert.deepEqual(codes(all), ['architecture', 'disk-space', 'flavour-differs', 'prefix-differs', 'downgrade']);
  });

  it('judges the file alone where nothing is known of the build, and nothing without a master', () => {
    const unknown = { ...good, machine: 'aarch64', build: { flavour: '', version: '', arguments: [] } };
    assert.deepEqual(codes(judgeCandidate(unknown, factsOf('systemd'), STRICT)), ['architecture']);
    assert.deepEqual(codes(judgeCandidate(unknown, factsOf('not-running'), STRICT)), []);
  });

  const RUNS: [file: string | undefined, host: string][] = [
    ['x86_64', 'x86_64'],
    ['i686', 'x86_64'],
    ['arm', 'armv7l'],
    ['ppc64', 'ppc64le'],
    [undefined, 'sparc64'],
  ];
  for (const [file, host] of RUNS) {
    it(`leaves it to the target whether a file for ${file ?? 'an unknown machine'} runs on ${host}`, () => {
      const { machine: _, ...plain } = good;
      const candidate = file === undefined ? plain : { ...plain, machine: file };
      assert.deepEqual(codes(judgeCandidate(candidate, factsOf('systemd', { machine: host }), STRICT)), []);
    });
  }

  it('takes an older version where downgrades are allowed', () => {
    const candidate = { ...good, build: buildOf([['nginx/1.22.1', 'nginx/1.18.0']]) };
    assert.deepEqual(codes(judgeCandidate(candidate, factsOf('systemd'), { ...STRICT, allowDowngrade: true })), []);
  });
});
