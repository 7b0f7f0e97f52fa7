import { describe } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { foreignBinary, patchedBinary } from '../support/patched-binary.ts';
import { configured, testRefusals, type RefusedCase } from '../support/refusals.ts';
import { webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');
const built = (from: string, to: string) => patchedBinary(newer, [[from, to]]);
const withoutDirective = (name: string) => configured(`sed -i '/${name}/d' /etc/nginx/nginx.conf`, 'long ago');

/** What is wrong with the new file; the host is as it should be, or has nothing in its configuration that beats the build. */
const REFUSED: RefusedCase[] = [
  { what: 'a binary for another processor', binary: foreignBinary(newer), codes: ['architecture'] },
  { what: 'a binary for a newer C library', binary: built('GLIBC_2.34', 'GLIBC_2.99'), codes: ['libc'] },
  {
    what: 'a binary for a library that is not there',
    binary: built('libz.so.1', 'libq.so.1'),
    codes: ['missing-library'],
  },
  { what: 'another flavour', binary: built('nginx/1.26.3', 'nginy/1.26.3'), codes: ['flavour-differs'] },
  { what: 'a lower version', binary: built('nginx/1.26.3', 'nginx/1.16.3'), codes: ['downgrade'] },
  { what: 'another --prefix', binary: built('/usr/share/nginx', '/usr/share/nginy'), codes: ['prefix-differs'] },
  {
    what: 'another --conf-path',
    binary: built('/etc/nginx/nginx.conf', '/etc/nginx/nginy.conf'),
    codes: ['conf-path-differs'],
  },
  {
    what: 'another --pid-path where the configuration names none',
    host: `${withoutDirective('^pid ')}; systemctl restart nginx`,
    binary: built('/run/nginx.pid', '/run/nginy.pid'),
    codes: ['pid-path-differs'],
  },
  {
    what: 'another --error-log-path where the configuration names none',
    host: withoutDirective('^error_log'),
    binary: built('/var/log/nginx/error.log', '/var/log/nginx/errox.log'),
    codes: ['error-log-path-differs'],
  },
  {
    what: 'another --http-log-path where the configuration names none',
    host: withoutDirective('access_log'),
    binary: built('/var/log/nginx/access.log', '/var/log/nginx/axxess.log'),
    codes: ['http-log-path-differs'],
  },
  {
    what: 'another path for temporary files',
    binary: built('/var/lib/nginx/proxy', '/var/lib/nginx/proxz'),
    codes: ['temp-path-differs'],
  },
  {
    what: 'another --user where the configuration names none',
    host: withoutDirective('^user'),
    // As long as the argument that it takes the place of.
    binary: built('--with-threads', '--user=nogroup'),
    codes: ['user-differs'],
  },
  {
    what: 'a binary without a module that the configuration uses',
    host: configured(`sed -i 's/server_tokens on;/&set_real_ip_from 10.0.0.0\\/8;/' /etc/nginx/nginx.conf`, 'long ago'),
    binary: patchedBinary(newer, [
      ['--with-http_realip_module', '--with-http_rxalip_module'],
      ['set_real_ip_from', 'set_rxal_ip_from'],
    ]),
    codes: ['module-lost'],
  },
];

describe('preflight of the new file', { skip: noHosts(), timeout: 240_000 }, () => {
  testRefusals(webHost('preflight-file'), REFUSED, { binary: newer });
});
