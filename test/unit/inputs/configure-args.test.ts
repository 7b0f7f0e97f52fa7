import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusal, sourceOf } from './builds.ts';

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

  const REFUSED: [what: string, text: string, why: RegExp][] = [
    ['a word without dashes', '--with-a with-b', /expected arguments such as --with-threads, found "with-b"/],
    ['a value that lost its quotes', '--with-cc-opt=-O2 -g', /found "-g": put a value with blanks in quotes$/],
    ['a comment behind arguments', '--with-a # why', /found "#"/],
    ['commas', '--with-a,--with-b', /found "--with-a,--with-b"/],
    ['two dashes alone', '-- --with-a', /found "--"/],
    ['a value without a name', '--=x', /found "--=x"/],
    ['nothing in quotes', `--with-a ''`, /found ""/],
    ['the call itself', './configure --with-a', /found "\.\/configure"/],
    ['another word', 'INHERIT', /found "INHERIT"/],
    ['a single quote without its end', `--a --with-cc-opt='-O2 -g`, /a quote is not closed: "'-O2 -g"$/],
    ['a double quote without its end', '--with-cc-opt="-O2\n--with-b', /a quote is not closed: "\\"-O2\\n--with-b"$/],
    ['a control character', '--prefix=/x\u0007', /expected no invisible characters, found "--prefix=\/x\\u\{7\}"$/],
    [
      'a zero-width character',
      '--prefix=/x\u200B',
      /expected no invisible characters, found "--prefix=\/x\\u\{200b\}"$/,
    ],
    ['a value on two lines', `--a='b\nc'`, /expected no invisible characters, found "--a=b\\nc"$/],
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
