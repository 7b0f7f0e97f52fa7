import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const ROOT = new URL('../../', import.meta.url);
const WORKFLOWS = new URL('.github/workflows/', ROOT);

const declaredInputs = new Set(keys(section(readFileSync(new URL('action.yml', ROOT), 'utf8'), 'inputs')));

/** The indented lines below a key at the start of a line. */
function section(text: string, key: string): string {
  return new RegExp(String.raw`^${key}:\n((?: .*\n|\n)*)`, 'm').exec(text)?.[1] ?? '';
}

function keys(block: string): string[] {
  return [...block.matchAll(/^ {2}([\w-]+):/gm)].map(([, key = '']) => key);
}

/** Names below `with:` of every step that runs this very action. */
function givenToAction(text: string): string[] {
  const steps = text.split(/^ {6}- /m).filter((step) => /^ {8}uses: \.\//m.test(step));
  return steps.flatMap((step) => [...step.matchAll(/^ {10}([\w-]+):/gm)].map(([, name = '']) => name));
}

describe('the workflows', () => {
  for (const name of readdirSync(WORKFLOWS)) {
    const text = readFileSync(new URL(name, WORKFLOWS), 'utf8').replaceAll(/^\s*#.*\n/gm, '');
    const jobs = section(text, 'jobs');

    it(`${name} pins every foreign action to a commit and names its version`, () => {
      const uses = [...text.matchAll(/uses: (.*)/g)].map(([, used = '']) => used);
      assert.ok(uses.length > 0);
      for (const used of uses) assert.match(used, /^(?:\.\/\S*|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
    });

    it(`${name} limits permissions, time and what a checkout leaves behind`, () => {
      assert.match(text, /^permissions: \{\}$/m);
      assert.equal(
        [...text.matchAll(/persist-credentials: false/g)].length,
        [...text.matchAll(/actions\/checkout@/g)].length,
      );
      assert.equal([...jobs.matchAll(/^ {4}timeout-minutes:/gm)].length, keys(jobs).length);
    });

    it(`${name} pastes no expression into a script`, () => {
      for (const [script] of text.matchAll(/^ {8}run: (?:\|\n(?: {10}.*\n)*|.*\n)/gm))
        assert.doesNotMatch(script, /\$\{\{/);
    });

    it(`${name} gives the action only inputs that it has`, () => {
      assert.deepEqual(
        givenToAction(text).filter((input) => !declaredInputs.has(input)),
        [],
      );
    });
  }

  it('end no upgrade half way', () => {
    for (const name of ['upgrade.yml', 'rollback.yml'])
      assert.match(readFileSync(new URL(name, WORKFLOWS), 'utf8'), /cancel-in-progress: false/);
  });
});
