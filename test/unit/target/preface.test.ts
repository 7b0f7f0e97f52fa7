import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { complaining, PREFACE, signs } from '../../../src/target/preface.ts';
import { startOf } from '../../../src/target/program.ts';
import { notInstalled } from './shells.ts';

const folder = mkdtempSync(join(tmpdir(), 'nhu-preface-'));
after(() => rmSync(folder, { recursive: true }));

/** Line-reading shells, and how each names itself. */
const READERS: [words: string, name: string][] = [
  ['sh', 'sh'],
  ['bash', 'bash'],
  ['bash --posix', 'bash'],
  ['bash -v', 'bash'],
  ['bash -x', 'bash'],
  ['bash -u -e', 'bash'],
  ['rbash', 'rbash'],
  ['dash', 'dash'],
  ['mksh', 'mksh'],
  ['busybox sh', 'sh'],
  ['zsh', 'zsh'],
  ['zsh -i', 'zsh'],
  ['csh', '/bin/tcsh'],
  ['tcsh', '/bin/tcsh'],
  ['tcsh -f', '/bin/tcsh'],
];

interface Reading {
  code: number | null;
  output: string;
}

/** Lets a shell read what we send; its input stays open, unless it waits for the end of it. */
async function readBy(words: string, input: string, { ends = false } = {}): Promise<Reading> {
  const env = { ...process.env, HOME: folder };
  // Node's own pipes are sockets, from which fish does not read.
  const child = spawn('/bin/sh', ['-c', ends ? `cat | ${words}` : `exec ${words}`], {
    cwd: folder,
    env,
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {}); // It need not read all of it.
  child.stdin.write(input);
  if (ends) child.stdin.end();
  const [[code], ...said] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { code: code as number | null, output: said.join('') };
}

/** What our runner would make of this output. */
function toldBy(output: string) {
  const read = signs();
  return output.split('\n').map(read);
}

/** All that is sent, with a line behind the preface that leaves a file where it is run. */
function canary(name: string): { file: string; inputs: string[] } {
  const file = join(folder, name.replaceAll(/\W/g, '-'));
  const { input } = startOf({ entry: 'session', elevate: 'asNeeded', sudo: ['sudo', '-n'], marker: 'c0ffee00' });
  const plain = startOf({ entry: 'session', elevate: 'never', sudo: [], marker: 'c0ffee00' }).input;
  const inputs = [input, plain].map((all) => all.replace(PREFACE, `${PREFACE}/bin/touch ${file}\n`));
  return { file, inputs: [...inputs, `${PREFACE}/bin/touch ${file}\n`] };
}

describe('the preface', () => {
  for (const [words, name] of READERS) {
    it(
      `has ${words}, which reads it, say who it is and end before anything else is run`,
      {
        skip: notInstalled(words),
      },
      async () => {
        const { file, inputs } = canary(words);
        for (const input of inputs) {
          const { code, output } = await readBy(words, input);
          const told = toldBy(output);
          assert.equal(code, 64, output);
          assert.deepEqual(
            told.flatMap(({ reader = [] }) => reader),
            [name],
            output,
          );
          assert.deepEqual(
            told.filter(({ echoed, word }) => echoed ?? word),
            [],
            output,
          );
        }
        assert.equal(existsSync(file), false, 'the line behind it was run');
      },
    );
  }

  it('keeps fish, which reads all before it runs any, from running any', { skip: notInstalled('fish') }, async () => {
    const { file, inputs } = canary('fish');
    for (const input of inputs) {
      const { code, output } = await readBy('fish', input, { ends: true });
      assert.notEqual(code, 0);
      assert.equal(complaining(output), 'fish', output);
    }
    assert.equal(existsSync(file), false, 'the line behind it was run');
  });

  it('is known again where it comes back', async () => {
    const { output } = await readBy('cat', PREFACE, { ends: true });
    assert.deepEqual(
      toldBy(output).map(({ echoed }) => echoed),
      [undefined, true, undefined],
    );
  });
});

describe('signs', () => {
  it('tell the word behind what a login wrote without a newline, and what of it is noise', () => {
    const read = signs();
    assert.deepEqual(read('nhu1'), { noise: '', word: true });
    assert.deepEqual(read('> nhu1'), { noise: '> ', word: true });
  });

  it('take a line of chatter, and a command line that is told, for noise', () => {
    const read = signs();
    for (const line of ['', 'Last login: today', "/bin/sh -c 'echo nhu1;PATH=/bin'", 'nhu1\tc0ffee00', 'exit 64']) {
      assert.deepEqual(read(line), { noise: line });
    }
  });
});

describe('complaining', () => {
  it('finds the shell that names itself, with or without a path, and nobody else', () => {
    assert.equal(complaining('fish: $? is not the exit status.'), 'fish');
    assert.equal(complaining('motd\n/usr/bin/fish: expected a command'), 'fish');
    assert.equal(complaining('-ksh: syntax error'), 'ksh');
    assert.equal(complaining('warning: fish: no'), undefined);
    assert.equal(complaining('  File "<stdin>", line 1'), undefined);
  });
});
