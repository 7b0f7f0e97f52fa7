import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unsafeArgument } from '../../../src/build/safe-arguments.ts';

/** As distributions print them. */
const REAL = [
  '--with-cc-opt=-g -O2 -ffile-prefix-map=/build/nginx-1.22.1=. -fstack-protector-strong -Wformat -Werror=format-security -fPIC -Wdate-time -D_FORTIFY_SOURCE=2',
  '--with-ld-opt=-Wl,-z,relro -Wl,-z,now -Wl,--as-needed -fPIC -pie',
  '--with-cc-opt=-O2 -flto=auto -ffat-lto-objects -fexceptions -g -grecord-gcc-switches -pipe -Wall -Wp,-D_FORTIFY_SOURCE=2 -Wp,-D_GLIBCXX_ASSERTIONS -specs=/usr/lib/rpm/redhat/redhat-hardened-cc1 -m64 -march=x86-64-v2 -mtune=generic -fcf-protection',
  '--with-ld-opt=-Wl,-z,relro -Wl,--as-needed,-O1,--sort-common -Wl,-E -specs=/usr/lib/rpm/redhat/redhat-hardened-ld',
  '--with-cc-opt=-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -ffile-prefix-map=/build/nginx-DlMnQR/nginx-1.24.0=. -fdebug-prefix-map=/build/nginx-DlMnQR/nginx-1.24.0=/usr/src/nginx-1.24.0-2ubuntu7 -D_FORTIFY_SOURCE=3',
  '--with-ld-opt=-Wl,-Bsymbolic-functions -flto=auto -ffat-lto-objects -Wl,-z,relro -Wl,-z,now -fPIC',
  '--with-cc-opt=-O2 -Wno-complain-wrong-lang -Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3 -specs=/usr/lib/rpm/redhat/redhat-annobin-cc1 -fasynchronous-unwind-tables -march=armv8.2-a+crypto -mbranch-protection=standard',
  '--with-ld-opt=-Wl,-z,pack-relative-relocs -Wl,--build-id=sha1 -specs=/usr/lib/rpm/redhat/redhat-package-notes',
  '--with-cc-opt=-O2 -g -fexceptions --param=ssp-buffer-size=4 -grecord-gcc-switches -Os -fno-plt -fno-strict-aliasing',
  '--with-ld-opt=-Wl,--as-needed,-O1,--sort-common -Wl,-z,relro,-z,now -pie',
  '--with-cc-opt=-I /usr/local/include -I/usr/include/luajit-2.1 -DNAME=1 -DNGX_HTTP_HEADERS',
  '--with-ld-opt=-L/usr/local/lib -lpcre2-8 /usr/lib/x86_64-linux-gnu/libz.a -Wl,-rpath,/usr/local/lib -Wl,-rpath=/usr/lib64,--enable-new-dtags',
  '--with-cc=/usr/bin/x86_64-linux-gnu-gcc-12',
  '--with-perl=/usr/bin/perl5.36',
  '--build=Ubuntu (as we like it)',
  '--prefix=/etc/nginx',
  '--with-perl_modules_path=/usr/lib/x86_64-linux-gnu/perl5/5.36',
  '--http-client-body-temp-path=/var/lib/nginx/client_body~',
  '--user=www-data',
  '--crossbuild=Linux::x86_64',
  '--with-stream=dynamic',
  '--with-threads',
];

/** What a target that was taken over might say of itself. */
const HOSTILE = [
  '--with-cc-opt=-O2 $(touch /x)',
  '--with-cc-opt=`id`',
  '--with-cc-opt=-O2; id',
  '--with-ld-opt=-lz | sh',
  '--prefix=/a\nall: ; id',
  '--user=$(id)',
];

/** A C string, a line of a makefile or a word of a shell ends here, or goes on elsewhere. */
const SPECIAL = ['"', '\\', '$', '`', '\n', '\r', '\t', '\0', '\x1b', '\x7f'];

/** Arguments of every kind with this in them. */
function argumentsWith(special: string): string[] {
  return [
    `--prefix=/etc/${special}nginx`,
    `--build=${special}`,
    `--with-cc-opt=-DA=${special}b c${special}`,
    `--with-ld-opt=${special}-lm`,
    `--with-cc=gcc${special}`,
    `--add-module=/build/echo${special}`,
    `--builddir=${special}`,
    `--with-${special}threads`,
  ];
}

/** A user may ask for these. */
const ODD = [
  '--with-cc-opt=-wrapper /bin/sh,-c,id',
  '--with-cc-opt=-fplugin=/x.so',
  '--with-cc-opt=-B/opt/x',
  '--with-cc-opt=-o /root/.profile',
  '--with-cc-opt=@/etc/passwd',
  '--with-cc-opt=-Wp,-MD,/root/x',
  '--with-ld-opt=-Wl,-Map,/root/x',
  '--with-ld-opt=-Wl,--output=/root/x',
  '--with-ld-opt=-Wl,-plugin,/x.so',
  '--with-cc=/bin/sh',
  '--with-cc=gcc -wrapper x',
  '--with-perl=/usr/bin/curl',
];

/** What a target could do with it, tried with nginx 1.26.3, gcc 12.2 and ld 2.40; those of bash and clang were only read about. */
const GETS_THROUGH: [does: string, arg: string][] = [
  ['runs a program, as a shell takes the quotes off', "--with-cc-opt='-wrapper' '/bin/sh,-c,id'"],
  ['has what is built load a library of its choice, here and there', '--with-ld-opt=-Wl,-rpath,/opt/lib'],
  ['has what is built load a library of its choice, here and there', '--with-ld-opt=-Wl,-rpath,.'],
  ['has what is built load a library of its choice, here and there', '--with-ld-opt=-Wl,-rpath=/usr/lib/../../tmp'],
  [
    'has what is built load a library of its choice, here and there',
    '--with-ld-opt=-Wl,--rpath-link,/usr/lib,-rpath,/home/x',
  ],
  ['has the linker load a library of its choice', '--with-ld-opt=-Wl,--package-metadata=x,-plugin,evil.so'],
  ['has the linker look for libraries in a place of its choice', '--with-ld-opt=-Wl,--package-metadata=x,-L..'],
  ['has the linker read a script of its choice', '--with-ld-opt=-Wl,--as-needed,-T,evil.ld'],
  ['chooses what loads the program', '--with-ld-opt=-Wl,-z,now,-dynamic-linker,/tmp/ld.so'],
  ['says nothing to the linker', '--with-ld-opt=-Wl,'],
  ['chooses what runs as the compiler', '--with-cc=/tmp/x/gcc'],
  ['chooses what runs as the compiler', '--with-cc=/usr/bin/../../tmp/gcc'],
  ['chooses what runs as the preprocessor', '--with-cpp=/home/runner/cpp'],
  ['chooses what runs as perl', '--with-perl=/var/tmp/perl'],
  ['chooses what is linked in', '--with-ld-opt=-L/tmp/x'],
  ['chooses what is linked in', '--with-ld-opt=-L /tmp/x -lz'],
  ['chooses what is linked in', '--with-ld-opt=/x.a'],
  ['chooses what is linked in', '--with-ld-opt=/usr/lib/../../tmp/x.a'],
  ['chooses what is linked in', '--with-ld-opt=-Lsrc'],
  ['chooses what is compiled in', '--with-cc-opt=-I/opt/hostedtoolcache/x'],
  ['chooses what is compiled in', '--with-cc-opt=-isystem /usr/share/x'],
  ['chooses what the compiler does', '--with-cc-opt=-specs=/tmp/specs'],
  ['runs a program where sh is bash', '--with-cc-opt={-wrapper,/usr/bin/id}'],
  ['runs a program in the sed of the manual', '--error-log-path=/x|;e id #'],
  ['runs a program in the sed of the manual', '--prefix=/x|;e id #'],
  ['writes a file in the sed of the manual', '--pid-path=/x|;w /root/x'],
  ['writes lines of the makefile', '--modules-path=/a/b build:;id>/root/x/y all:#/z'],
  ['runs a program in the recipe for perl', '--with-perl_modules_path=/x;id;'],
  ['runs a program at an error', '--with-ld-opt=-Wl,--error-handling-script=/usr/bin/id -lnone'],
  ['writes a script that configure reads', '--with-cc-opt=-Wp,-DX,-MD,auto/have,-MT,id'],
  ['starts another program instead of ld.so', '--with-ld-opt=-Wl,-I/usr/bin/id'],
  ['starts another program instead of ld.so', '--with-ld-opt=-Wl,--dynamic-linker=/usr/bin/id'],
  ['writes a file', '--with-ld-opt=-Wl,-osrc/../../x'],
  ['writes a file', '--with-ld-opt=-Wl,--outp=/root/x'],
  ['writes a file', '--with-ld-opt=-Wl,--Ma=/root/x'],
  ['writes a file', '--with-ld-opt=-Wl,--depen=/root/x'],
  ['writes a file', '--with-cc-opt=-fopt-info-all=/root/x'],
  ['writes files when a check runs', '--with-cc-opt=-fprofile-generate=/root/x'],
  ['writes a file where sh is bash', '--with-cc-opt={-o,/root/x}'],
  ['takes a file of this machine into the new nginx', '--with-ld-opt=-Wl,--format=binary /etc/shadow'],
  ['calls one function for another', '--with-cc-opt=-Dputs=system -fno-builtin'],
  ['calls one function for another', '--with-ld-opt=-static -Wl,--wrap=puts,--defsym=__wrap_puts=system'],
  ['runs a program with clang', '--with-cc-opt=-fuse-ld=/usr/bin/id'],
  ['loads a library with clang', '--with-cc-opt=-fpass-plugin=/x.so'],
  ['loads a library with clang', '--with-cc-opt=-mllvm -load=/x.so'],
  ['writes a file with clang', '--with-cc-opt=-ftime-trace=/root/x'],
  ['writes a file with clang', '--with-cc-opt=-fproc-stat-report=/root/x'],
];

describe('unsafeArgument', () => {
  for (const arg of REAL) {
    it(`takes what a distribution's nginx says: ${arg.slice(0, 60)}`, () => {
      assert.equal(unsafeArgument(arg, { from: 'target' }), undefined);
    });
  }

  for (const arg of HOSTILE) {
    it(`lets nobody write into a shell or a makefile: ${JSON.stringify(arg)}`, () => {
      assert.match(unsafeArgument(arg, { from: 'target' }) ?? '', /shell/);
      assert.match(unsafeArgument(arg, { from: 'user' }) ?? '', /shell/);
    });
  }

  for (const special of SPECIAL) {
    it(`lets nobody write ${JSON.stringify(special)} anywhere`, () => {
      for (const arg of argumentsWith(special))
        for (const from of ['target', 'user'] as const) assert.notEqual(unsafeArgument(arg, { from }), undefined, arg);
    });
  }

  it("lets no target write ' anywhere", () => {
    for (const arg of argumentsWith("'")) assert.notEqual(unsafeArgument(arg, { from: 'target' }), undefined, arg);
  });

  it('lets nobody end the text that nginx -V prints, and go on in C', () => {
    for (const arg of ['--build=x" int evil;', '--with-cc-opt=-DNAME=\'"a b"\'', '--user=a\\'])
      assert.match(unsafeArgument(arg, { from: 'user' }) ?? '', /end up in the source of nginx/);
  });

  for (const [does, arg] of GETS_THROUGH) {
    it(`does not take from a target what ${does}: ${arg}`, () => {
      assert.notEqual(unsafeArgument(arg, { from: 'target' }), undefined);
    });
  }

  for (const arg of ODD) {
    it(`leaves it to the user, and not to a target: ${arg}`, () => {
      assert.notEqual(unsafeArgument(arg, { from: 'target' }), undefined);
      assert.equal(unsafeArgument(arg, { from: 'user' }), undefined);
    });
  }
});
