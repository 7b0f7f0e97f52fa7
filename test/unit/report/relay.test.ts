import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMask } from '../../../src/report/mask.ts';
import { clip, createHostRelay, harmless, harmlessLines } from '../../../src/report/relay.ts';
import { HOSTILE, obeyedByRunner } from './hostile.ts';

describe('harmlessLines()', () => {
  for (const [name, text] of Object.entries(HOSTILE)) {
    it(`leaves no workflow command in ${name}`, () => {
      assert.equal(obeyedByRunner(text), true, 'the corpus must hold only what a runner would obey');
      assert.deepEqual(harmlessLines(text).filter(obeyedByRunner), []);
    });
  }

  it('cuts lines at LF, CRLF and a lone CR', () => {
    assert.deepEqual(harmlessLines('a\nb\r\nc\rd\n'), ['a', 'b', 'c', 'd']);
  });

  it('keeps empty lines within the text', () => {
    assert.deepEqual(harmlessLines('a\n\nb'), ['a', '', 'b']);
  });

  it('keeps tabs and ordinary text of any script as they are', () => {
    const text = '2026/11/22 [error] 7#7: *1\tÄpfel 日本 ok :: # [x] https://e.example/::a';
    assert.deepEqual(harmlessLines(text), [text]);
  });

  it('strips colours, cursor movements, titles and links of a terminal', () => {
    const text =
      '\u001B[1;31mred\u001B[0m \u009B2Jx \u001B]0;title\u0007y \u001B]8;;http://a\u001B\\z \u001BM\u001B(Bend';
    assert.deepEqual(harmlessLines(text), ['red x y z end']);
  });

  it('strips controls, bidi controls and the line separators of Unicode', () => {
    assert.deepEqual(harmlessLines('a\0b\bc\u007Fd\u0085e\u202Ef\u2066g\u2028h\u2029i\u200Bj'), ['abcdefghij']);
  });

  it('replaces half a surrogate pair', () => {
    assert.deepEqual(harmlessLines('a\uD800b'), ['a\uFFFDb']);
  });

  it('shortens a line of a megabyte within a second and says how much is left out', () => {
    const started = performance.now();
    const [line = ''] = harmlessLines('#'.repeat(1_000_000));
    assert.equal(line, `${'#'.repeat(2000)} … [998000 bytes left out]`);
    assert.ok(performance.now() - started < 1000);
  });

  it('strips a megabyte of unfinished escape sequences within a second', () => {
    const started = performance.now();
    harmlessLines('\u001B]0;x'.repeat(200_000));
    assert.ok(performance.now() - started < 1000);
  });

  it('masks a secret that an escape sequence splits', () => {
    const mask = createMask(['hunter22']);
    assert.deepEqual(harmlessLines('pass hun\u001B[0mter22', { mask }), ['pass ***']);
  });

  it('masks a secret of several lines before it cuts the lines', () => {
    assert.deepEqual(harmlessLines('x one\ntwo y', { mask: createMask(['one\ntwo']) }), ['x *** y']);
  });
});

describe('harmless()', () => {
  it('makes one line of many', () => {
    assert.equal(harmless('a\r\n::error::b\r##[group]c'), 'a ::error::b # #[group]c');
  });
});

describe('clip()', () => {
  it('leaves a text alone that fits exactly', () => {
    assert.equal(clip('äb', 3), 'äb');
  });

  it('never cuts a character in half', () => {
    assert.equal(clip('aää', 4), 'aä … [2 bytes left out]');
  });
});

describe('createHostRelay()', () => {
  it('prefixes every line with the host, itself made harmless', () => {
    const relay = createHostRelay('web1\r::error::x').command();
    assert.deepEqual(relay('one\ntwo'), ['[web1 ::error::x] one', '[web1 ::error::x] two']);
  });

  it('stops a command at its share, says so once and lets the next command speak', () => {
    const host = createHostRelay('w', { limits: { line: 100, command: 20, host: 1000 } });
    const first = host.command();
    assert.deepEqual(first('123456\n123456'), ['[w] 123456', '[w] … more than 20 bytes, the rest is left out']);
    assert.deepEqual(first('more'), []);
    assert.deepEqual(host.command()('again'), ['[w] again']);
  });

  it('stops a host at its share over all its commands', () => {
    const host = createHostRelay('w', { limits: { line: 100, command: 100, host: 20 } });
    assert.deepEqual(host.command()('123456'), ['[w] 123456']);
    assert.deepEqual(host.command()('123456'), ['[w] … more than 20 bytes from this host, the rest is left out']);
    assert.deepEqual(host.command()('123456'), []);
  });
});
