import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectLocal } from '../../src/connection/local.ts';
import { DialError } from '../../src/connection/port.ts';
import type { Connection } from '../../src/connection/port.ts';
import { UpgradeError } from '../../src/errors.ts';
import { BARE_LOGIN, finish, openConnection, run } from '../support/open-connection.ts';
import { freePort } from '../support/port.ts';
import { startSshd } from '../support/sshd.ts';
import type { Sshd } from '../support/sshd.ts';
import { shouting } from '../support/tcp-server.ts';
import { ownTempDir } from '../support/temp-dir.ts';
import { waitFor } from '../support/wait.ts';

let sshd: Sshd;
const dir = ownTempDir();
before(async () => {
  sshd = await startSshd({ config: BARE_LOGIN });
});
after(() => sshd.stop());

const places: [name: string, open: () => Promise<Connection>][] = [
  ['over SSH', () => openConnection(sshd)],
  ['on this machine', () => Promise.resolve(connectLocal())],
];
for (const [name, open] of places) describe(`a connection ${name}`, () => commonBehaviour(open));

function commonBehaviour(open: () => Promise<Connection>): void {
  let connection: Connection;
  before(async () => {
    connection = await open();
  });
  after(() => connection.close());

  it('reports output, error output and exit code apart', async () => {
    const result = await run(connection, 'echo out; echo err >&2; exit 3');
    assert.deepEqual(result, { stdout: 'out\n', stderr: 'err\n', ended: { kind: 'exit', code: 3 } });
  });

  it('reports the signal that ended a command', async () => {
    const { ended } = await run(connection, 'kill -TERM $$');
    assert.deepEqual(ended, { kind: 'signal', signal: 'SIGTERM' });
  });

  it('misses no exit code of commands that end at once', async () => {
    for (let round = 0; round < 40; round++) {
      assert.deepEqual((await run(connection, 'exit 5')).ended, { kind: 'exit', code: 5 });
    }
  });

  it('passes every byte through unchanged', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const channel = await connection.start('cat');
    channel.stdin.write(bytes);
    assert.equal((await finish(channel)).stdout, bytes.toString('latin1'));
  });

  it('answers requests to a shell that is kept open', async () => {
    const channel = await connection.start('exec sh');
    channel.stderr.resume();
    const answers = channel.stdout[Symbol.asyncIterator]();
    for (const word of ['one', 'two', 'three']) {
      channel.stdin.write(`echo ${word}\n`);
      assert.equal(String((await answers.next()).value), `${word}\n`);
    }
    channel.stdin.end('exit 7\n');
    assert.deepEqual(await answers.next(), { done: true, value: undefined });
    assert.deepEqual(await channel.ended, { kind: 'exit', code: 7 });
  });

  it('streams 10 MB into a command, waiting while the command does not read', async () => {
    const data = randomBytes(10 * 1024 * 1024);
    const go = join(dir, 'go');
    rmSync(go, { force: true });
    const channel = await connection.start(`while [ ! -e ${go} ]; do sleep 0.05; done; sha256sum`);
    let taken = 0;
    const source = Readable.from(pieces(data, (size) => (taken += size)));
    const sent = pipeline(source, channel.stdin);
    await settled(() => taken);
    assert.ok(taken < 4 * 1024 * 1024, `expected backpressure, found ${taken} bytes accepted`);
    writeFileSync(go, '');
    await sent;
    const { stdout, ended } = await finish(channel);
    assert.deepEqual(ended, { kind: 'exit', code: 0 });
    assert.equal(stdout.split(' ')[0], createHash('sha256').update(data).digest('hex'));
  });

  it('delivers 10 MB of output to a reader that is slow to start', async () => {
    const channel = await connection.start('head -c 10485760 /dev/zero');
    await pause(100);
    assert.equal((await finish(channel)).stdout.length, 10_485_760);
  });

  it('does not hang or die when a command ends without reading its input', async () => {
    const channel = await connection.start('exit 4');
    const sent = assert.rejects(pipeline(Readable.from(pieces(Buffer.alloc(10 * 1024 * 1024))), channel.stdin));
    channel.stdout.resume();
    channel.stderr.resume();
    assert.deepEqual(await channel.ended, { kind: 'exit', code: 4 });
    await sent;
  });

  it('ends at once when a command is given up', async () => {
    const channel = await connection.start('cat; echo late');
    channel.stdout.resume();
    channel.stderr.resume();
    channel.abort();
    assert.notEqual((await channel.ended).kind, 'exit');
    assert.equal(connection.lost.aborted, false);
  });

  it('runs several commands side by side', async () => {
    const results = await Promise.all([1, 2, 3].map((code) => run(connection, `exit ${code}`)));
    assert.deepEqual(
      results.map(({ ended }) => ended),
      [1, 2, 3].map((code) => ({ kind: 'exit', code })),
    );
  });

  it('dials fresh connections that read, write and close as sockets do', async () => {
    await using server = await shouting();
    for (const word of ['one', 'two']) {
      const stream = await connection.dial({ host: '127.0.0.1', port: server.port });
      const closed = once(stream, 'close');
      stream.end(word);
      assert.equal((await buffer(stream)).toString(), word.toUpperCase());
      await closed;
    }
  });

  it('closes a dialled connection that is destroyed', async () => {
    await using server = await shouting();
    const stream = await connection.dial({ host: '127.0.0.1', port: server.port });
    stream.write('x');
    await once(stream, 'data');
    stream.destroy();
    await once(stream, 'close');
    await waitFor('the server to see the end', () => server.open() === 0);
  });

  it('says that nothing listens there', async () => {
    const port = await freePort();
    await assert.rejects(
      connection.dial({ host: '127.0.0.1', port }),
      (error) => error instanceof DialError && error.kind === 'refused' && error.message.includes(`127.0.0.1:${port}`),
    );
  });

  it('ends everything that is open when it is closed, and counts as closed, not as lost', async () => {
    await using server = await shouting();
    const other = await open();
    const channel = await other.start('cat');
    channel.stdout.resume();
    channel.stderr.resume();
    const stream = await other.dial({ host: '127.0.0.1', port: server.port });
    stream.on('error', () => {});
    const closed = once(stream, 'close');
    other.close();
    other.close();
    assert.notEqual((await channel.ended).kind, 'exit');
    await closed;
    assert.equal(other.lost.aborted, false);
    await assert.rejects(
      other.start('true'),
      (error) => error instanceof UpgradeError && error.reason === 'connection-lost',
    );
    await assert.rejects(
      other.dial({ host: '127.0.0.1', port: server.port }),
      (error) => error instanceof DialError && error.kind === 'lost',
    );
  });
}

describe('a connection on this machine', () => {
  it('gives commands nothing of the environment but what they need', async () => {
    process.env['CANARY_TOKEN'] = 'canary-secret-7391';
    const local = connectLocal();
    try {
      const { stdout } = await run(local, 'env; cat /proc/$$/environ | tr "\\0" "\\n"');
      assert.ok(!stdout.includes('canary'));
      const allowed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'XDG_RUNTIME_DIR', 'XDG_STATE_HOME', 'LANG'];
      const shellsOwn = ['PWD', 'OLDPWD', 'SHLVL', '_'];
      for (const line of stdout.trim().split('\n')) {
        assert.ok([...allowed, ...shellsOwn].includes(line.split('=')[0] ?? ''), `found ${line.split('=')[0]}`);
      }
    } finally {
      delete process.env['CANARY_TOKEN'];
      local.close();
    }
  });

  it('ends what a command started as well when it is given up', async () => {
    const local = connectLocal();
    const channel = await local.start('sleep 1000 & echo $!; wait');
    channel.stderr.resume();
    const [pid] = await once(channel.stdout, 'data');
    channel.abort();
    assert.deepEqual(await channel.ended, { kind: 'signal', signal: 'SIGKILL' });
    await waitFor('the grandchild to be gone', async () => {
      const state = await run(local, `sed -n 's/^State:.//p' /proc/${String(pid).trim()}/status 2>/dev/null`);
      return state.stdout === '' || state.stdout.startsWith('Z');
    });
    local.close();
  });
});

function* pieces(data: Buffer, taken?: (size: number) => void): Generator<Buffer> {
  for (let at = 0; at < data.length; at += 65_536) {
    const piece = data.subarray(at, at + 65_536);
    taken?.(piece.length);
    yield piece;
  }
}

/** Resolves once the number has stood still for a while. */
async function settled(number: () => number): Promise<void> {
  let last = -1;
  await waitFor('the number to stand still', async () => {
    const still = number() === last && last > 0;
    last = number();
    if (!still) await pause(200);
    return still;
  });
}
