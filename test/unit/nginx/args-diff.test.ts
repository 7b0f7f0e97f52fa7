import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diffArgs, diffLines } from '../../../src/nginx/args-diff.ts';

const RUNNING = ['--prefix=/etc/nginx', '--with-cc-opt=-O2 -g', '--add-module=/build/echo', '--with-threads'];

describe('diffArgs', () => {
  it('finds nothing in the same arguments, whatever their order', () => {
    assert.deepEqual(diffArgs(RUNNING, RUNNING.toReversed()), { rows: [], same: 4 });
  });

  it('puts the two values of one name into a row, and what only one side has beside nothing', () => {
    const next = ['--prefix=/etc/nginx', '--with-cc-opt=-O2 -g', '--add-module=modules/echo', '--with-stream'];
    assert.deepEqual(diffArgs(RUNNING, next), {
      same: 2,
      rows: [
        { name: '--add-module', running: '--add-module=/build/echo', next: '--add-module=modules/echo' },
        { name: '--with-threads', running: '--with-threads', next: null },
        { name: '--with-stream', running: null, next: '--with-stream' },
      ],
    });
  });

  it('counts an argument as often as it is given', () => {
    assert.deepEqual(diffArgs(['--a', '--a'], ['--a']).rows, [{ name: '--a', running: '--a', next: null }]);
  });
});

describe('diffLines', () => {
  it('says in one line that nothing differs', () => {
    assert.deepEqual(diffLines({ rows: [], same: 31 }), ['configure arguments: all 31 are the same']);
  });

  it('writes the arguments as nginx prints them', () => {
    const lines = diffLines(diffArgs(RUNNING, ['--prefix=/etc/nginx']));
    assert.match(lines[0] ?? '', /1 the same, 3 different/);
    assert.equal(lines[1], "  --with-cc-opt='-O2 -g' → –");
  });
});
