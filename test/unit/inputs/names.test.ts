import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { OUTPUT_NAMES } from '../../../src/report/outputs.ts';
import { INPUT_NAMES, specOf } from '../../../src/inputs/names.ts';

type Entries = Map<string, { description?: string; default?: string }>;
type ReadAction = (text: string) => { inputs: Entries; outputs: Entries };

const SCRIPT = resolve('scripts/readme.mjs');
const MARKERS = 'Before\n\n<!-- inputs -->\n<!-- /inputs -->\n\n<!-- outputs -->\nold\n<!-- /outputs -->\n\nAfter\n';

async function action(): Promise<ReturnType<ReadAction>> {
  const { readAction }: { readAction: ReadAction } = await import(SCRIPT);
  return readAction(readFileSync('action.yml', 'utf8'));
}

describe('action.yml', () => {
  it('has the inputs and defaults of the parser, and no others', async () => {
    const { inputs } = await action();
    assert.deepEqual(
      [...inputs].map(([name, entry]) => [name, entry.default]),
      INPUT_NAMES.map((name) => [name, specOf(name).default]),
    );
  });

  it('describes every input and output', async () => {
    const { inputs, outputs } = await action();
    assert.deepEqual([...outputs.keys()], [...OUTPUT_NAMES]);
    for (const [name, { description = '' }] of [...inputs, ...outputs])
      assert.match(description, /^\S.{20,}[.)]$/, name);
  });
});

describe('scripts/readme.mjs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nhu-readme-'));
  const readme = join(folder, 'README.md');
  after(() => rmSync(folder, { recursive: true }));

  function runScript(...args: string[]): { status: number | null; stderr: string } {
    return spawnSync(process.execPath, [SCRIPT, ...args], { cwd: folder, encoding: 'utf8' });
  }

  it('writes the tables between the markers and leaves the rest alone', () => {
    copyFileSync('action.yml', join(folder, 'action.yml'));
    writeFileSync(readme, MARKERS);
    assert.equal(runScript('--check').status, 1);
    assert.equal(runScript().status, 0);
    const text = readFileSync(readme, 'utf8');
    assert.match(text, /^Before\n\n<!-- inputs -->\n\n\| input \| default \| meaning \|\n\| --- \| --- \| --- \|\n/);
    assert.match(text, /\n\| `port` \| `22` \| SSH port for targets that do not say one\. \|\n/);
    assert.match(text, /\n\| `report` \| Path of the full report, a JSON file\. \|\n/);
    assert.match(text, /<!-- \/outputs -->\n\nAfter\n$/);
    assert.doesNotMatch(text, /\nold\n/);
  });

  it('finds nothing to do the second time', () => {
    assert.deepEqual([runScript('--check').status, runScript().status, runScript('--check').status], [0, 0, 0]);
  });

  it('says where a table has drifted, a marker is gone or a description is missing', () => {
    const good = readFileSync(readme, 'utf8');
    writeFileSync(readme, good.replace('| `22` |', '| `23` |'));
    assert.match(runScript('--check').stderr, /its tables are not what action\.yml says; run "npm run docs"/);
    writeFileSync(readme, good.replace('<!-- /inputs -->', ''));
    assert.match(runScript().stderr, /expected <!-- inputs --> and <!-- \/inputs -->/);
    writeFileSync(readme, good);
    const yaml = readFileSync('action.yml', 'utf8').replace(/ {4}description: SSH port.*\n/, '');
    writeFileSync(join(folder, 'action.yml'), yaml);
    assert.match(runScript('--check').stderr, /inputs: port has no description/);
  });
});
