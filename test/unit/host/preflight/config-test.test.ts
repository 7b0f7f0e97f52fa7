import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testFailed } from '../../../../src/host/preflight/config-test.ts';

const CONF = '/etc/nginx/nginx.conf';
const END = `nginx: configuration file ${CONF} test failed`;

interface Case {
  code: string;
  where: string;
  /** What nginx prints for it. */
  said: string;
}

const CASES: Case[] = [
  {
    code: 'module-signature',
    where: 'a dynamic module was built with other arguments',
    said: `nginx: [emerg] module "/usr/lib/nginx/modules/ngx_http_echo_module.so" is not binary compatible in ${CONF}:1`,
  },
  {
    code: 'module-signature',
    where: 'a dynamic module was built for another version',
    said: `nginx: [emerg] module "/usr/lib/nginx/modules/ngx_http_echo_module.so" version 1022001 instead of 1030004 in ${CONF}:1`,
  },
  {
    code: 'module-signature',
    where: 'the file of a dynamic module is missing',
    said: `nginx: [emerg] dlopen() "/usr/lib/nginx/modules/x.so" failed (/usr/lib/nginx/modules/x.so: cannot open shared object file: No such file or directory) in ${CONF}:1`,
  },
  {
    code: 'module-signature',
    where: 'a dynamic module asks for what the new binary has not',
    said: `nginx: [emerg] dlopen() "/usr/lib/nginx/modules/x.so" failed (/usr/lib/nginx/modules/x.so: undefined symbol: SSL_get_peer) in ${CONF}:1`,
  },
  {
    code: 'module-signature',
    where: 'a dynamic module is a part of the new binary already',
    said: `nginx: [emerg] module "ngx_http_echo_module" is already loaded in ${CONF}:1`,
  },
  {
    code: 'module-lost',
    where: 'a directive is unknown to the new binary',
    said: `nginx: [emerg] unknown directive "brotli" in ${CONF}:9`,
  },
  {
    code: 'config-test-failed',
    where: 'a directive has a value that the new binary refuses',
    said: `nginx: [emerg] invalid value "x" in "sendfile" directive, it must be "on" or "off" in ${CONF}:9`,
  },
  {
    code: 'config-test-failed',
    where: 'a file that the configuration names cannot be read',
    said: `nginx: [emerg] cannot load certificate "/etc/ssl/www.pem": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory)`,
  },
  {
    code: 'config-test-failed',
    where: 'a variable has no value',
    said: `nginx: [emerg] unknown "brotli_ratio" variable`,
  },
  {
    code: 'config-test-failed',
    where: 'the configuration ends too early',
    said: `nginx: [emerg] unexpected end of file, expecting ";" or "}" in ${CONF}:31`,
  },
];

const MEANING: Record<string, { message: RegExp; fix: RegExp }> = {
  'module-signature': {
    message: /^the new binary cannot load a dynamic module that the configuration loads: /,
    fix: /Build the modules with the binary: `configure-args: inherit`, .* `add-modules`/,
  },
  'module-lost': {
    message: /^the new binary is without a module that the configuration uses: /,
    fix: /`configure-args: inherit`\), or remove the directive/,
  },
  'config-test-failed': {
    message: /^the new binary refuses the host's configuration: /,
    fix: /^Correct the configuration, or build/,
  },
};

describe('testFailed', () => {
  for (const { code, where, said } of CASES) {
    it(`is ${code} where ${where}, and repeats what nginx said`, () => {
      const finding = testFailed([said, END]);
      assert.equal(finding.code, code);
      assert.match(finding.message, MEANING[code]?.message ?? /^$/);
      assert.match(finding.fix, MEANING[code]?.fix ?? /^$/);
      assert.ok(finding.message.endsWith(`${said} | ${END}`), finding.message);
    });
  }

  it('finds the cause behind warnings', () => {
    const warning = `nginx: [warn] the "user" directive makes sense only if the master process runs with super-user privileges, ignored in ${CONF}:1`;
    const { code, message } = testFailed([warning, `nginx: [emerg] unknown directive "brotli" in ${CONF}:9`, END]);
    assert.equal(code, 'module-lost');
    assert.match(message, /unknown directive "brotli"/);
  });

  it('repeats a bounded part of a long text', () => {
    const { message } = testFailed(Array.from({ length: 1000 }, () => 'nginx: [emerg] something'));
    assert.match(message, /nginx: \[emerg\] something \| nginx: /);
    assert.ok(message.length < 800, `${message.length} characters`);
  });
});
