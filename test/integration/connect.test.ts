import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Target } from '../../src/config.ts';
import { command } from '../support/command.ts';
import { BARE_LOGIN, loginTo } from '../support/open-connection.ts';
import { startSshd } from '../support/sshd.ts';
import type { Sshd } from '../support/sshd.ts';

let sshd: Sshd;
before(async () => {
  sshd = await startSshd({ config: BARE_LOGIN });
});
after(() => sshd.stop());

describe('connect', () => {
  it('reaches this machine without loading an SSH library, and leaves nothing that keeps a process alive', async () => {
    const { stdout } = await inProcess({ kind: 'local', name: 'local' });
    assert.deepEqual(stdout.split('\n'), ['hello', 'exit 0', 'ssh2 loaded: false', '']);
  });

  it('reaches a host over SSH, and leaves nothing that keeps a process alive', async () => {
    const { stdout } = await inProcess({
      kind: 'ssh',
      name: 'web1',
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
    });
    assert.deepEqual(stdout.split('\n'), ['hello', 'exit 0', 'ssh2 loaded: true', '']);
  });
});

/** Runs a program of its own that connects, runs a command, closes and must then come to its end by itself. */
async function inProcess(target: Target): Promise<{ stdout: string }> {
  const program = `
    import { createRequire } from 'node:module';
    import { text } from 'node:stream/consumers';
    import { connect } from ${JSON.stringify(modulePath('../../src/connection/connect.ts'))};
    const { target, ssh } = JSON.parse(process.env.TEST_INPUT);
    const connection = await connect(target, { ssh });
    const channel = await connection.start('cat');
    await connection.start('cat');
    channel.stdin.end('hello\\n');
    channel.stderr.resume();
    process.stdout.write(await text(channel.stdout));
    const { kind, code } = await channel.ended;
    console.log(kind, code);
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log('ssh2 loaded:', loaded.some((path) => path.includes('/ssh2/')));
    connection.close();
  `;
  const env = { ...process.env, TEST_INPUT: JSON.stringify({ target, ssh: loginTo(sshd).ssh }) };
  const words = [process.execPath, '--input-type=module', '-e', program];
  const result = await command(words, { env, timeout: 15_000 });
  assert.equal(result.code, 0, result.stderr);
  return result;
}

function modulePath(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
