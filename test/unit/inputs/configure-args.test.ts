import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { parseConfigureArgs } from '../../../src/inputs/configure-args.ts';
import { refusal, sourceOf } from './builds.ts';

/** The words that a shell makes of one command line. */
function shellWords(text: string): string[] {
  return execFileSync('sh', ['-c', `printf '%s\\n' ${text}`], { encoding: 'utf8' })
    .slice(0, -1)
    .split('\n');
}

const INPUTS = ['configure-args', 'extra-configure-args', 'omit-configure-args'];

describe('arguments of configure', () => {
  const TAKEN: [what: string, text: string, words: string[]][] = [
    ['one beside the other', '--with-a  --with-b\t--c=d', ['--with-a', '--with-b', '--c=d']],
    ['on several lines', '--with-a\r\n\n  --with-b \n--c=d', ['--with-a', '--with-b', '--c=d']],
    ['with comment lines', '# threads\n--with-a\n  # --with-b', ['--with-a']],
    ['with a value in single quotes', `--with-cc-opt='-O2 -g'`, ['--with-cc-opt=-O2 -g']],
    ['with a value in double quotes', '--with-cc-opt="-O2 -g" --x', ['--with-cc-opt=-O2 -g', '--x']],
    ['as a whole in quotes', `'--with-cc-opt=-O2 -g' "--x=y z"`, ['--with-cc-opt=-O2 -g', '--x=y z']],
    ['with quotes of the other kind within', `--a='say "b"' --c="it's"`, ['--a=say "b"', `--c=it's`]],
    ['with quotes within a word', `--a=b' c 'd" e"`, ['--a=b c d e']],
    ['with a blank behind a backslash', String.raw`--a=b\ c`, ['--a=b c']],
    ['with a quote behind a backslash', String.raw`--a=it\'s --b=\"`, [`--a=it's`, '--b="']],
    ['with a backslash in single quotes', String.raw`--a='b\c'`, [String.raw`--a=b\c`]],
    ['with a quote behind a backslash in double quotes', String.raw`--a="say \"b\"" --c`, ['--a=say "b"', '--c']],
    ['with two backslashes in double quotes', String.raw`--a="b\\" --c`, ['--a=b\\', '--c']],
    ['with a backslash in double quotes', String.raw`--a="b\c"`, [String.raw`--a=b\c`]],
    [
      'with lines that a backslash ends',
      '--with-a \\\n  --with-b \\\r\n--c=d\\\ne',
      ['--with-a', '--with-b', '--c=de'],
    ],
    ['with quoted lines that a backslash ends', '--a="-O2 \\\n-g" --b', ['--a=-O2 -g', '--b']],
    ['with a comment at the end', '--with-a --b=c # why', ['--with-a', '--b=c']],
    ['with comments behind them', `--with-a # why\n--with-b\t#it's "b\n--c`, ['--with-a', '--with-b', '--c']],
    ['with comments that end in a backslash', '# why \\\n--with-a # b\\\n--c', ['--with-a', '--c']],
    ['with a comment behind a line that a backslash ends', '--with-a \\\n# why\n--with-b', ['--with-a', '--with-b']],
    ['with a # within a word', `--a=b#c --d=#e --f=''#g`, ['--a=b#c', '--d=#e', '--f=#g']],
    ['with a # in quotes', `--a='# b' --c=" # d"`, ['--a=# b', '--c= # d']],
    ['with a # behind a backslash', String.raw`--a=\# --b`, ['--a=#', '--b']],
    ['with a quoted line that looks like a comment', '--a="b \\\n# c"', ['--a=b # c']],
    ['with an empty value', `--build= --c='' --d`, ['--build=', '--c=', '--d']],
    [
      'with what only a shell would obey',
      '--a=$(id) --b=`id` --c=${HOME};*',
      ['--a=$(id)', '--b=`id`', '--c=${HOME};*'],
    ],
    ['twice', '--add-module=/a --add-module=/a', ['--add-module=/a', '--add-module=/a']],
  ];
  for (const [what, text, words] of TAKEN) {
    it(`are taken ${what}`, async () => {
      for (const name of INPUTS) {
        const { arguments: all, extra, omit } = await sourceOf({ [name]: text });
        assert.deepEqual(
          { 'configure-args': all, 'extra-configure-args': extra, 'omit-configure-args': omit }[name],
          words,
        );
      }
    });
  }

  it('are split where a shell splits them', () => {
    const texts = TAKEN.map(([, text]) => text).filter((text) => !/^#|[$`*]|[^\\]\n/.test(text));
    assert.ok(texts.length > 10);
    for (const text of texts.map((one) => one.replaceAll('\r', ''))) {
      assert.deepEqual(parseConfigureArgs(text), { ok: true, value: shellWords(text), notes: [] });
    }
  });

  it('are split in no time, however long they are', () => {
    for (const part of ['x', String.raw`\x`, String.raw`"\""`, `'`, '# x\n']) {
      const text = `--a="b" ${part.repeat(1_000_000 / part.length)}`;
      const started = performance.now();
      assert.doesNotThrow(() => parseConfigureArgs(text));
      assert.doesNotThrow(() => parseConfigureArgs(`--a="${text}`));
      assert.ok(performance.now() - started < 5000, `a megabyte of ${part}`);
    }
  });

  const REFUSED: [what: string, text: string, why: RegExp][] = [
    ['a word without dashes', '--with-a with-b', /expected arguments such as --with-threads, found "with-b"/],
    ['a value that lost its quotes', '--with-cc-opt=-O2 -g', /found "-g": put a value with blanks in quotes$/],
    ['comments alone', '# --with-a\n  # --with-b', /: expected arguments, found none$/],
    ['a comment sign in quotes', `--with-a '#b'`, /found "#b"/],
    ['a comment sign behind a backslash', String.raw`--with-a \#b`, /found "#b"/],
    ['commas', '--with-a,--with-b', /found "--with-a,--with-b"/],
    ['two dashes alone', '-- --with-a', /found "--"/],
    ['a value without a name', '--=x', /found "--=x"/],
    ['nothing in quotes', `--with-a ''`, /found ""/],
    ['the call itself', './configure --with-a', /found "\.\/configure"/],
    ['another word', 'INHERIT', /found "INHERIT"/],
    ['a single quote without its end', `--a --with-cc-opt='-O2 -g`, /a quote is not closed, .*: "'-O2 -g"$/],
    [
      'a double quote without its end',
      '--with-cc-opt="-O2\n--with-b',
      /a quote is not closed, .*: "\\"-O2\\n--with-b"$/,
    ],
    ['a quote that ends behind a backslash only', String.raw`--a="b\"`, /a quote is not closed, .*: "\\"b\\\\\\""$/],
    ['a backslash at the end', '--with-a \\', /nothing follows a backslash: "\\\\"$/],
    ['a backslash at the end of a word', '--with-a\\\n', /nothing follows a backslash: "\\\\"$/],
    ['a control character', '--prefix=/x\u0007', /expected no invisible characters, found "--prefix=\/x\\u\{7\}"$/],
    [
      'a zero-width character',
      '--prefix=/x\u200B',
      /expected no invisible characters, found "--prefix=\/x\\u\{200b\}"$/,
    ],
    ['a value on two lines', `--a='b\nc'`, /expected no invisible characters, found "--a=b\\nc"$/],
    ['a value with a line like a comment', `--a='b\n# c'`, /expected no invisible characters, found "--a=b\\n# c"$/],
  ];
  for (const [what, text, why] of REFUSED) {
    it(`are not ${what}`, async () => {
      for (const name of INPUTS) {
        const said = await refusal({ targets: 'local', [name]: text });
        assert.ok(said.startsWith(`${name}: `), said);
        assert.match(said, why);
      }
    });
  }

  for (const name of INPUTS.slice(1)) {
    it(`are never inherited as ${name}`, async () => {
      assert.match(await refusal({ [name]: 'inherit' }), /found "inherit"/);
    });
  }
});
