import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseFacts } from '../../src/target/facts.ts';
import { mustRun } from '../support/command.ts';
import { okay, startInstance } from '../support/helper-instance.ts';
import { programThat } from '../support/helper-program.ts';
import { noShell, type Shell, SHELLS } from '../support/helper-session.ts';
import { ownTempDir } from '../support/temp-dir.ts';

/** Texts, and what is left of them in lines for people: control characters become blanks. */
const TEXTS: [text: string, seen: string][] = [
  ['plain', 'plain'],
  ['', ''],
  ['"quoted" and \\back\\slashed\\', '"quoted" and \\back\\slashed\\'],
  ['a\tb\u0001c\u001bd\u007fe', 'a b c d e'],
  ['Grüße, 世界 🦎', 'Grüße, 世界 🦎'],
  ['%s %d %% \\n \\u0041 \\c', '%s %d %% \\n \\u0041 \\c'],
  ['$HOME `id` $(id) * ? [a-z] ~ # ; & | < >', '$HOME `id` $(id) * ? [a-z] ~ # ; & | < >'],
  ["it's -n -e --", "it's -n -e --"],
  ['-n', '-n'],
  ['  blanks  ', '  blanks  '],
  ['100%0a%25', '100%0a%25'],
];

/** What only a value may hold that is told whole. */
const NAMES = ['a\nwork=/srv/w\nbin=/usr/bin/date', '\n', 'ends\n\n', '\r\n\t|%7c', '@marker {"ok":true}\n'];

const AWKS = ['awk', 'mawk', 'busybox awk', 'gawk', 'original-awk'];

for (const shell of SHELLS) {
  describe(`JSON written under ${shell}`, { skip: noShell(shell) }, () => {
    test('holds any text', async () => {
      const body = 'for _file in "$D"/text*; do json_text "$(cat "$_file")"; printf "%s\\n" "$J"; done';
      const lines = (await run(body, shell)).trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => JSON.parse(line) as unknown),
        TEXTS.map(([text]) => text),
      );
    });

    test('holds a name of several lines as the one value that it is', async () => {
      const lines = (await run(told(NAMES, 'json_text "$_text"; printf "%s\\n" "$J"'), shell)).trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => JSON.parse(line) as unknown),
        NAMES,
      );
    });

    test('is no more than one line of the books, and comes back from there', async () => {
      const all = [...NAMES, ...TEXTS.map(([text]) => text)];
      const body = told(all, 'encode "$_text"; decode "$CODE"; json_text "$VALUE"; printf "%s\\t%s\\n" "$CODE" "$J"');
      const lines = (await run(body, shell)).trimEnd().split('\n');
      assert.equal(lines.length, all.length);
      for (const [index, line] of lines.entries()) {
        const [code = '', back = ''] = line.split('\t');
        assert.equal(JSON.parse(back), all[index]);
        assert.doesNotMatch(code, /[|\p{Cc}]/u);
      }
    });

    test('holds any lines', async () => {
      const body = 'json_lines "$(cat "$D"/text*)"; printf "%s\\n" "$J"; json_lines ""; printf "%s\\n" "$J"';
      const [lines = '', none = ''] = (await run(body, shell)).split('\n');
      assert.deepEqual(JSON.parse(lines), expectedLines());
      assert.deepEqual(JSON.parse(none), []);
    });

    test('holds words of a run as they were said, in facts, lock and journal', async () => {
      const who = `O'Brien "x" \\ $(id) \`id\` ü %s = a=b`;
      await using instance = await startInstance();
      const helper = await instance.helper({ shell });
      await instance.stage(helper, { fields: { who } });
      const { ours } = parseFacts(okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile })).fields);
      assert.deepEqual([ours.lock?.get('who'), ours.upgrade?.who], [who, who]);
      const [line = ''] = readFileSync(join(instance.directory, 'journal.jsonl'), 'utf8').split('\n');
      assert.equal((JSON.parse(line) as { who: string }).who, who);
      await instance.unstage(helper);
    });
  });
}

for (const awk of AWKS) {
  const path = (await mustRun(['sh', '-c', `command -v ${awk.split(' ', 1)[0]} || :`])).trim();
  test(`${awk} writes lines as JSON`, { skip: path === '' && `${awk} is not installed` }, async () => {
    const command = [path, ...awk.split(' ').slice(1)].join(' ');
    const body = `awk() { ${command} "$@"; }\njson_lines "$(cat "$D"/text*)"; printf "%s\\n" "$J"`;
    assert.deepEqual(JSON.parse(await run(body, 'dash')), expectedLines());
  });
}

test('lines are cut at 500 characters and 200 lines', async () => {
  const body =
    'json_lines "$(i=0; while [ $i -lt 300 ]; do i=$((i + 1)); printf "%s\\"%0600d\\n" $i 0; done)"; printf "%s\\n" "$J"';
  const lines = JSON.parse(await run(body, 'dash')) as string[];
  assert.equal(lines.length, 200);
  assert.deepEqual([...new Set(lines.map((line) => line.length))], [500]);
});

function expectedLines(): string[] {
  return TEXTS.map(([, seen]) => seen).filter((line) => line !== '');
}

/** Does `what` for every text, in `_text`. */
function told(texts: string[], what: string): string {
  const word = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return texts.map((text) => `_text=${word(text)}\n${what}`).join('\n');
}

/** Runs `body` with the helper's functions; D holds TEXTS, one a file. */
async function run(body: string, shell: Shell): Promise<string> {
  const dir = ownTempDir();
  for (const [index, [text]] of TEXTS.entries()) {
    writeFileSync(join(dir, `text${String(index).padStart(2, '0')}`), `${text}\n`);
  }
  const file = join(dir, 'program.sh');
  writeFileSync(file, programThat(`D='${dir}'\n${body}`));
  return mustRun([...shell.split(' '), file], { timeout: 30_000 });
}
