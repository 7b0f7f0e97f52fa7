import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOMS } from '../../../src/target/helper-text.ts';

const FOLDER = join(import.meta.dirname, '../../../src/target/sh');

interface Line {
  where: string;
  text: string;
}

/** The lines of a room that are no comments. */
function linesOf(room: string): Line[] {
  const lines = readFileSync(join(FOLDER, `${room}.sh`), 'utf8').split('\n');
  return lines.flatMap((text, index) => (/^ *(?:#|$)/.test(text) ? [] : [{ where: `${room}.sh:${index + 1}`, text }]));
}

const inside = ROOMS.filter((room) => !room.startsWith('door/')).flatMap(linesOf);

/** Lines in which one of these words stands where a command can. */
function calling(lines: readonly Line[], words: string): Line[] {
  const command = new RegExp(
    String.raw`(?:^ *|[|;&({!] *|\$\(|(?:then|else|do|by_hand|(?:within|aside) \d+) )(?:${words})(?= |$)`,
  );
  return lines.filter(({ text }) => command.test(text));
}

const told = (lines: readonly Line[]) => lines.map(({ where, text }) => `${where}: ${text.trim()}`);

describe("the helper's rooms", () => {
  it('are all put together', () => {
    const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sh'));
    assert.deepEqual(files.map((name) => name.slice(0, -3)).sort(), [...ROOMS].sort());
  });

  it('look at processes and the kernel through the door alone', () => {
    assert.deepEqual(told(inside.filter(({ text }) => /\/proc\/|\/sys\//.test(text))), []);
  });

  it('read nothing of the world but through the door: elsewhere only what is ours, and what is piped in', () => {
    const readers =
      'ls|stat|readlink|cat|head|tail|od|grep|find|df|id|getcap|getent|ldconfig|rpm|apk|uname|getconf|sha256sum|b2sum|cut|sort|cmp|dd|systemctl show';
    // Our own directory; standard input; a filter; and what is written, or read as the user whose it is.
    const ours =
      /"\$(?:D|KEEPING)[/"]|\| *(?:tail|grep|cut)|^ *cat >\/dev\/null$|\bdd (?:bs=|if=\/dev\/null)|hand_writes\b|\$HAND (?:cat|dd|tee)\b/;
    assert.deepEqual(told(calling(inside, readers).filter(({ text }) => !ours.test(text))), []);
  });

  it('open no file for reading but their own', () => {
    const opened = inside.filter(({ text }) => /(?:^|[^<])<"?\$|<"\//.test(text));
    const ours = /<"\$(?:D|KEEPING)\/|<"\$_kept"|<"\$1"$/;
    assert.deepEqual(told(opened.filter(({ text }) => !ours.test(text))), []);
  });

  it('signal nobody but by a number together with the start of that process', () => {
    // What the guard or a rehearsal started itself and waits for, and whoever waits for one that was ended.
    const own = /\bkill "\$(?:SLEEPER|READER)"|kill -CONT "\$_parent"|kill "-\$1" "\$2"/;
    assert.deepEqual(told(calling(inside, 'kill|pkill|killall').filter(({ text }) => !own.test(text))), []);
  });

  it('run what has the rights of others with nothing of ours in its hands, and never without an end', () => {
    const others = ROOMS.flatMap(linesOf).filter(({ text }) => /(?:^|[^"=:])\$(?:HAND|READ_AS|S_as|AS) /.test(text));
    // Alone, for what it says, or in a pipe of its own whose other end is bounded. What `as_master` puts together is run by these.
    const bounded =
      /\baside \d+ |\bheard \d+ \d+ within|within "\$_seconds" \$READ_AS .* \| within|within (?:\d+|"\$1") \$HAND .* \| |within "\$1" \$HAND .* >\/dev\/null 2>&1|then set -- \$S_as/;
    assert.deepEqual(told(others.filter(({ text }) => !bounded.test(text))), []);
  });

  it('remove trees only where they were made: in the state directory, and rooms of ours that were looked at first', () => {
    const trees = inside.filter(({ text }) => /\brm -[a-z]*r/.test(text));
    const ours = /rm -rf "\$D\/|rm -rf "\$KEEPING"|rm -rf "\$_old"|is_own_room "\$1" \|\| by_hand rm -rf "\$1"/;
    assert.deepEqual(told(trees.filter(({ text }) => !ours.test(text))), []);
  });

  it('hand nothing to eval but names of their own with quoted values', () => {
    const evals = ROOMS.flatMap(linesOf).filter(({ text }) => /\beval /.test(text));
    const harmless =
      /eval "(?:_v|_known)=\\\$\{\w+_\$_\w+-?\}"|eval "(?:S|A)_\$_k=(?:''|\\\$VALUE|\\\$\{_field#\*=\})"|eval "INODE_\$_number=\\\$_inode"|eval "\$\(descriptors_of/;
    assert.deepEqual(told(evals.filter(({ text }) => !harmless.test(text))), []);
  });
});
