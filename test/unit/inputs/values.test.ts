import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBoolean } from '../../../src/inputs/boolean.ts';
import { parseSha256 } from '../../../src/inputs/digest.ts';
import { duration, formatDuration } from '../../../src/inputs/duration.ts';
import { oneOf } from '../../../src/inputs/enum.ts';
import { splitList } from '../../../src/inputs/list.ts';
import { nearest } from '../../../src/inputs/nearest.ts';
import { parsePort, parseShare, wholeNumber } from '../../../src/inputs/number.ts';
import { parseTargetPath } from '../../../src/inputs/path.ts';
import { show } from '../../../src/inputs/show.ts';
import { parseSudo } from '../../../src/inputs/sudo.ts';
import { parseUser } from '../../../src/inputs/user.ts';
import { parseVersion } from '../../../src/inputs/version.ts';
import { said } from './support.ts';

describe('numbers', () => {
  it('takes plain decimal ports', () => assert.deepEqual(parsePort('22'), { ok: true, value: 22, notes: [] }));

  for (const port of ['0', '65536', '-1', '22.5', '1e2', '0x16', '٢٢', '22abc', '022', '']) {
    it(`refuses a port of "${port}" and says what is right`, () => {
      assert.match(said(parsePort(port)), /^expected a whole number from 1 to 65535, found "/);
    });
  }

  for (const count of ['NaN', 'Infinity', '1_000', '9007199254740993', '-0', '+5', ' 5']) {
    it(`refuses "${count}" as a count`, () => {
      assert.match(said(wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER })(count)), /expected a whole number/);
    });
  }

  for (const share of ['1', '500', '1%', '33.3%', '100%']) {
    it(`takes ${share} as a share of the fleet`, () => assert.equal(said(parseShare(share)), ''));
  }

  for (const share of ['0', '150%', '%', '0%', '-1', '1.5', '10 %']) {
    it(`refuses "${share}" as a share of the fleet`, () => assert.match(said(parseShare(share)), /expected a number/));
  }
});

describe('durations', () => {
  const cases: [string, number][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['0s', 0],
    ['168h', 604_800_000],
  ];
  for (const [text, value] of cases) {
    it(`reads ${text}`, () => assert.deepEqual(duration({ min: 0 })(text), { ok: true, value, notes: [] }));
  }

  const refused: [string, RegExp][] = [
    ['30', /needs a unit.*found "30"/],
    ['30S', /lower case/],
    ['1h30m', /90m, not 1h30m/],
    ['-5s', /expected a number and a unit/],
    ['∞', /expected a number and a unit/],
    ['999999d', /expected a number and a unit/],
    ['169h', /at most 168h/],
    ['999999999999h', /at most 168h/],
    ['5 s', /expected a number and a unit/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${text}`, () => assert.match(said(duration({ min: 0 })(text)), why));
  }

  it('refuses what is below its minimum and names that', () => {
    assert.equal(said(duration({ min: 5000 })('4999ms')), 'must be at least 5s, found "4999ms"');
  });

  it('is written in the shortest exact form', () => {
    assert.deepEqual([0, 1, 1500, 90_000, 120_000, 7_200_000].map(formatDuration), [
      '0ms',
      '1ms',
      '1500ms',
      '90s',
      '2m',
      '2h',
    ]);
  });
});

describe('words', () => {
  for (const [text, value] of [
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['false', false],
    ['False', false],
    ['FALSE', false],
  ] as const) {
    it(`takes ${text} as a boolean`, () => assert.deepEqual(parseBoolean(text), { ok: true, value, notes: [] }));
  }

  for (const text of ['no', '0', 'off', '1', 'yes', 'tRUE', '"false"', 'constructor', '__proto__']) {
    it(`refuses ${text} as a boolean`, () =>
      assert.match(said(parseBoolean(text)), /^expected true or false, found "/));
  }

  it('names the nearest word where none fits', () => {
    const parse = oneOf(['rolling', 'parallel']);
    assert.equal(said(parse('roling')), 'expected rolling, parallel, found "roling". Did you mean "rolling"?');
    assert.match(said(parse('Rolling')), /Did you mean "rolling"\?/);
    assert.doesNotMatch(said(parse('xyz')), /Did you mean/);
  });

  it('finds the nearest name through swapped letters and underscores, and none for something else', () => {
    const names = ['health-url', 'health-body', 'key', 'keep'];
    assert.equal(nearest('helath-url', names), 'health-url');
    assert.equal(nearest('health_url', names), 'health-url');
    assert.equal(nearest('HEALTH-BODY', names), 'health-body');
    assert.equal(nearest('completely-different', names), undefined);
    assert.equal(nearest('x'.repeat(100_000), names), undefined);
  });

  it('splits lists at newlines and commas and leaves comments out', () => {
    assert.deepEqual(splitList(' a,b ,\r\n\n# c,d\n\te\n'), ['a', 'b', 'e']);
  });

  for (const user of ['root', 'nobody', '_www', 'svc-deploy', 'me.too', 'machine$', 'DOMAIN\\me', 'me@realm']) {
    it(`takes the login name ${user}`, () => assert.equal(said(parseUser(user)), ''));
  }

  for (const user of ['a b', '$(id)', '-l', 'a;b', 'ü', 'x'.repeat(300)]) {
    it(`refuses the login name ${user.slice(0, 20)}`, () =>
      assert.match(said(parseUser(user)), /expected a login name/));
  }

  it('splits sudo into words and refuses whatever only a shell would understand', () => {
    assert.deepEqual(parseSudo('sudo  -n -u root'), { ok: true, value: ['sudo', '-n', '-u', 'root'], notes: [] });
    assert.match(said(parseSudo('sudo -n; id')), /found "-n;"/);
    assert.match(said(parseSudo('sudo "x"')), /expected plain words/);
    assert.match(said(parseSudo('-n sudo')), /expected a command first/);
  });
});

describe('digests', () => {
  const hex = 'aB'.repeat(32);

  for (const text of [hex, hex.toLowerCase(), `sha256:${hex}`, `SHA256:${hex}`]) {
    it(`normalises ${text.slice(0, 12)}…`, () => {
      assert.deepEqual(parseSha256(text), { ok: true, value: hex.toLowerCase(), notes: [] });
    });
  }

  const refused: [string, RegExp][] = [
    ['a'.repeat(63), /found 63 digits/],
    ['a'.repeat(65), /found 65 digits/],
    ['a'.repeat(128), /SHA-512/],
    ['a'.repeat(40), /SHA-1/],
    ['0'.repeat(64), /placeholder/],
    [`${hex}  nginx`, /leave the file name out/],
    ['z'.repeat(64), /expected the 64 hexadecimal digits/],
    [`${hex.slice(0, 32)} ${hex.slice(32)}`, /expected the 64 hexadecimal digits/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${text.slice(0, 12)}… of ${text.length} characters`, () => assert.match(said(parseSha256(text)), why));
  }
});

describe('paths on a target', () => {
  const literal = [
    '/run/nginx.pid',
    '/srv/my site/a b.pid',
    `/srv/it's "x".pid`,
    '/srv/$HOME.pid',
    '/srv/*?.pid',
    '/-x',
  ];
  for (const path of literal) {
    it(`takes ${path} literally`, () => assert.deepEqual(parseTargetPath(path), { ok: true, value: path, notes: [] }));
  }

  it('drops double slashes and dots', () => {
    assert.deepEqual(parseTargetPath('//run/./nginx//a.pid'), { ok: true, value: '/run/nginx/a.pid', notes: [] });
  });

  const refused: [string, RegExp][] = [
    ['nginx.pid', /absolute path/],
    ['./nginx.pid', /absolute path/],
    ['-rf', /absolute path/],
    ['~/nginx.pid', /not expanded/],
    ['/run/../nginx.pid', /must not contain "\.\."/],
    ['/run/nginx/', /found the directory/],
    ['/run/a\nb', /control or invisible/],
    ['/run/a\0b', /control or invisible/],
    [`/${'x'.repeat(5000)}`, /at most 4096 bytes, found 5001/],
  ];
  for (const [path, why] of refused) {
    it(`refuses ${JSON.stringify(path.slice(0, 30))}`, () => assert.match(said(parseTargetPath(path)), why));
  }
});

describe('nginx versions', () => {
  for (const version of ['1.30.4', '1.30', 'stable', 'mainline', 'v1.30.4', '1.999.0']) {
    it(`takes ${version}`, () => assert.equal(said(parseVersion(version)), ''));
  }

  for (const [version, why] of [
    ['latest', /mainline/],
    ['1.30.4-1~bookworm', /distribution/],
    ['1.30.4;id', /expected a version/],
    ['01.30.4', /leading zero/],
    ['1', /expected a version/],
    ['mainlin', /Did you mean "mainline"/],
  ] as const) {
    it(`refuses ${version}`, () => assert.match(said(parseVersion(version)), why));
  }
});

describe('values in messages', () => {
  const cases: [string, string][] = [
    ['plain', '"plain"'],
    ['a\nb\tc\r', String.raw`"a\nb\tc\r"`],
    ['\u001B[31mred', String.raw`"\u{1b}[31mred"`],
    ['web\u202Egnp', String.raw`"web\u{202e}gnp"`],
    ['a\u200Bb\u2028', String.raw`"a\u{200b}b\u{2028}"`],
    ['\uD800', String.raw`"\u{d800}"`],
    ['x ##[group]', String.raw`"x #\u{23}[group]"`],
    ['say "hi"', String.raw`"say \"hi\""`],
    ['🙂', '"🙂"'],
    ['user:pass@host', '"***@host"'],
    ['https://me:secret@host/', '"https://***@host/"'],
    ['https://token@host/', '"https://***@host/"'],
    ['x=http://token@host/ y', '"x=http://***@host/ y"'],
    ['a\nftp://token@host/', String.raw`"a\nftp://***@host/"`],
    ['me@host', '"me@host"'],
    ['ssh://me@host:22', '"ssh://me@host:22"'],
    ['ssh://me:pass@host:22', '"ssh://***@host:22"'],
    ['me:pa@ss@host', '"***@host"'],
    ['-----BEGIN RSA PRIVATE KEY-----', '(a private key, not shown)'],
  ];
  for (const [value, shown] of cases) {
    it(`shows ${JSON.stringify(value)} as ${shown}`, () => assert.equal(show(value), shown));
  }

  it('are cut to 80 characters, also where escaping makes them longer', () => {
    assert.equal(show('x'.repeat(1_000_000)), `"${'x'.repeat(80)}…"`);
    assert.ok(show('\n'.repeat(1000)).length <= 83);
  });
});
