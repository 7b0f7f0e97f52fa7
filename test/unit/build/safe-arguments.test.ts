import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unsafeArgument } from '../../../src/build/safe-arguments.ts';

/** As distributions print them. */
const REAL = [
  '--with-cc-opt=-g -O2 -ffile-prefix-map=/build/nginx-1.22.1=. -fstack-protector-strong -Wformat -Werror=format-security -fPIC -Wdate-time -D_FORTIFY_SOURCE=2',
  '--with-ld-opt=-Wl,-z,relro -Wl,-z,now -Wl,--as-needed -fPIC -pie',
  '--with-cc-opt=-O2 -flto=auto -ffat-lto-objects -fexceptions -g -grecord-gcc-switches -pipe -Wall -Wp,-D_FORTIFY_SOURCE=2 -Wp,-D_GLIBCXX_ASSERTIONS -specs=/usr/lib/rpm/redhat/redhat-hardened-cc1 -m64 -march=x86-64-v2 -mtune=generic -fcf-protection',
  '--with-ld-opt=-Wl,-z,relro -Wl,--as-needed,-O1,--sort-common -Wl,-E -specs=/usr/lib/rpm/redhat/redhat-hardened-ld',
  '--with-cc-opt=-I /opt/include -DNAME=\'"a b"\'',
  '--with-ld-opt=-L/opt/lib -lpcre2-8 /opt/lib/libz.a -Wl,-rpath,/opt/lib',
  '--with-cc=/usr/bin/x86_64-linux-gnu-gcc-12',
  '--with-perl=/usr/bin/perl5.36',
  '--build=Ubuntu (as we like it)',
  '--prefix=/etc/nginx',
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

  for (const arg of ODD) {
    it(`leaves it to the user, and not to a target: ${arg}`, () => {
      assert.notEqual(unsafeArgument(arg, { from: 'target' }), undefined);
      assert.equal(unsafeArgument(arg, { from: 'user' }), undefined);
    });
  }
});
