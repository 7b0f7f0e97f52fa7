import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldsOf, isObject, parseRecord } from '../../../src/target/answer.ts';

const MARKER = 'c0ffee00';
const line = (record: unknown, marker = MARKER) => `@${marker} ${JSON.stringify(record)}`;
const good = { v: 1, id: 3, verb: 'look', ok: true };

describe('parseRecord', () => {
  it('reads a good answer with all its fields', () => {
    const record = { ...good, accepting: 2, errorLog: ['[alert] a'] };
    assert.deepEqual(parseRecord(line(record), MARKER), {
      kind: 'answer',
      answer: { id: 3, verb: 'look', ok: true, reason: '', message: '', fields: record },
    });
  });

  it('reads a negative answer with its reason and its sentence', () => {
    const read = parseRecord(line({ ...good, ok: false, reason: 'not-ready', message: 'no "worker" accepts' }), MARKER);
    assert.ok(read?.kind === 'answer');
    assert.deepEqual([read.answer.ok, read.answer.reason], [false, 'not-ready']);
    assert.equal(read.answer.message, 'no "worker" accepts');
  });

  it('tells an event from an answer', () => {
    const record = { v: 1, id: 4, verb: 'begin', event: 'exec', up: '12.3' };
    assert.deepEqual(parseRecord(line(record), MARKER), { kind: 'event', id: 4, event: 'exec' });
  });

  const NOISE: [what: string, line: string][] = [
    ['an empty line', ''],
    ['a banner', 'Welcome to Debian GNU/Linux 12'],
    ["another session's record", line(good, '0ddba11')],
    ['a record without a marker', JSON.stringify(good)],
    ['a marker that only begins like ours', line(good, `${MARKER}0`)],
    ['a list', line([good])],
    ['null', line(null)],
  ];
  for (const [what, text] of NOISE) {
    it(`takes ${what} for noise`, () => assert.equal(parseRecord(text, MARKER), undefined));
  }

  const GARBLED: [what: string, line: string][] = [
    ['a line that was cut off', line(good).slice(0, -1)],
    ['a line with something behind the record', `${line(good)} {"v":1}`],
    ['two records on a line', line(good) + line(good)],
    ['a record of another version', line({ ...good, v: 2 })],
    ['a record without version', line({ ...good, v: undefined })],
    ['a record without id', line({ ...good, id: undefined })],
    ['an id as text', line({ ...good, id: '3' })],
    ['an answer without verb', line({ ...good, verb: undefined })],
    ['an answer that is neither good nor bad', line({ ...good, ok: 'true' })],
  ];
  for (const [what, text] of GARBLED) {
    it(`tells ${what} from noise: behind our own marker nothing else will come`, () => {
      assert.equal(parseRecord(text, MARKER)?.kind, 'garbled');
    });
  }

  it('finds a record behind a prompt that ended without a newline', () => {
    const read = parseRecord(`deploy@web1:~$ ${line(good)}`, MARKER);
    assert.equal(read?.kind === 'answer' ? read.answer.id : undefined, 3);
  });

  it('does not let a text within a record pass for a record', () => {
    const inner = line({ ...good, id: 9 });
    const read = parseRecord(line({ ...good, masters: inner, message: `\n${inner}\n` }), MARKER);
    assert.ok(read?.kind === 'answer');
    assert.equal(read.answer.id, 3);
    assert.equal(line({ ...good, masters: `\n${inner}` }).split('\n').length, 1);
  });

  it('keeps a reason or sentence that is no text out', () => {
    const read = parseRecord(line({ ...good, ok: false, reason: 7, message: null }), MARKER);
    assert.ok(read?.kind === 'answer');
    assert.deepEqual([read.answer.reason, read.answer.message], ['', '']);
  });
});

describe('fieldsOf', () => {
  const read = fieldsOf({ s: 'a', n: 1, b: false, l: ['x'], o: { p: 1 }, os: [{ p: 1 }], nil: null }, 'commit');

  it('gives what is there', () => {
    assert.deepEqual([read.text('s'), read.number('n'), read.flag('b'), read.lines('l')], ['a', 1, false, ['x']]);
    assert.deepEqual([read.object('o'), read.objects('os')], [{ p: 1 }, [{ p: 1 }]]);
    assert.deepEqual([read.textOrNull('s'), read.numberOrNull('n')], ['a', 1]);
  });

  it('takes what is missing for nothing, where nothing may be there', () => {
    for (const name of ['nil', 'absent']) {
      assert.deepEqual([read.textOrNull(name), read.numberOrNull(name), read.object(name)], [null, null, null]);
      assert.deepEqual([read.lines(name), read.objects(name)], [[], []]);
    }
  });

  const WRONG: [expected: string, ask: () => unknown, found: RegExp][] = [
    ['text', () => read.text('n'), /^commit: expected n to be text, found 1$/],
    ['text, and it is missing', () => read.text('absent'), /expected absent to be text, found undefined$/],
    ['text or null', () => read.textOrNull('b'), /expected b to be text or null, found false$/],
    ['a number', () => read.number('s'), /expected s to be a number, found "a"$/],
    ['a number or null', () => read.numberOrNull('s'), /expected s to be a number or null/],
    ['a flag', () => read.flag('n'), /expected n to be true or false, found 1$/],
    ['lines', () => read.lines('os'), /expected os to be lines, found \[\{"p":1\}\]$/],
    ['an object', () => read.object('l'), /expected l to be an object or null, found \["x"\]$/],
    ['objects', () => read.objects('l'), /expected l to be objects/],
  ];
  for (const [expected, ask, found] of WRONG) {
    it(`names the field, what was expected and what was found, where it is to be ${expected}`, () => {
      assert.throws(ask, (error) => error instanceof TypeError && found.test(error.message));
    });
  }

  it('shows no more than a glimpse of what was found', () => {
    const long = fieldsOf({ s: ['x'.repeat(10_000)] }, 'facts');
    assert.throws(
      () => long.text('s'),
      ({ message }: Error) => message.length < 150,
    );
  });
});

describe('isObject', () => {
  it('takes neither null nor a list for an object', () => {
    assert.deepEqual([{}, null, [], 'a'].map(isObject), [true, false, false, false]);
  });
});
