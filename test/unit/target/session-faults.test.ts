import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { UpgradeError } from '../../../src/errors.ts';
import { HelperRefused } from '../../../src/target/helper-refused.ts';
import { openSession, type OpenOptions, type Session } from '../../../src/target/session.ts';
import { type FarEnd, farEnd } from './scripted-channel.ts';

// Far above what any of these takes: a test that gets there fails.
const within = 20_000;
const options: OpenOptions = {
  entry: 'session',
  sudo: ['sudo', '-n'],
  elevate: 'asNeeded',
  pidFile: '/run/a.pid',
  within,
};
const hello = { id: 0, verb: 'hello', ok: true };
const elevating = { id: 0, event: 'elevating' };

async function opened(far: FarEnd): Promise<Session> {
  const session = await openSession(far.connection, options);
  await far.heard();
  far.says(hello);
  await session.ready;
  return session;
}

/** What the first record says, or why there is none. */
async function firstOf(far: FarEnd, how: OpenOptions = options): Promise<{ elevated: boolean }> {
  return (await openSession(far.connection, how)).ready;
}

function fails(reason: string, says: RegExp) {
  return (error: unknown) => error instanceof UpgradeError && error.reason === reason && says.test(error.message);
}

function refuses(code: HelperRefused['code'], says: RegExp) {
  return (error: unknown) => error instanceof HelperRefused && error.code === code && says.test(error.message);
}

describe('openSession', () => {
  it('tells the gate which instance is meant and how to become root, and starts it without root', async () => {
    const far = farEnd();
    const opening = firstOf(far);
    assert.match(await far.heard(), /^nhu1\t[0-9a-f]{16}\tsudo=sudo -n\tpid_file=\/run\/a\.pid$/);
    assert.match(far.commands[0] ?? '', /^\/bin\/sh .* nginx-hot-upgrade session$/);
    far.says({ ...hello, elevated: true });
    assert.equal((await opening).elevated, true);
  });

  it('starts as root at once where it is known that this is needed', async () => {
    const far = farEnd();
    const opening = firstOf(far, { ...options, entry: 'once', elevate: 'now' });
    assert.doesNotMatch(await far.heard(), /sudo=/);
    assert.match(far.commands[0] ?? '', /^sudo -n \/bin\/sh .* nginx-hot-upgrade once elevated$/);
    far.says({ ...hello, elevated: true });
    assert.equal((await opening).elevated, true);
  });

  it('starts without root, and names no way to it, where that is never wanted', async () => {
    const far = farEnd();
    const opening = firstOf(far, { ...options, elevate: 'never' });
    assert.match(await far.heard(), /^nhu1\t[0-9a-f]{16}$/);
    assert.match(far.commands[0] ?? '', /^\/bin\/sh .* nginx-hot-upgrade session$/);
    far.says({ ...hello, elevated: false });
    assert.equal((await opening).elevated, false);
  });

  it('takes the end after `elevating` for a refusal of sudo, in its own words', async () => {
    const far = farEnd();
    const opening = firstOf(far);
    await far.heard();
    far.says(elevating);
    far.complains('doas: Operation not permitted\n');
    far.ends({ kind: 'exit', code: 1 });
    await assert.rejects(opening, refuses('sudo-denied', /^doas: Operation not permitted$/));
    assert.equal(far.aborted(), true, 'nothing is left open');
  });

  it('takes it for one where sudo ends without a word, too', async () => {
    const far = farEnd();
    const opening = firstOf(far);
    await far.heard();
    far.says(elevating);
    far.ends({ kind: 'exit', code: 1 });
    await assert.rejects(opening, refuses('sudo-denied', /^exit code 1$/));
  });

  it('takes the end before `elevating` for a refusal of the shell', async () => {
    const far = farEnd();
    const opening = firstOf(far);
    await far.heard();
    far.complains('Your account has expired.\n');
    far.ends({ kind: 'exit', code: 1 });
    await assert.rejects(opening, refuses('shell-denied', /\(exit code 1\).* Your account has expired\.$/));
  });

  it('is no refusal of sudo where the link breaks while it is asked', async () => {
    const far = farEnd();
    const opening = firstOf(far);
    await far.heard();
    far.says(elevating);
    far.ends({ kind: 'lost', cause: 'read ECONNRESET' });
    await assert.rejects(opening, fails('connection-lost', /ECONNRESET/));
  });

  it('rejects as internal where the helper refuses for another reason', async () => {
    const far = farEnd();
    const opening = firstOf(far);
    await far.heard();
    far.says({ ...hello, ok: false, reason: 'odd', message: 'no /proc here' });
    await assert.rejects(opening, fails('internal', /^no \/proc here/));
  });

  it('rejects, and names the time and what was said instead, where the shell runs and no helper answers', async () => {
    const far = farEnd();
    far.writes('nhu1\n');
    far.complains('Password: ');
    const opening = firstOf(far, { ...options, within: 30 });
    await assert.rejects(opening, fails('internal', /no answer .* within 30 ms; it said instead: Password:$/));
    assert.equal(far.aborted(), true, 'the process on the target is given up');
  });

  it('says shell-denied, which may pass, where nothing of what is sent was run, and tells of a prompt', async () => {
    const far = farEnd();
    far.writes('New password: ');
    const opening = firstOf(far, { ...options, within: 30 });
    const silence =
      /nothing that was sent was run within 30 ms \(its program only waits, or its start files take longer\); it said instead: New password:$/;
    await assert.rejects(
      opening,
      (error) => refuses('shell-denied', silence)(error) && (error as HelperRefused).mayPass,
    );
    assert.equal(far.aborted(), true, 'the process on the target is given up');
  });

  it('ends the input before it gives up, and hears what is said then', async () => {
    const far = farEnd();
    const opening = firstOf(far, { ...options, within: 200 });
    far.complains('fish: an old complaint of a start file\n');
    await far.heard();
    await assert.rejects(far.heard(), /found the end of the input/);
    far.complains('/usr/bin/fish: $? is not the exit status\n');
    far.ends({ kind: 'exit', code: 127 });
    await assert.rejects(
      opening,
      refuses('shell-denied', /^instead of running the command, the login runs fish, which/),
    );
  });

  it('blames the link, and not the login, where it breaks then', async () => {
    const far = farEnd();
    const opening = firstOf(far, { ...options, within: 50 });
    await far.heard();
    await assert.rejects(far.heard(), /found the end of the input/);
    far.ends({ kind: 'lost', cause: 'read ECONNRESET' });
    await assert.rejects(opening, fails('connection-lost', /ECONNRESET/));
  });

  it('names no shell for what a start file complained of before', async () => {
    const far = farEnd();
    far.complains('bash: warning: setlocale\n');
    const opening = firstOf(far, { ...options, within: 30 });
    await assert.rejects(opening, refuses('shell-denied', /^the login does not run the command: .* bash: warning/));
  });

  it('leaves sudo its time where that comes before the shell', async () => {
    const far = farEnd();
    const opening = firstOf(far, { ...options, elevate: 'now', within: 30 });
    await assert.rejects(opening, fails('internal', /no answer .* within 30 ms/));
  });

  it('says shell-denied, for good, where another shell names itself', async () => {
    const far = farEnd();
    far.writes('Last login: today\nnhu1 read by /bin/zsh\n');
    await assert.rejects(
      firstOf(far),
      (error) =>
        refuses('shell-denied', /the login runs \/bin\/zsh, which reads its standard input$/)(error) &&
        !(error as HelperRefused).mayPass,
    );
    assert.equal(far.aborted(), true);
  });

  it('does not take the word that the shell says for noise', async () => {
    const far = farEnd();
    const opening = firstOf(far);
    await far.heard();
    far.writes('hello\nnhu1\n');
    far.ends({ kind: 'exit', code: 1 });
    await assert.rejects(opening, refuses('shell-denied', /instead of running a command\. hello$/));
  });

  it('gives up at once where the run is cancelled before the first record, and no more after it', async () => {
    for (const early of [true, false]) {
      const cancel = new AbortController();
      const far = farEnd();
      const session = await openSession(far.connection, { ...options, cancel: cancel.signal });
      await far.heard();
      if (!early) {
        far.says(hello);
        await session.ready;
      }
      cancel.abort();
      assert.equal(far.aborted(), early);
      far.ends({ kind: 'lost', cause: 'given up' });
      await session.ready.catch(() => {});
    }
  });

  it('rejects as connection-lost where the link breaks before the first record', async () => {
    const far = farEnd();
    const opening = firstOf(far);
    far.ends({ kind: 'lost', cause: 'keepalive timeout' });
    await assert.rejects(opening, fails('connection-lost', /the connection was lost: keepalive timeout/));
  });

  it('rejects with what prevented the start of a command', async () => {
    const far = farEnd();
    const start = () => Promise.reject(new UpgradeError('connection-lost', 'closed'));
    await assert.rejects(openSession({ ...far.connection, start }, options), fails('connection-lost', /^closed$/));
  });
});

describe('a session', () => {
  it('rejects, and names the time, where an answer does not come', async () => {
    const session = await opened(farEnd());
    await assert.rejects(session.ask('look', { within: 30 }), fails('internal', /no answer .* within 30 ms/));
  });

  it('does not take the late answer to an earlier request for the one to this', async () => {
    const far = farEnd();
    const session = await opened(far);
    await assert.rejects(session.ask('look', { within: 10 }), fails('internal', /within 10 ms/));
    const second = session.ask('extend', { within });
    assert.deepEqual([await far.heard(), await far.heard()], ['1\tlook', '2\textend']);
    far.says({ id: 1, verb: 'look', ok: true, late: true });
    far.says({ id: 2, verb: 'extend', ok: true });
    assert.equal((await second).verb, 'extend');
  });

  it('sends at once what is asked, and gives each its own answer, in whatever order they come', async () => {
    const far = farEnd();
    const session = await opened(far);
    const answers = [session.ask('begin', { within }), session.ask('look', { within })];
    assert.deepEqual([await far.heard(), await far.heard()], ['1\tbegin', '2\tlook']);
    far.says({ id: 2, verb: 'look', ok: true });
    far.says({ id: 1, verb: 'begin', ok: true });
    assert.deepEqual(
      (await Promise.all(answers)).map(({ id, verb, ok }) => [id, verb, ok]),
      [
        [1, 'begin', true],
        [2, 'look', true],
      ],
    );
    assert.equal(session.requests, 2);
  });

  it('sends along with the helper what is asked before its first record', async () => {
    const far = farEnd();
    const session = await openSession(far.connection, options);
    const answer = session.ask('facts', { within });
    assert.match(await far.heard(), /^nhu1\t/);
    assert.equal(await far.heard(), '1\tfacts');
    far.says(hello);
    far.says({ id: 1, verb: 'facts', ok: true });
    assert.equal((await answer).verb, 'facts');
  });

  it('goes on to the next request where one was not answered', async () => {
    const far = farEnd();
    const session = await opened(far);
    const [first, second] = [session.ask('begin', { within: 20 }), session.ask('look', { within })];
    const silence = assert.rejects(first, fails('internal', /no answer .* within 20 ms/));
    assert.deepEqual([await far.heard(), await far.heard()], ['1\tbegin', '2\tlook']);
    await silence;
    far.says({ id: 2, verb: 'look', ok: true });
    assert.equal((await second).id, 2);
  });

  it('counts the time of a request from its own turn', async () => {
    const far = farEnd();
    const session = await opened(far);
    const first = session.ask('begin', { within });
    const second = assert.rejects(session.ask('look', { within: 1 }), fails('internal', /within 1 ms/));
    let over = false;
    const settled = second.then(() => (over = true));
    // Far more than the second's own millisecond, which has not begun.
    await delay(30);
    assert.equal(over, false);
    far.says({ id: 1, verb: 'begin', ok: true });
    assert.equal((await first).ok, true);
    await settled;
  });

  it('hands events of this request on as they come, and those of no other', async () => {
    const far = farEnd();
    const session = await opened(far);
    const events: string[] = [];
    const answer = session.ask('begin', { within, onEvent: (event) => events.push(event) });
    await far.heard();
    for (const [id, event] of [
      [1, 'swapped'],
      [0, 'stale'],
      [2, 'early'],
      [1, 'exec'],
    ] as const) {
      far.says({ id, verb: 'begin', event, up: '1.2' });
    }
    far.says({ id: 1, verb: 'begin', ok: true });
    await answer;
    assert.deepEqual(events, ['swapped', 'exec']);
  });

  it('puts records together that come in pieces, and takes them apart that come together', async () => {
    const far = farEnd();
    const session = await openSession(far.connection, options);
    const marker = (await far.heard()).split('\t')[1];
    far.writes(`@${marker} {"v":1,"id":0,"verb":"hel`);
    far.writes(`lo","ok":true}\n@${marker} {"v":1,"id":1,"verb":"look","event":"a"}\n`);
    await session.ready;
    const answer = session.ask('look', { within });
    await far.heard();
    far.writes(`noise\n@${marker} {"v":1,"id":1,"verb":"look","ok":true}\nmore`);
    assert.equal((await answer).ok, true);
  });

  it('drops a line of more than a mebibyte and reads on behind it', async () => {
    const far = farEnd();
    const session = await opened(far);
    const answer = session.ask('look', { within });
    await far.heard();
    for (let chunk = 0; chunk < 20; chunk += 1) far.writes('x'.repeat(100_000));
    far.writes('\n');
    far.says({ id: 1, verb: 'look', ok: true });
    assert.equal((await answer).ok, true);
  });

  it('fails the request whose answer is longer than any of ours, instead of waiting for what was dropped', async () => {
    const far = farEnd();
    const session = await openSession(far.connection, options);
    const marker = (await far.heard()).split('\t')[1];
    far.says(hello);
    await session.ready;
    const answer = session.ask('look', { within });
    await far.heard();
    far.writes(`@${marker} {"v":1,"id":1,"verb":"look","ok":true,"errorLog":["`);
    for (let chunk = 0; chunk < 20; chunk += 1) far.writes('x'.repeat(100_000));
    far.writes('"]}\n');
    await assert.rejects(answer, fails('internal', /answered something unreadable: @[0-9a-f]{16} \{"v":1,"id":1/));
  });

  it('takes an answer that was written right before the end', async () => {
    const far = farEnd();
    const session = await opened(far);
    const answer = session.ask('commit', { within });
    await far.heard();
    far.ends({ kind: 'exit', code: 0 });
    far.says({ id: 1, verb: 'commit', ok: true });
    assert.equal((await answer).ok, true);
  });

  it('rejects as connection-lost, with what was said, where the helper ends without an answer', async () => {
    const far = farEnd();
    const session = await opened(far);
    const answer = session.ask('commit', { within });
    await far.heard();
    far.complains('Killed\n');
    far.ends({ kind: 'signal', signal: 'KILL' });
    await assert.rejects(answer, fails('connection-lost', /ended \(signal KILL\) without an answer\. Killed/));
  });

  it('rejects as connection-lost where the link breaks, and again for every further request', async () => {
    const far = farEnd();
    const session = await opened(far);
    const answer = session.ask('retire', { within });
    await far.heard();
    far.ends({ kind: 'lost', cause: 'read ECONNRESET' });
    await assert.rejects(answer, fails('connection-lost', /ECONNRESET/));
    await assert.rejects(session.ask('look', { within }), fails('connection-lost', /ECONNRESET/));
  });

  it('sends the bytes behind their request, and the next request only when that is answered', async () => {
    const far = farEnd();
    const session = await opened(far);
    const bytes = Buffer.alloc(600_000, 'x');
    const received = session.ask('receive', { fields: { size: bytes.length }, within, bytes });
    const checked = session.ask('check', { within });
    assert.equal(await far.heard(), '1\treceive\tsize=600000');
    far.says({ id: 1, verb: 'receive', ok: true });
    assert.equal((await received).verb, 'receive');
    assert.ok((await far.heard()) === `${String(bytes)}2\tcheck`);
    far.says({ id: 2, verb: 'check', ok: true });
    assert.equal((await checked).verb, 'check');
  });
});
