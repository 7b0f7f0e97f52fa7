import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FILE_CHECKS } from '../../../../src/host/preflight/candidate-checks.ts';
import type { Candidate } from '../../../../src/host/preflight/check.ts';
import { judgeCandidate } from '../../../../src/host/preflight/preflight.ts';
import { buildOf, factsOf, type Raw } from '../recorded.ts';
import { codes, only, STRICT } from './rules.ts';

const NEWER: [string, string] = ['nginx/1.22.1', 'nginx/1.26.3'];
const good: Candidate = {
  sha256: '1b'.repeat(32),
  size: 1_000_000,
  build: buildOf([NEWER]),
  machine: 'x86_64',
  modules: [],
};

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
    code: 'module-directory',
    where: 'a module that goes with it lies where another user can write',
    file: { modules: [{ name: 'ngx_http_echo_module.so' }] },
    host: { modules: ['/srv/m/ngx_http_echo_module.so'], modulesPlace: '1001' },
    says: /user 1001 can write to the directory of the modules \(\/srv\/m\/ngx_http_echo_module\.so\), root alone to that of the binary/,
    fix: /Let root alone/,
  },
  {
    code: 'libc',
    where: 'it needs a newer C library',
    file: { needs: { libraries: ['libc.so.6'], glibc: '2.38', rpath: false } },
    says: /needs glibc 2\.38, the host has 2\.36/,
    fix: /Debian, Ubuntu/,
  },
  {
    code: 'libc',
    where: 'it was linked for musl',
    file: { interpreter: '/lib/ld-musl-x86_64.so.1' },
    says: /linked for musl, the host has glibc 2\.36/,
    fix: /container/,
  },
  {
    code: 'libc',
    where: 'it was linked for glibc and the host has musl',
    host: { libc: '' },
    file: { needs: { libraries: [], glibc: '2.17', rpath: false } },
    says: /linked for glibc, the host has another C library/,
    fix: /alpine/,
  },
  {
    code: 'missing-library',
    where: 'it needs libraries that the host lacks',
    file: { needs: { libraries: ['libc.so.6', 'libluajit-5.1.so.2', 'libz.so.1'], glibc: '2.34', rpath: false } },
    says: /needs libluajit-5\.1\.so\.2, which the loader of the host does not know/,
    fix: /Install/,
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
    const checks = new Set(FILE_CHECKS.map(({ code }) => code));
    assert.deepEqual(new Set(FOUND.map(({ code }) => code)), checks);
  });

  it('finds nothing wrong with a newer build of the same make', () => {
    assert.deepEqual(judged({}), { refusals: [], warnings: [] });
  });

  it('does not care whose a module is that stays as it is', () => {
    const host = { modules: ['/srv/m/ngx_http_echo_module.so'], modulesPlace: '1001' };
    assert.ok(!codes(judged({ host })).includes('module-directory'));
  });

  it('leaves libraries that a run path may lead to for the target to find', () => {
    const needs = { libraries: ['libluajit-5.1.so.2'], glibc: '2.36', rpath: true };
    assert.deepEqual(codes(judged({ file: { needs } })), []);
  });

  it('finds nothing wrong with as much room as is needed', () => {
    assert.deepEqual(codes(judged({ host: { diskFreeKb: 2930 } })), []);
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
});
