import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUILD_CHECKS } from '../../../../src/host/preflight/build-checks.ts';
import type { Candidate } from '../../../../src/host/preflight/check.ts';
import { judgeCandidate } from '../../../../src/host/preflight/preflight.ts';
import { buildOf, factsOf, recorded, type Raw } from '../recorded.ts';
import { codes, only, STRICT } from './rules.ts';

const NEWER: [string, string] = ['nginx/1.22.1', 'nginx/1.26.3'];
const good: Candidate = {
  sha256: '1b'.repeat(32),
  size: 1_000_000,
  build: buildOf([NEWER]),
  machine: 'x86_64',
  modules: [],
};

/** The recorded host without the directives that would beat the build. */
const bare: Raw = { directives: [] };

interface Case {
  code: string;
  where: string;
  /** Changes of what the new binary says of itself. */
  said: [from: string, to: string];
  host?: Raw;
  says: RegExp;
  fix: RegExp;
}

const FOUND: Case[] = [
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
    says: /--prefix: \/opt\/nginx instead of \/usr\/share\/nginx/,
    fix: /--prefix=\/usr\/share\/nginx, or set the option -p/,
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
    host: bare,
    says: /\/run\/other\.pid/,
    fix: /--pid-path=\/run\/nginx\.pid, or set `pid`/,
  },
  {
    code: 'lock-path-differs',
    where: 'it would lock elsewhere',
    said: ['=/var/lock/nginx.lock', '=/tmp/nginx.lock'],
    says: /\/tmp\/nginx\.lock/,
    fix: /lock_file/,
  },
  {
    code: 'error-log-path-differs',
    where: 'it would write its errors elsewhere',
    said: ['=/var/log/nginx/error.log', '=/var/log/error.log'],
    host: bare,
    says: /\/var\/log\/error\.log instead/,
    fix: /error_log/,
  },
  {
    code: 'http-log-path-differs',
    where: 'it would log requests elsewhere',
    said: ['=/var/log/nginx/access.log', '=/var/log/access.log'],
    host: bare,
    says: /\/var\/log\/access\.log instead/,
    fix: /access_log/,
  },
  {
    code: 'temp-path-differs',
    where: 'it would buffer elsewhere',
    said: ['=/var/lib/nginx/proxy', '=/var/lib/other/proxy'],
    says: /--http-proxy-temp-path: \/var\/lib\/other\/proxy instead of \/var\/lib\/nginx\/proxy/,
    fix: /proxy_temp_path/,
  },
  {
    code: 'user-differs',
    where: 'its workers would be another user',
    said: ['--with-threads', '--with-threads --user=nginx'],
    host: bare,
    says: /as nginx instead of nobody/,
    fix: /--user=nobody/,
  },
  {
    code: 'modules-path-differs',
    where: 'its modules are installed elsewhere',
    said: ['--with-threads', '--with-threads --modules-path=/usr/lib/nginx/modules'],
    says: /\/usr\/lib\/nginx\/modules/,
    fix: /--modules-path=modules/,
  },
  {
    code: 'module-lost',
    where: 'it lacks a part that the running one has',
    said: ['--with-http_realip_module', ''],
    says: /--with-http_realip_module/,
    fix: /same arguments/,
  },
  {
    code: 'module-signature',
    where: 'a module of the old version would be loaded',
    said: ['--with-threads', '--with-threads'],
    host: { modules: ['/usr/lib/nginx/modules/ngx_http_echo_module.so'] },
    says: /ngx_http_echo_module\.so, built for 1\.22\.1: 1\.26\.3 refuses/,
    fix: /`echo=path`/,
  },
  {
    code: 'tls-library-differs',
    where: 'another TLS library is behind it',
    said: ['running with OpenSSL 3.0.20', 'running with OpenSSL 3.5.4'],
    says: /OpenSSL 3\.5\.4 instead of OpenSSL 3\.0\.20/,
    fix: /library of the target/,
  },
  {
    code: 'hardening-lost',
    where: 'the running one was hardened',
    said: ['--with-threads', '--with-threads'],
    host: {
      build: `${String(recorded('systemd')['build'])} --with-cc-opt='-g -O2 -fstack-protector-strong' --with-ld-opt=-Wl,-z,relro`,
    },
    says: /-fstack-protector-strong, -Wl,-z,relro/,
    fix: /--with-cc-opt/,
  },
  {
    code: 'downgrade',
    where: 'it is older',
    said: ['nginx/1.26.3', 'nginx/1.18.0'],
    says: /1\.18\.0 is older than the running 1\.22\.1/,
    fix: /allow-downgrade/,
  },
];

function judged({ said, host = {} }: Partial<Case>) {
  const build = buildOf(said === undefined ? [NEWER] : [NEWER, said]);
  return judgeCandidate({ ...good, build }, factsOf('systemd', host), STRICT);
}

describe('the checks of a build', () => {
  for (const found of FOUND) {
    it(`find ${found.code} where ${found.where}`, () => {
      const finding = only(judged(found));
      assert.equal(finding.code, found.code);
      assert.match(finding.message, found.says);
      assert.match(finding.fix, found.fix);
    });
  }

  it('have a case here for each of them', () => {
    assert.deepEqual(FOUND.map(({ code }) => code).sort(), BUILD_CHECKS.map(({ code }) => code).sort());
  });

  it('find nothing wrong with a newer build of the same make', () => {
    assert.deepEqual(judged({}), { refusals: [], warnings: [] });
    assert.deepEqual(judged({ host: bare }), { refusals: [], warnings: [] });
  });

  it('do not count a path that the command line or the configuration overrides', () => {
    const build = buildOf([
      ['=/usr/share/nginx', '=/opt/nginx'],
      ['=/etc/nginx/nginx.conf', '=/etc/other.conf'],
      ['=/run/nginx.pid', '=/run/other.pid'],
      ['=/var/log/nginx/error.log', '=/var/log/error.log'],
      ['=/var/lib/nginx/proxy', '=/var/lib/other/proxy'],
    ]);
    assert.deepEqual(codes(judgeCandidate({ ...good, build }, factsOf('local'), STRICT)), []);
  });

  it('count an access log that only some server sets', () => {
    const said: [string, string] = ['=/var/log/nginx/access.log', '=/var/log/access.log'];
    const directives = ['main error_log /e', 'http.server access_log off'];
    assert.deepEqual(codes(judged({ said, host: { directives } })), ['http-log-path-differs']);
  });

  it('do not ask for the user of a master that is not root, nor of one whose configuration names it', () => {
    const said: [string, string] = ['--with-threads', '--with-threads --user=nginx'];
    assert.deepEqual(codes(judged({ said })), []);
    assert.deepEqual(codes(judged({ said, host: { ...bare, masterUid: 1000 } })), []);
  });

  it('take /var/run for /run, and a slash at the end for none', () => {
    assert.deepEqual(codes(judged({ said: ['=/run/nginx.pid', '=/var/run/nginx.pid'], host: bare })), []);
    assert.deepEqual(codes(judged({ said: ['=/usr/share/nginx ', '=/usr/share/nginx/ '] })), []);
  });

  it('take a module that became dynamic for lost, and a third-party one of another path for the same', () => {
    assert.match(only(judged({ said: ['--with-stream ', '--with-stream=dynamic '] })).message, /--with-stream/);
    const build = `${String(recorded('systemd')['build'])} --add-module=/build/x/http-echo`;
    const said: [string, string] = ['--with-threads', '--with-threads --add-module=modules/echo'];
    assert.deepEqual(codes(judged({ said, host: { build } })), []);
  });

  it('only warn of a part that is lost: whether it is used, the test of the configuration tells', () => {
    const { refusals, warnings } = judged({ said: ['--with-http_realip_module', ''] });
    assert.deepEqual([refusals.length, warnings.length], [0, 1]);
  });

  it('want no other version of a module that goes with the binary, nor where the version stays', () => {
    const host = factsOf('systemd', { modules: ['/m/ngx_http_echo_module.so'], modulesPlace: '' });
    const modules = [{ name: 'ngx_http_echo_module.so' }];
    assert.deepEqual(codes(judgeCandidate({ ...good, modules }, host, STRICT)), []);
    assert.deepEqual(codes(judgeCandidate({ ...good, build: buildOf([]) }, host, STRICT)), []);
  });

  it('name what is in by default and was left out', () => {
    const said: [string, string] = ['--with-threads', '--with-threads --without-http_gzip_module'];
    assert.match(only(judged({ said })).message, /--without-http_gzip_module/);
  });

  it('take an older version where downgrades are allowed', () => {
    const candidate = { ...good, build: buildOf([['nginx/1.22.1', 'nginx/1.18.0']]) };
    assert.deepEqual(codes(judgeCandidate(candidate, factsOf('systemd'), { ...STRICT, allowDowngrade: true })), []);
  });
});
