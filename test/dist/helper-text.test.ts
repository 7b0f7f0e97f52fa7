import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { helperText } from '../../src/target/helper-text.ts';

const run = promisify(execFile);
const cli = join(import.meta.dirname, '../../dist/cli.cjs');

test('`helper` prints the whole helper for people to read, also into a pipe that is read line by line', async () => {
  const words = ['-c', '"$0" "$1" helper | while IFS= read -r line; do printf "%s\\n" "$line"; done', process.execPath, cli];
  const { stdout } = await run('bash', words, { maxBuffer: 1024 * 1024 });
  assert.equal(stdout, `${helperText()}\n`);
});
