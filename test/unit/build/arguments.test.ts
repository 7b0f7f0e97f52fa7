import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ArgsPlan, type ArgsWish, placeOf, planArgs } from '../../../src/build/arguments.ts';
import type { ModuleSource } from '../../../src/config.ts';
import type { Finding } from '../../../src/report/result.ts';

const HERE = new Set(['/usr/bin/gcc', '/usr/lib/specs/cc1', '/usr/lib/specs/ld']);

function plan(base: string[], changes: Partial<ArgsWish> = {}): ArgsPlan | Finding[] {
  return planArgs({
    base,
    from: 'target',
    extra: [],
    omit: [],
    modules: [],
    exists: (path) => HERE.has(path),
    ...changes,
  });
}

function planned(base: string[], changes: Partial<ArgsWish> = {}): ArgsPlan {
  const answer = plan(base, changes);
  assert.ok(!Array.isArray(answer), JSON.stringify(answer));
  return answer;
}

/** The codes and messages of what stands against a plan. */
function against(base: string[], changes: Partial<ArgsWish> = {}): Finding[] {
  const answer = plan(base, changes);
  assert.ok(Array.isArray(answer), JSON.stringify(answer));
  return answer;
}

function source(name: string): ModuleSource {
  return { name, from: `/sources/${name}` };
}

describe('planArgs', () => {
  it('keeps everything that fits token by token, and tells of no change', () => {
    const base = [
      '--prefix=/etc/nginx',
      '--with-cc-opt=-g -O2 -specs=/usr/lib/specs/cc1 -D_GNU_SOURCE',
      '--with-ld-opt=-Wl,-z,relro -specs=/usr/lib/specs/ld',
      '--with-cc=/usr/bin/gcc',
      '--with-cpp=cpp',
      '--with-stream=dynamic',
      '--with-threads',
      '--with-openssl-opt=no-ssl3',
      '--with-libatomic',
      '--http-log-path=',
    ];
    assert.deepEqual(planned(base), { args: base, changes: [], placed: [], unplaced: [] });
  });

  it('leaves out the directory in which the running binary was built', () => {
    const { args, changes } = planned(['--builddir=/build/nginx/debian/build', '--with-threads']);
    assert.deepEqual(args, ['--with-threads']);
    assert.deepEqual(changes, [
      { arg: '--builddir=/build/nginx/debian/build', became: null, why: 'a directory of the machine that built it' },
    ]);
  });

  it('appends what is wanted besides, and says so', () => {
    const { args, changes } = planned(['--with-threads'], { extra: ['--with-debug', '--with-cc-opt=-O3 -g'] });
    assert.deepEqual(args, ['--with-threads', '--with-debug', '--with-cc-opt=-O3 -g']);
    assert.deepEqual(
      changes.map(({ arg, became }) => [arg, became]),
      [
        ['', '--with-debug'],
        ['', '--with-cc-opt=-O3 -g'],
      ],
    );
  });

  it('tells once of a module that is wanted besides, by the place of its sources', () => {
    const { args, changes } = planned([], { extra: ['--add-module=/x/echo'], modules: [source('echo')] });
    assert.deepEqual(args, ['--add-module=modules/echo']);
    assert.deepEqual(changes, [{ arg: '', became: '--add-module=modules/echo', why: '`extra-configure-args`' }]);
  });

  it('judges what is wanted besides like the rest', () => {
    assert.equal(against([], { extra: ['--with-cc=/opt/missing/cc'] })[0]?.code, 'build-path');
  });

  const faulty = ['--add-module=/x/echo', '--with-zlib=/x/zlib', '--with-cc=/opt/missing/cc', '--with-ld-opt=-lm; id'];
  const subjects: [whose: string, changes: Partial<ArgsWish>, subject: string][] = [
    ['the running nginx', {}, 'the running nginx was built with'],
    ['the user', { from: 'user' }, 'the arguments have'],
  ];
  for (const [whose, changes, subject] of subjects) {
    it(`says that an argument is one of ${whose}`, () => {
      const messages = against(faulty, changes).map(({ message }) => message);
      for (const [at, arg] of faulty.entries()) assert.ok(messages[at]?.startsWith(`${subject} ${arg}`), messages[at]);
    });
  }

  it('says of what is wanted besides that it is an argument of the user', () => {
    const messages = against(['--with-pcre=/x/pcre'], { extra: faulty }).map(
      ({ message }) => message.split(' --', 1)[0],
    );
    assert.deepEqual(messages, ['the running nginx was built with', ...faulty.map(() => 'the arguments have')]);
  });

  it('says everything that stands against it at once', () => {
    const found = against(['--add-module=/build/echo', '--with-zlib=/build/zlib', '--with-cc=/usr/local/bin/gcc-99']);
    assert.deepEqual(
      found.map(({ code }) => code),
      ['module-source-missing', 'build-path', 'build-path'],
    );
  });
});

describe('omitting', () => {
  const BASE = ['--with-debug', '--add-module=/build/echo', '--add-module=/build/geoip2', '--with-zlib=/build/zlib'];
  const modules = [source('echo'), source('geoip2')];
  const rest = ['--add-module=modules/echo', '--add-module=modules/geoip2'];

  const omitted: [how: string, omit: string[], left: string[]][] = [
    ['by name', ['--with-zlib'], ['--with-debug', ...rest]],
    ['by the whole argument', ['--with-zlib=/build/zlib'], ['--with-debug', ...rest]],
    [
      'one of several by the whole argument',
      ['--with-zlib', '--add-module=/build/echo'],
      ['--with-debug', '--add-module=modules/geoip2'],
    ],
    ['all of several by name', ['--with-zlib', '--add-module'], ['--with-debug']],
    ['what has no value', ['--with-zlib', '--with-debug'], rest],
  ];
  for (const [how, omit, left] of omitted) {
    it(`leaves out ${how}`, () => {
      const { args, changes } = planned(BASE, { omit, modules });
      assert.deepEqual(args, left);
      const gone = changes.filter(({ became }) => became === null);
      assert.equal(gone.length, BASE.length - left.length);
      for (const { why } of gone) assert.equal(why, '`omit-configure-args`');
    });
  }

  it('takes neither another value nor half a name for the argument', () => {
    const { args } = planned(['--with-cc-opt=-O2', '--with-debug'], {
      omit: ['--with-cc-opt=-O3', '--with-cc', '--with-de'],
    });
    assert.deepEqual(args, ['--with-cc-opt=-O2', '--with-debug']);
  });

  it('does not leave out what is wanted besides', () => {
    const { args } = planned(['--with-cc-opt=-O2'], { omit: ['--with-cc-opt'], extra: ['--with-cc-opt=-O3'] });
    assert.deepEqual(args, ['--with-cc-opt=-O3']);
  });
});

describe('the path of a third-party module', () => {
  const named: [by: string, path: string, name: string][] = [
    ['its full path', '/build/nginx/debian/modules/http-echo', '/build/nginx/debian/modules/http-echo'],
    ['its last part', '/build/nginx/debian/modules/http-echo', 'http-echo'],
    ['its last part before a slash', '/build/my_own/', 'my_own'],
    ['what is characteristic of it', '/build/echo-nginx-module-0.63', 'echo'],
    ['what is characteristic of both names', 'debian/modules/http-headers-more-filter', 'headers-more-nginx-module'],
  ];
  for (const [by, path, name] of named) {
    it(`is replaced where a source is named by ${by}`, () => {
      const module = source(name);
      const { args, placed, unplaced, changes } = planned([`--add-module=${path}`], { modules: [module] });
      assert.deepEqual([args, placed, unplaced], [[`--add-module=${placeOf(module)}`], [module], []]);
      assert.deepEqual(
        changes.map(({ arg, became }) => [arg, became]),
        [[`--add-module=${path}`, `--add-module=modules/${name}`]],
      );
    });
  }

  it('stays one of a dynamic module', () => {
    const { args } = planned(['--add-dynamic-module=/build/echo'], { modules: [source('echo')] });
    assert.deepEqual(args, ['--add-dynamic-module=modules/echo']);
  });

  it('is given to the source of that very name before one that is only like it', () => {
    const modules = [source('echo'), source('ngx_http_echo_module')];
    const { placed, unplaced } = planned(['--add-module=/build/ngx_http_echo_module'], { modules });
    assert.deepEqual([placed, unplaced], [[modules[1]], [modules[0]]]);
  });

  it('is given to the source of that very path before one that ends alike', () => {
    const modules = [source('/first/echo'), source('/second/echo')];
    assert.deepEqual(planned(['--add-module=/second/echo'], { modules }).placed, [modules[1]]);
  });

  it('is refused where no source fits, with what to write', () => {
    const arg = '--add-dynamic-module=/build/echo-nginx-module-0.63';
    const [finding, ...others] = against([arg], { modules: [source('geoip2')] });
    assert.equal(others.length, 0);
    assert.equal(finding?.code, 'module-source-missing');
    assert.ok(finding.message.includes(arg), finding.message);
    assert.match(finding.fix, /`add-modules: echo=\/path\/to\/sources`/);
    assert.ok(finding.fix.includes(`\`omit-configure-args: ${arg}\``), finding.fix);
  });

  for (const path of ['/build/nginx-module', '/build/nginx-module/', 'debian/modules/nginx-module']) {
    it(`is named by its last part where nothing in that is characteristic: ${path}`, () => {
      assert.match(against([`--add-module=${path}`])[0]?.fix ?? '', /`add-modules: nginx-module=\/path\/to\/sources`/);
    });
  }

  it('is not given to a source with nothing characteristic in its name', () => {
    assert.equal(
      against(['--add-module=/build/nginx-module'], { modules: [source('nginx')] })[0]?.code,
      'module-source-missing',
    );
  });

  it('is not asked for where no argument names it: that source is for a module that is loaded', () => {
    const modules = [source('echo')];
    assert.deepEqual(planned(['--with-threads'], { modules }).unplaced, modules);
  });
});

describe('a path of the machine that built the running binary', () => {
  const refused: [arg: string, says: RegExp, fix: RegExp][] = [
    ['--with-openssl=/build/openssl-3.0.15', /sources of a library/, /`omit-configure-args: --with-openssl`/],
    ['--with-pcre=../pcre2-10.42', /sources of a library/, /`omit-configure-args: --with-pcre`/],
    ['--with-zlib=/build/zlib', /sources of a library/, /`omit-configure-args: --with-zlib`/],
    ['--with-cc=/usr/local/bin/gcc-99', /has no \/usr\/local\/bin\/gcc-99$/, /`omit-configure-args: --with-cc`/],
    ['--with-cpp=/usr/local/bin/cpp-99', /has no \/usr\/local\/bin\/cpp-99$/, /`omit-configure-args: --with-cpp`/],
    [
      '--with-perl=/usr/local/bin/perl5.99',
      /has no \/usr\/local\/bin\/perl5\.99$/,
      /`omit-configure-args: --with-perl`/,
    ],
    ['--with-libatomic=/build/atomic', /sources of a library/, /`omit-configure-args: --with-libatomic`/],
    ['--with-cc-opt=-O2 -specs=/usr/lib/missing/cc1 -g', /has no \/usr\/lib\/missing\/cc1$/, /redhat-rpm-config/],
    [
      '--with-cc-opt=-specs=/usr/lib/specs/cc1 -specs=/usr/lib/missing/annobin',
      /has no \/usr\/lib\/missing\/annobin$/,
      /redhat-rpm-config/,
    ],
    [
      '--with-ld-opt=-specs=/usr/lib/missing/ld',
      /has no \/usr\/lib\/missing\/ld$/,
      /`omit-configure-args: --with-ld-opt`/,
    ],
  ];
  for (const [arg, says, fix] of refused) {
    it(`is refused: ${arg}`, () => {
      const [finding, ...others] = against(['--with-threads', arg]);
      assert.equal(others.length, 0);
      assert.equal(finding?.code, 'build-path');
      assert.ok(finding.message.includes(arg), finding.message);
      assert.match(finding.message, says);
      assert.match(finding.fix, fix);
    });
  }
});

describe('a compiler with options', () => {
  it('is looked for without them', () => {
    const arg = '--with-cc=/usr/bin/gcc -m64';
    assert.deepEqual(planned([arg], { from: 'user' }).args, [arg]);
  });

  it('is refused without them where it is not here', () => {
    const [finding] = against(['--with-cc=/opt/missing/cc -m64'], { from: 'user' });
    assert.match(finding?.message ?? '', /has no \/opt\/missing\/cc$/);
  });
});

describe('an argument that would run something', () => {
  const PLUGIN = '--with-cc-opt=-O2 -fplugin=/tmp/p.so';
  const SHELL = '--with-ld-opt=-lm; id';

  it('is refused where a target says it, and left to the user', () => {
    const [finding] = against([PLUGIN]);
    assert.equal(finding?.code, 'argument-unsafe');
    assert.match(finding.message, /^the running nginx was built with --with-cc-opt=-O2 -fplugin/);
    assert.match(finding.fix, /`omit-configure-args: --with-cc-opt`.*`extra-configure-args`/);
  });

  it('is taken from the user, also beside what a target says', () => {
    assert.deepEqual(planned([PLUGIN], { from: 'user' }).args, [PLUGIN]);
    assert.deepEqual(planned(['--with-threads'], { extra: [PLUGIN] }).args, ['--with-threads', PLUGIN]);
  });

  it('is not taken from the user either where it is for a shell', () => {
    for (const [finding] of [against([SHELL], { from: 'user' }), against([], { extra: [SHELL] })]) {
      assert.equal(finding?.code, 'argument-unsafe');
      assert.match(finding.message, /^the arguments have --with-ld-opt=-lm; id: /);
      assert.doesNotMatch(finding.fix, /extra-configure-args/);
    }
  });

  it('is no matter where it is left out', () => {
    assert.deepEqual(planned([PLUGIN, '--with-threads'], { omit: ['--with-cc-opt'] }).args, ['--with-threads']);
  });
});
