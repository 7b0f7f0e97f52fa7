import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainFailure, type Failure } from '../../../src/build/failure.ts';
import { HEADERS, MISSING } from './missing.ts';

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n';

function explained({ output, ...others }: Partial<Failure> & Pick<Failure, 'output'>) {
  return explainFailure({ step: 'configure', osRelease: DEBIAN, output, ...others });
}

const CHECKS = 'checking for OS\n + Linux 6.1.0 x86_64\n';

describe('explainFailure', () => {
  for (const [what, packages, output] of MISSING) {
    it(`recognises that ${what} is missing: ${output.trim().split('\n').at(-1)}`, () => {
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

  for (const [library, what] of [
    ['maxminddb', 'libmaxminddb'],
    ['luajit-5.1', 'LuaJIT'],
  ]) {
    it(`recognises ${what} by what the linker does not find`, () => {
      const output = `/usr/bin/ld: cannot find -l${library}: No such file or directory\ncollect2: error: ld returned 1 exit status\n`;
      const { code, message } = explained({ step: 'make', output });
      assert.equal(code, 'build-dependency');
      assert.ok(message.includes(`: ${what}. make said: `), message);
    });
  }

  /** Nothing to install would help here. */
  const misleading: [what: string, output: string][] = [
    [
      'a library in a command',
      "cc -o objs/nginx objs/x.o -lmaxminddb -latomic_ops\n/usr/bin/ld: x.o: undefined reference to 'f'\n",
    ],
    [
      'a check for a header',
      'checking for zlib.h: No such file ... not found\n./configure: error: no config was found\n',
    ],
    ['a note', "note: the HTTP gzip module uses the zlib library\nsrc/x.c:3:7: error: unknown type name 'a'\n"],
    ['the directory of a module', 'modules/lua/src/x.c:3:7: error: lvalue required as left operand of assignment\n'],
    ['an advice', 'You can install libmaxminddb where it is required\nsrc/x.c:1:1: error: expected declaration\n'],
  ];
  for (const [what, output] of misleading) {
    it(`does not take ${what} for what is missing`, () => {
      const { code, message } = explained({ step: 'make', output });
      assert.equal(code, 'build-failed', message);
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

  it('says what helps where OpenSSL cannot do QUIC', () => {
    const output = `checking for OpenSSL QUIC support ... not found
checking for OpenSSL QUIC compatibility ... not found

./configure: error: certain modules require OpenSSL QUIC support.
You can either do not enable the modules, or install the OpenSSL library with
QUIC support into the system, or build the OpenSSL library with QUIC support
statically from the source with nginx by using --with-openssl=<path> option.
`;
    const { code, message, fix } = explained({ output });
    assert.equal(code, 'build-failed');
    assert.equal(message, 'configure failed: ./configure: error: certain modules require OpenSSL QUIC support.');
    assert.match(fix, /cannot do QUIC: `omit-configure-args: --with-http_v3_module`/);
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
