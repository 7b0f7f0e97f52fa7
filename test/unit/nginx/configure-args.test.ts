import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printArgs, readPrintedArgs, valueIn } from '../../../src/nginx/configure-args.ts';

describe('readPrintedArgs', () => {
  const CASES: [what: string, text: string, words: string[]][] = [
    [
      'keeps blanks within single quotes',
      `--with-cc-opt='-g -O2 -fPIC' --with-ld-opt='-Wl,-z,now -pie'`,
      ['--with-cc-opt=-g -O2 -fPIC', '--with-ld-opt=-Wl,-z,now -pie'],
    ],
    [
      'keeps blanks within double quotes, and what is escaped there',
      String.raw`--build="a \"b\" c" x`,
      ['--build=a "b" c', 'x'],
    ],
    ['joins quoted parts of one word', `--a='b c'd"e f"`, ['--a=b cde f']],
    ['reads a quote within single quotes as a shell would', String.raw`--a='it'\''s' b`, [`--a=it's`, 'b']],
    ['takes a backslash and the next character for that character', String.raw`--a=b\ c`, ['--a=b c']],
    ['keeps an empty value', `--a='' --b=`, ['--a=', '--b=']],
    [
      'keeps quotes within a value as nginx prints them, which escapes nothing',
      `--with-cc-opt='-O2 -DA='b c' -g' --with-ld-opt=-Wl,-z,now`,
      [`--with-cc-opt=-O2 -DA='b c' -g`, '--with-ld-opt=-Wl,-z,now'],
    ],
    [
      'keeps options that begin with two dashes within a value',
      `--with-cc-opt='-O2 --param=a=4' --b`,
      ['--with-cc-opt=-O2 --param=a=4', '--b'],
    ],
    ['finds nothing in blanks', ' \t\n', []],
  ];
  for (const [what, text, words] of CASES) it(what, () => assert.deepEqual(readPrintedArgs(text), words));
});

describe('printArgs', () => {
  it('writes what it reads, quotes only around values with blanks', () => {
    const text = `--prefix=/etc/nginx --with-cc-opt='-g -O2' --with-threads --build= --with-ld-opt=-pie`;
    assert.equal(printArgs(readPrintedArgs(text)), text);
  });
});

describe('valueIn', () => {
  it('gives the last value of a name, and only of exactly that name', () => {
    const args = ['--prefix=/a', '--prefix-x=/b', '--prefix=/c', '--with-pcre'];
    assert.equal(valueIn(args, '--prefix'), '/c');
    assert.equal(valueIn(args, '--pre'), undefined);
    assert.equal(valueIn(args, '--with-pcre'), undefined);
  });
});
