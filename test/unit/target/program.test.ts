import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { helperText } from '../../../src/target/helper-text.ts';
import { helperProgram, startCommand, startOf, unrunnable } from '../../../src/target/program.ts';
import { PREFACE } from '../../../src/target/preface.ts';
import { command } from '../../support/command.ts';
import { notInstalled } from './shells.ts';

const program = helperProgram();
const MARKER = 'c0ffee00';
const sent = unrunnable(program);
const talk = `${PREFACE}${sent}nhu1\t${MARKER}\n1\tno-such-verb\n`;

// fish complains without a home that it can write to.
const home = mkdtempSync(join(tmpdir(), 'nhu-login-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** Every kind of shell that a login may have, as the words before the command line. */
const LOGIN_SHELLS = ['sh', 'bash', 'dash', 'busybox sh', 'mksh', 'ksh', 'zsh', 'csh', 'tcsh', 'fish'];

function quotedWords(line: string): string {
  return /'([^']*)'/.exec(line)?.[1] ?? '';
}

describe('helperProgram', () => {
  it('is ASCII, so that its length is its number of bytes, and ends without a newline', () => {
    assert.equal(Buffer.byteLength(program), program.length);
    assert.match(program, /^#!\/bin\/sh\n[\0-\x7f]*[^\n]$/);
  });

  it('is the text without comments, indentation and empty lines, and a shell can read it', () => {
    const lines = helperText()
      .split('\n')
      .map((line) => line.trimStart());
    assert.deepEqual(
      program.split('\n'),
      lines.filter((line) => line.startsWith('#!') || (line !== '' && !line.startsWith('#'))),
    );
    execFileSync('sh', ['-n'], { input: program });
    const documents = helperText().match(/<<EOF\n[^]*?\nEOF$/gm) ?? [];
    assert.ok(documents.length > 5);
    for (const document of documents) assert.doesNotMatch(document, /^ *#/m);
  });
});

describe('startCommand', () => {
  it('holds neither single quotes nor `!` within its words, for csh and fish', () => {
    const line = startCommand({ entry: 'session', bytes: 70_000, sudo: [] });
    assert.equal(line.split("'").length, 3);
    assert.doesNotMatch(line, /[!\n\\]/);
    assert.match(
      quotedWords(line),
      /^echo nhu1;PATH=[\w:/]+;read -r NHU;read -r NHU;NHU=\$\(\{ dd .*count=70000;\} 2>\/dev\/null\|cut -b2-\);eval "\$NHU"$/,
    );
  });

  it('names the role, and that it is elevated where sudo starts it', () => {
    const plain = startCommand({ entry: 'session', bytes: 10, sudo: [] });
    assert.match(plain, /^\/bin\/sh -c '[^']*' nginx-hot-upgrade session$/);
    const root = startCommand({ entry: 'once', bytes: 10, sudo: ['sudo', '-n', '-u', 'root'] });
    assert.match(root, /^sudo -n -u root \/bin\/sh -c '[^']*' nginx-hot-upgrade once elevated$/);
  });

  it('stays far below what any system takes as one argument, whatever the size of the program', () => {
    assert.ok(startCommand({ entry: 'session', bytes: sent.length, sudo: [] }).length < 1_000);
  });

  for (const shell of LOGIN_SHELLS) {
    it(`is understood by ${shell} as a login shell`, { skip: notInstalled(shell) }, async () => {
      const line = startCommand({ entry: 'session', bytes: sent.length, sudo: [] });
      const { code, stdout, stderr } = await command([...shell.split(' '), '-c', line], {
        input: talk,
        timeout: 10_000,
        env: { ...process.env, HOME: home },
      });
      const [word, ...records] = stdout.trimEnd().split('\n');
      assert.equal(word, 'nhu1');
      assert.equal(records.length, 2, stdout + stderr);
      assert.match(records[0] ?? '', /"id":0,"verb":"hello","ok":true/);
      assert.match(records[1] ?? '', /"id":1,"verb":"no-such-verb","ok":false,"reason":"internal"/);
      assert.deepEqual([code, stderr], [0, '']);
    });
  }

  it('reads the program and not a byte more: what follows belongs to the conversation', async () => {
    const echo = unrunnable('cat');
    const line = startCommand({ entry: 'session', bytes: echo.length, sudo: [] });
    const { stdout } = await command(['sh', '-c', line], { input: `${PREFACE}${echo}the rest\nof it` });
    assert.equal(stdout, 'nhu1\nthe rest\nof it');
  });

  it('reads byte by byte where dd cannot count bytes', async () => {
    const echo = unrunnable('cat');
    const old = 'dd() { case "$*" in *iflag*) return 1;; esac; command dd "$@"; }; ';
    const words = quotedWords(startCommand({ entry: 'session', bytes: echo.length, sudo: [] }));
    const { stdout } = await command(['sh', '-c', old + words], { input: `${PREFACE}${echo}the rest\nof it` });
    assert.equal(stdout, 'nhu1\nthe rest\nof it');
  });
});

describe('unrunnable', () => {
  it('makes a comment of each line, which whoever reads it for us takes off again', () => {
    assert.equal(unrunnable('#!/bin/sh\n\nrm x'), '##!/bin/sh\n#\n#rm x');
  });
});

describe('what is sent before anybody has answered', () => {
  it('holds no line that a login could run which gives each line to a shell of its own', () => {
    for (const elevate of ['asNeeded', 'now', 'never'] as const) {
      const { input } = startOf({ entry: 'session', sudo: ['sudo', '-n'], marker: MARKER, elevate });
      const lines = input.replaceAll(PREFACE, '').split('\n');
      assert.deepEqual(
        lines.filter((line) => !/^#|^nhu1\t|^$/.test(line)),
        [],
      );
    }
  });
});

describe('startOf', () => {
  const given = { entry: 'session' as const, sudo: ['sudo', '-n'], marker: MARKER, pidFile: '/run/a.pid' };

  it('sends the helper and the first line where it is settled whether root is needed', () => {
    for (const [elevate, starts] of [
      ['now', /^sudo -n \/bin\/sh -c '[^']*' nginx-hot-upgrade session elevated$/],
      ['never', /^\/bin\/sh -c '[^']*' nginx-hot-upgrade session$/],
    ] as const) {
      const { command: line, input } = startOf({ ...given, elevate });
      assert.match(line, starts);
      assert.match(line, new RegExp(`count=${sent.length};`));
      assert.equal(input, `${PREFACE}${sent}nhu1\t${MARKER}\n`);
    }
  });

  it('sends the gate first where it is not: the helper comes last, for whoever goes on', () => {
    const { command: line, input } = startOf({ ...given, elevate: 'asNeeded' });
    assert.match(line, /^\/bin\/sh -c '[^']*' nginx-hot-upgrade session$/);
    const length = Number(/count=(\d+)/.exec(line)?.[1]);
    const end = PREFACE.length + length;
    assert.equal(input.slice(0, PREFACE.length), PREFACE);
    assert.match(
      input.slice(PREFACE.length, end),
      /^#\{\n#NHU_START='[^'!]*'\n(?:#[\0-\x7f]*\n)+#eval "\$NHU_START"\n#\}$/,
    );
    assert.equal(
      input.slice(end),
      `nhu1\t${MARKER}\tsudo=sudo -n\tpid_file=/run/a.pid\n${PREFACE}${sent}nhu1\t${MARKER}\n`,
    );
  });

  it('sends a gate that is small beside the helper, and names no pid file where none is given', () => {
    const { command: line, input } = startOf({ entry: 'once', sudo: ['doas'], marker: MARKER, elevate: 'asNeeded' });
    const length = Number(/count=(\d+)/.exec(line)?.[1]);
    assert.ok(length < 4_096, `${length} bytes`);
    const [hello, next] = input.slice(PREFACE.length + length).split('\n', 2);
    assert.deepEqual([hello, next], ['nhu1\tc0ffee00\tsudo=doas', PREFACE.split('\n')[0]]);
  });
});
