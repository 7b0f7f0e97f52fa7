import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CODES } from '../../../../src/host/preflight/codes.ts';

const ROOT = new URL('../../../../', import.meta.url);

describe('docs/preflight.md', () => {
  it('is what the table of codes says', () => {
    const script = fileURLToPath(new URL('scripts/preflight-page.mjs', ROOT));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { cwd: ROOT, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('has a row for every code', () => {
    const page = readFileSync(new URL('docs/preflight.md', ROOT), 'utf8');
    for (const { code } of Object.values(CODES).flat()) assert.match(page, new RegExp(`^\\| \`${code}\` \\|`, 'm'));
  });
});
