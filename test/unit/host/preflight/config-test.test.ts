import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testFailed } from '../../../../src/host/preflight/config-test.ts';
import type { Finding } from '../../../../src/report/result.ts';

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
    code: 'module-lost',
    where: 'a parameter needs a module that the new binary has not',
    said: `nginx: [emerg] the "ssl" parameter requires ngx_http_ssl_module in ${CONF}:9`,
  },
  {
    code: 'module-lost',
    where: 'that module is one of another protocol',
    said: `nginx: [emerg] the "ssl" parameter requires ngx_stream_ssl_module in ${CONF}:9`,
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

/** Of a binary that lacks what the running one has. */
function failed(lines: string[]): Finding {
  return testFailed(lines, { lost: true });
}

describe('testFailed', () => {
  for (const { code, where, said } of CASES) {
    it(`is ${code} where ${where}, and repeats what nginx said of it`, () => {
      const finding = failed([said, END]);
      assert.equal(finding.code, code);
      assert.match(finding.message, MEANING[code]?.message ?? /^$/);
      assert.match(finding.fix, MEANING[code]?.fix ?? /^$/);
      assert.ok(finding.message.endsWith(`: ${said}`), finding.message);
    });
  }

  for (const { code, where, said } of CASES) {
    const alone = code === 'module-lost' ? 'config-test-failed' : code;
    it(`is ${alone} where ${where}, and the new binary lacks nothing`, () => {
      const finding = testFailed([said, END], { lost: false });
      assert.equal(finding.code, alone);
      assert.match(finding.message, MEANING[alone]?.message ?? /^$/);
      assert.ok(finding.message.endsWith(`: ${said}`), finding.message);
    });
  }

  it('finds the cause behind any number of warnings, and repeats none of them', () => {
    const warning = `nginx: [warn] the "user" directive makes sense only if the master process runs with super-user privileges, ignored in ${CONF}:1`;
    const cause = `nginx: [emerg] unknown directive "brotli" in ${CONF}:9`;
    for (const warnings of [1, 150]) {
      const { code, message } = failed([...Array.from({ length: warnings }, () => warning), cause, END]);
      assert.equal(code, 'module-lost');
      assert.ok(message.endsWith(`: ${cause}`), message);
    }
  });

  it('takes no warning for the cause', () => {
    const warning = `nginx: [warn] module "/x.so" version 1022001 instead of 1030004 in ${CONF}:1`;
    assert.equal(failed([warning, 'nginx: [emerg] host not found in upstream "x"', END]).code, 'config-test-failed');
  });

  for (const level of ['emerg', 'alert', 'crit']) {
    it(`repeats a line of the level ${level} rather than those around it`, () => {
      const { message } = failed(['nginx: [warn] a', `nginx: [${level}] b`, 'nginx: [notice] c', END]);
      assert.equal(message, `the new binary refuses the host's configuration: nginx: [${level}] b`);
    });
  }

  it('repeats every serious line', () => {
    const alert = 'nginx: [alert] could not open error log file: open() "/x" failed (13: Permission denied)';
    const cause = `nginx: [emerg] unknown directive "brotli" in ${CONF}:9`;
    const { code, message } = failed([alert, cause, END]);
    assert.equal(code, 'module-lost');
    assert.ok(message.endsWith(`: ${alert} | ${cause}`), message);
  });

  it('repeats all lines where none is serious', () => {
    const { message } = failed(['Illegal instruction', 'core dumped']);
    assert.equal(message, "the new binary refuses the host's configuration: Illegal instruction | core dumped");
  });

  for (const lines of [[], [''], [' ']]) {
    it(`says so where nginx said nothing: ${JSON.stringify(lines)}`, () => {
      const { code, message } = failed(lines);
      assert.equal(code, 'config-test-failed');
      assert.equal(message, "the new binary refuses the host's configuration: it said nothing");
    });
  }

  it('repeats a bounded part of a long text', () => {
    const { message } = failed(Array.from({ length: 1000 }, () => 'nginx: [emerg] something'));
    assert.match(message, /nginx: \[emerg\] something \| nginx: /);
    assert.ok(message.length < 800, `${message.length} characters`);
  });
});
