import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, it } from 'node:test';
import { connectLibrary } from '../../src/connection/library.ts';
import type { LibraryOptions } from '../../src/connection/library.ts';
import { DialError } from '../../src/connection/port.ts';
import { UpgradeError } from '../../src/errors.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import type { CutMode } from '../support/cut-proxy.ts';
import { BARE_LOGIN, finish, knownAt, loginTo, openConnection, run } from '../support/open-connection.ts';
import { freePort } from '../support/port.ts';
import { startSshd } from '../support/sshd.ts';
import type { Sshd } from '../support/sshd.ts';
import { listening } from '../support/tcp-server.ts';

let sshd: Sshd;
before(async () => {
  sshd = await startSshd({ config: BARE_LOGIN });
});
after(() => sshd.stop());

describe('a host that cannot be reached', () => {
  it('is unreachable where nothing listens, after three tries', async () => {
    const log: string[] = [];
    const message = await unreachable({ port: await freePort(), log: (line) => log.push(line) });
    assert.match(message, /expected an SSH server; found the connection was refused.*\(3 tries\)$/);
    assert.equal(log.length, 2);
    assert.match(log[0] ?? '', /trying again \(2 of 3\)/);
  });

  it('is unreachable where its name has no address', async () => {
    assert.match(await unreachable({ host: 'no-such-host.invalid' }), /\(DNS\)|DNS gave no answer/);
  });

  it('is unreachable where no route leads, within the timeout', async () => {
    // Nobody has this address; whether routers say so, refuse or drop it is theirs to choose.
    const message = await unreachable({ host: '192.0.2.1', port: 22 }, 400);
    assert.match(message, /no route|no answer at all|refused/);
  });

  it('is unreachable where something accepts and says nothing, within the timeout', async () => {
    await using server = await listening(() => {});
    assert.match(
      await unreachable({ port: server.port }, 400),
      /TCP connected, but it did not get through the SSH handshake/,
    );
  });

  it('is unreachable where something else than SSH answers', async () => {
    await using server = await listening((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    assert.match(await unreachable({ port: server.port }, 2_000), /closed the connection at once|does not speak SSH 2/);
    await using old = await listening((socket) => socket.end('SSH-1.5-ancient\r\n'));
    assert.match(await unreachable({ port: old.port }, 2_000), /SSH/);
  });

  it('is unreachable where no safe algorithm is shared', async () => {
    await using old = await startSshd({ config: 'Ciphers aes128-cbc,chacha20-poly1305@openssh.com' });
    const message = await unreachable({ port: old.port, ssh: loginTo(old).ssh });
    assert.match(message, /no safe algorithm is shared \(no matching .* cipher; it offers .*aes128-cbc/);
  });

  it('is tried again where it hangs up at once, as a busy sshd does', async () => {
    await using proxy = await startCutProxy(sshd.port, { refuseFirst: 2 });
    const connection = await openConnection(sshd, proxy.port);
    assert.deepEqual((await run(connection, 'exit 3')).ended, { kind: 'exit', code: 3 });
    assert.equal(proxy.accepted(), 3);
    connection.close();
  });
});

/** Reads no input and ends with its session: a command over SSH outlives a link that is cut. */
const UNREADING = 'while kill -0 $PPID 2>/dev/null; do sleep 0.1; done';

const modes: [mode: CutMode, within: number][] = [
  ['close', 1_000],
  ['reset', 1_000],
  // Keepalive of 100 ms, three times unanswered.
  ['black-hole', 2_000],
];
for (const [mode, within] of modes) {
  describe(`a link that is cut in mid-command (${mode})`, () => {
    it('ends commands, uploads and dialled connections as lost, and nothing else', async () => {
      await using proxy = await startCutProxy(sshd.port);
      await using server = await listening(() => {});
      const connection = await openConnection(sshd, proxy.port);
      const command = await connection.start('echo started; cat; echo done');
      const upload = await connection.start(UNREADING);
      const sent = assert.rejects(pipeline(endless(), upload.stdin));
      const stream = await connection.dial({ host: '127.0.0.1', port: server.port });
      const broken = once(stream, 'error');
      await once(command.stdout, 'data');

      const cutAt = performance.now();
      proxy.cut(mode);
      await once(connection.lost, 'abort');
      const [one, two] = await Promise.all([finish(command), finish(upload)]);
      await sent;
      const error: unknown = (await broken)[0];
      assert.ok(performance.now() - cutAt < within, `took ${performance.now() - cutAt} ms`);

      assert.equal(one.ended.kind, 'lost');
      assert.equal(two.ended.kind, 'lost');
      assert.ok(error instanceof DialError && error.kind === 'lost');
      assert.equal(typeof connection.lost.reason, 'string');
      await rejectsAsLost(connection.start('true'), connection.dial({ host: '127.0.0.1', port: server.port }));
      connection.close();
    });

    it('rejects what is just being started or dialled', async () => {
      await using proxy = await startCutProxy(sshd.port);
      const connection = await openConnection(sshd, proxy.port);
      proxy.cut('black-hole');
      const pending = rejectsAsLost(connection.start('true'), connection.dial({ host: '127.0.0.1', port: 1 }));
      proxy.cut(mode);
      await pending;
      connection.close();
    });
  });
}

describe('a link', () => {
  it('is lost when the server side of the session is killed', async () => {
    await using server = await startSshd({ config: BARE_LOGIN });
    const connection = await openConnection(server);
    const channel = await connection.start('echo started; exec cat');
    await once(channel.stdout, 'data');
    server.dropSessions();
    assert.equal((await finish(channel)).ended.kind, 'lost');
    assert.equal(connection.lost.aborted, true);
    connection.close();
  });

  it('is not taken for dead while an upload fills a slow line', async () => {
    await using proxy = await startCutProxy(sshd.port, { uploadRate: 1_500_000 });
    const connection = await openConnection(sshd, proxy.port);
    const channel = await connection.start('wc -c');
    await pipeline(Readable.from([Buffer.alloc(3_000_000)]), channel.stdin);
    const { stdout, ended } = await finish(channel);
    assert.deepEqual(ended, { kind: 'exit', code: 0 });
    assert.equal(stdout.trim(), '3000000');
    connection.close();
  });

  it('tells a server that does not allow forwarding from a service that is down', async () => {
    await using closed = await startSshd({ config: `${BARE_LOGIN}\nAllowTcpForwarding no` });
    const connection = await openConnection(closed);
    await assert.rejects(
      connection.dial({ host: '127.0.0.1', port: closed.port }),
      (error) => error instanceof DialError && error.kind === 'denied' && /does not allow/.test(error.message),
    );
    assert.deepEqual((await run(connection, 'exit 0')).ended, { kind: 'exit', code: 0 });
    connection.close();
  });

  it('says that the server refuses another command', async () => {
    await using narrow = await startSshd({ config: `${BARE_LOGIN}\nMaxSessions 1` });
    const connection = await openConnection(narrow);
    const first = await connection.start('cat');
    await assert.rejects(
      connection.start('true'),
      (error) => error instanceof UpgradeError && error.reason === 'internal' && /refused/.test(error.message),
    );
    assert.deepEqual((await finish(first)).ended, { kind: 'exit', code: 0 });
    connection.close();
  });
});

/** Connects to what is no usable server, checks that it ends as `unreachable` in time, and hands back the message. */
async function unreachable(overrides: Partial<LibraryOptions>, connectTimeout = 5_000): Promise<string> {
  const options = loginTo(sshd, overrides);
  const started = performance.now();
  const knownHosts = overrides.ssh?.knownHosts ?? knownAt(sshd, options.port);
  const failed = connectLibrary({ ...options, ssh: { ...options.ssh, knownHosts, connectTimeout } });
  const error = await failed.then(
    (connection) => connection.close(),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UpgradeError, 'expected no connection');
  assert.equal(error.reason, 'unreachable', error.message);
  assert.ok(performance.now() - started < connectTimeout + 300);
  return error.message;
}

async function rejectsAsLost(start: Promise<unknown>, dial: Promise<unknown>): Promise<void> {
  await Promise.all([
    assert.rejects(start, (error) => error instanceof UpgradeError && error.reason === 'connection-lost'),
    assert.rejects(dial, (error) => error instanceof DialError && error.kind === 'lost'),
  ]);
}

function endless(): Readable {
  return new Readable({
    read() {
      this.push(Buffer.alloc(65_536));
    },
  });
}
