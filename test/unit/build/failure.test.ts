import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainFailure, type Failure } from '../../../src/build/failure.ts';

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n';

function explained({ output, ...others }: Partial<Failure> & Pick<Failure, 'output'>) {
  return explainFailure({ step: 'configure', osRelease: DEBIAN, output, ...others });
}

const CHECKS = 'checking for OS\n + Linux 6.1.0 x86_64\n';

/** What configure (auto/ of nginx 1.26.3, `config` of the modules) and a compiler print where something is not there. */
const MISSING: [what: string, packages: string, output: string][] = [
  [
    'a C compiler',
    'gcc libc6-dev',
    'checking for C compiler ... not found\n\n./configure: error: C compiler cc is not found\n',
  ],
  ['make', 'make', '/bin/sh: 1: make: not found\n'],
  [
    'the PCRE2 library',
    'libpcre2-dev',
    `checking for PCRE2 library ... not found
checking for PCRE library ... not found

./configure: error: the HTTP rewrite module requires the PCRE library.
You can either disable the module by using --without-http_rewrite_module
option, or install the PCRE library into the system, or build the PCRE library
statically from the source with nginx by using --with-pcre=<path> option.
`,
  ],
  [
    'the zlib library',
    'zlib1g-dev',
    `checking for zlib library ... not found

./configure: error: the HTTP gzip module requires the zlib library.
You can either disable the module by using --without-http_gzip_module
option, or install the zlib library into the system, or build the zlib library
statically from the source with nginx by using --with-zlib=<path> option.
`,
  ],
  [
    'the OpenSSL library',
    'libssl-dev',
    `checking for OpenSSL library in /usr/local/ ... not found

./configure: error: SSL modules require the OpenSSL library.
You can either do not enable the modules, or install the OpenSSL library
into the system, or build the OpenSSL library statically from the source
with nginx by using --with-openssl=<path> option.
`,
  ],
  [
    'the libxml2 and libxslt libraries',
    'libxslt1-dev',
    `checking for libxslt ... not found

./configure: error: the HTTP XSLT module requires the libxml2/libxslt
libraries. You can either do not enable the module or install the libraries.
`,
  ],
  [
    'the GD library',
    'libgd-dev',
    `checking for GD library ... not found

./configure: error: the HTTP image filter module requires the GD library.
You can either do not enable the module or install the libraries.
`,
  ],
  [
    'the GeoIP library',
    'libgeoip-dev',
    `checking for GeoIP library ... not found

./configure: error: the GeoIP module requires the GeoIP library.
You can either do not enable the module or install the library.
`,
  ],
  [
    'perl with its headers',
    'libperl-dev',
    `checking for perl
 + perl version: v5.36.0

./configure: error: perl module ExtUtils::Embed is required
`,
  ],
  [
    'gperftools',
    'libgoogle-perftools-dev',
    `checking for Google perftools ... not found

./configure: error: the Google perftools module requires the Google perftools
library. You can either do not enable the module or install the library.
`,
  ],
  [
    'libatomic_ops',
    'libatomic-ops-dev',
    'checking for atomic_ops library ... not found\n\n./configure: error: libatomic_ops library was not found.\n',
  ],
  [
    'libmaxminddb',
    'libmaxminddb-dev',
    `adding module in modules/geoip2
checking for MaxmindDB library ... not found
./configure: error: the geoip2 module requires the maxminddb library.
`,
  ],
  [
    'LuaJIT',
    'libluajit-5.1-dev',
    `adding module in modules/lua
checking for Lua library ... not found
checking for LuaJIT library in /usr/ ... not found
 ./configure: error: ngx_http_lua_module requires the Lua library.
`,
  ],
];

/** What the compiler says where the headers went after configure saw them, or where configure did not look. */
const HEADERS: [header: string, what: string][] = [
  ['pcre2.h', 'the PCRE2 library'],
  ['pcre.h', 'the PCRE2 library'],
  ['zlib.h', 'the zlib library'],
  ['openssl/ssl.h', 'the OpenSSL library'],
  ['perl.h', 'perl with its headers'],
  ['maxminddb.h', 'libmaxminddb'],
  ['lauxlib.h', 'LuaJIT'],
];

describe('explainFailure', () => {
  for (const [what, packages, output] of MISSING) {
    it(`recognises that ${what} is missing`, () => {
      const { code, message, fix } = explained({ output: CHECKS + output });
      assert.equal(code, 'build-dependency');
      assert.ok(message.startsWith(`this machine has not what the arguments need: ${what}. configure said: `), message);
      assert.ok(message.includes(output.match(/.*(?:error: |make: ).*/)?.[0].trim() ?? '-'), message);
      assert.ok(fix.startsWith(`Install it: ${packages} (Debian, Ubuntu), `), fix);
      for (const name of ['RHEL, Fedora', 'Alpine', 'SUSE']) assert.ok(fix.includes(`(${name})`), fix);
    });
  }

  for (const [header, what] of HEADERS) {
    it(`recognises ${what} by the header ${header}`, () => {
      const output = `src/x.c:9:10: fatal error: ${header}: No such file or directory\ncompilation terminated.\n`;
      const { code, message } = explained({ step: 'make', output });
      assert.equal(code, 'build-dependency');
      assert.ok(message.startsWith(`this machine has not what the arguments need: ${what}. make said: `), message);
    });
  }

  const machines: [name: string, osRelease: string, first: string][] = [
    ['Debian', DEBIAN, 'zlib1g-dev (Debian, Ubuntu)'],
    ['Ubuntu', 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', 'zlib1g-dev (Debian, Ubuntu)'],
    ['Rocky Linux', 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n', 'zlib-devel (RHEL, Fedora)'],
    ['Fedora', 'NAME="Fedora Linux"\nID=fedora\n', 'zlib-devel (RHEL, Fedora)'],
    ['Amazon Linux', 'ID="amzn"\nID_LIKE="fedora"\n', 'zlib-devel (RHEL, Fedora)'],
    ['Alpine', 'NAME="Alpine Linux"\nID=alpine\n', 'zlib-dev (Alpine)'],
    ['openSUSE', 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'zlib-devel (SUSE)'],
    ['a machine that says nothing of itself', '', 'zlib1g-dev (Debian, Ubuntu)'],
    ['one that only mentions another', 'ID=void\nHOME_URL="https://h/like-alpine"\n', 'zlib1g-dev (Debian, Ubuntu)'],
  ];
  for (const [name, osRelease, first] of machines) {
    it(`names the packages of ${name} first, each once`, () => {
      const output = './configure: error: the HTTP gzip module requires the zlib library.\n';
      const { fix } = explained({ output, osRelease });
      assert.ok(fix.startsWith(`Install it: ${first}, `), fix);
      assert.equal(fix.split(', zlib').length, 4);
    });
  }

  it('says which option this version does not know any more', () => {
    const { code, message, fix } = explained({ output: './configure: error: invalid option "--with-ipv6"\n' });
    assert.equal(code, 'build-failed');
    assert.equal(message, 'configure failed: ./configure: error: invalid option "--with-ipv6"');
    assert.match(fix, /does not know --with-ipv6 any more: `omit-configure-args: --with-ipv6`/);
  });

  it('says what helps against warnings that count as errors', () => {
    const output = `cc -c -pipe -O -Wall -Werror -o objs/src/x.o src/x.c
src/x.c: In function 'f':
src/x.c:3:7: error: unused variable 'a' [-Werror=unused-variable]
cc1: all warnings being treated as errors
make[1]: *** [objs/Makefile:9: objs/src/x.o] Error 1
`;
    const { code, message, fix } = explained({ step: 'make', output });
    assert.equal(code, 'build-failed');
    assert.match(message, /^make failed: src\/x\.c:3:7: error: unused variable/);
    assert.match(fix, /-Wno-error/);
  });

  it('shows the last lines where none tells of an error', () => {
    const output = `${Array.from({ length: 20 }, (_, at) => `line ${at}`).join('\n')}\n`;
    const { code, message, fix } = explained({ output });
    assert.equal(code, 'build-failed');
    assert.match(message, /^configure failed: line 12 \| .* \| line 19$/);
    assert.equal(fix, 'The whole output is in the log above.');
  });

  it('shows what is decisive, and not the commands and checks around it', () => {
    const output = `checking for gcc -pipe switch ... not found
checking for poll() ... not found
cc -c -o objs/error.o src/error: x.c
/usr/bin/ld: x.o: undefined reference to 'f'
collect2: error: ld returned 1 exit status
`;
    const { message } = explained({ step: 'make', output });
    assert.equal(
      message,
      "make failed: /usr/bin/ld: x.o: undefined reference to 'f' | collect2: error: ld returned 1 exit status",
    );
  });

  it('keeps what it says short, however much was printed', () => {
    const { message } = explained({ output: `error: ${'x'.repeat(100_000)}\n`.repeat(20) });
    assert.ok(message.length < 1600, String(message.length));
  });
});
