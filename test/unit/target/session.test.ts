import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { connectLocal } from '../../../src/connection/local.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { HelperRefused } from '../../../src/target/helper-refused.ts';
import { notInstalled } from './shells.ts';
import { openSession, requestLine, type OpenOptions } from '../../../src/target/session.ts';

const local = connectLocal();
const folder = mkdtempSync(join(tmpdir(), 'nhu-session-'));
after(() => {
  local.close();
  rmSync(folder, { recursive: true });
});

const options: OpenOptions = { entry: 'session', sudo: [], elevate: 'never', within: 10_000 };
const within = 10_000;

/** This machine, but with a login that does something before it runs our command. */
function behind(profile: string): Connection {
  return { ...local, start: (command) => local.start(`${profile}\n${command}`) };
}

/** A program that stands where `sudo` would. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function refusal(words: string[], connection = local): Promise<HelperRefused> {
  try {
    const elevate = words.length > 0 ? 'now' : 'never';
    const session = await openSession(connection, { ...options, sudo: words, elevate });
    await session.ready;
    session.close();
  } catch (error) {
    if (error instanceof HelperRefused) return error;
    throw error;
  }
  throw new Error('expected a refusal, found a session');
}

describe('openSession, with a real helper on this machine', () => {
  it('asks one request after another, and ends when it is closed', async () => {
    const session = await openSession(local, options);
    assert.equal((await session.ready).elevated, false);
    assert.equal(session.requests, 0);
    const first = await session.ask('no-such-verb', { within });
    assert.deepEqual([first.id, first.ok, first.reason, first.message], [1, false, 'internal', 'unknown verb']);
    const facts = await session.ask('facts', { fields: { pid_file: join(folder, 'none.pid') }, within });
    assert.deepEqual([facts.id, facts.ok, facts.fields['whyNot']], [2, true, 'not-running']);
    assert.equal(session.requests, 2);
    session.close();
    await assert.rejects(session.ask('look', { within }), /the target's helper ended \(exit code 0\)/);
  });

  it('looks past what a login says first, on both streams', async () => {
    const chatty = behind('echo \'Last login: today\'; echo \'@deadbeef {"v":1,"id":0}\'; echo motd >&2; echo');
    const session = await openSession(chatty, options);
    const answer = await session.ask('no-such-verb', { within });
    assert.equal(answer.message, 'unknown verb');
    session.close();
  });

  it('looks past what a login says without a newline at its end', async () => {
    const session = await openSession(behind("printf '> '"), options);
    session.close();
  });

  it('keeps blanks, quotes and shell characters of a value as they are', async () => {
    const session = await openSession(local, options);
    const hostile = join(folder, `a b'"$(id)\`id\`;*.pid`);
    const facts = await session.ask('facts', { fields: { pid_file: hostile }, within });
    assert.equal(facts.fields['whyNot'], 'not-running');
    assert.doesNotMatch(String(facts.fields['directory']), /uid=/);
    session.close();
  });

  it('is elevated where the words that become root run the helper', async () => {
    const session = await openSession(local, { ...options, sudo: ['env', 'HOME=/'], elevate: 'now' });
    assert.equal((await session.ready).elevated, true);
    session.close();
  });

  it('says sudo-denied, with its complaint, where sudo asks for a password', async () => {
    const sudo = program('sudo', 'echo "sudo: a password is required" >&2; exit 1');
    const { code, message } = await refusal([sudo, '-n']);
    assert.deepEqual([code, message], ['sudo-denied', 'sudo: a password is required']);
  });

  it('says sudo-denied where the login is not in the sudoers file', async () => {
    const sudo = program('sudoers', 'echo "deploy is not in the sudoers file." >&2; exit 1');
    assert.equal((await refusal([sudo])).code, 'sudo-denied');
  });

  it('says shell-denied, with what was said, where the shell runs nothing', async () => {
    const nologin = program('nologin', 'echo "This account is currently not available."; exit 1');
    const { code, message } = await refusal([nologin]);
    assert.equal(code, 'shell-denied');
    assert.match(message, /ended \(exit code 1\) instead of running a command\. This account is currently not/);
  });

  for (const shell of ['bash', 'dash', 'mksh', 'tcsh', 'zsh']) {
    it(
      `says shell-denied at once, and names it, where ${shell} reads standard input`,
      {
        skip: notInstalled(shell),
      },
      async () => {
        const { code, message } = await refusal([], behind(`exec ${shell}`));
        assert.equal(code, 'shell-denied');
        assert.match(message, new RegExp(`the login runs (?:/bin/)?${shell}, which reads its standard input$`));
      },
    );
  }

  it('says shell-denied at once where what is sent comes back', async () => {
    const { code, message } = await refusal([], behind('exec cat'));
    assert.equal(code, 'shell-denied');
    assert.match(message, /the login's program sends back what it is sent$/);
  });

  it('says shell-denied where the shell is killed', async () => {
    const { code, message } = await refusal([program('killed', 'kill -KILL $$')]);
    assert.equal(code, 'shell-denied');
    assert.match(message, /signal SIGKILL|exit code 137/);
  });
});

describe('requestLine', () => {
  it('separates fields with tabs and takes tabs and newlines out of values', () => {
    assert.equal(requestLine(3, 'look', { a: 1, b: 'x y' }), '3\tlook\ta=1\tb=x y\n');
    assert.equal(requestLine(1, 'v', { a: 'x\ty\r\n2\tcommit' }), '1\tv\ta=x y  2 commit\n');
    assert.equal(requestLine(1, 'v', {}), '1\tv\n');
  });
});
