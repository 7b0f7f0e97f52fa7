import { once } from 'node:events';
import ssh2 from 'ssh2';
import type { SshSettings, Target } from '../../src/config.ts';
import { ed25519Key } from './inputs/keys.ts';

/** An SSH server in this process whose login does nothing but complain and end, whatever command it is given. */
export interface ScriptedSshd {
  target: Target & { kind: 'ssh' };
  ssh: SshSettings;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startScriptedSshd(complaint: string): Promise<ScriptedSshd> {
  const [hostKey, clientKey] = [ed25519Key(), ed25519Key()];
  const clients = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    clients.add(client);
    client.on('error', () => {}); // The other side may just hang up.
    client.on('close', () => clients.delete(client));
    client.on('authentication', (login) => login.accept());
    client.on('session', (accept) =>
      accept().on('exec', (acceptExec) => {
        const channel = acceptExec();
        channel.stderr.write(`${complaint}\n`);
        channel.exit(1);
        channel.end();
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const name = `deploy@127.0.0.1:${port}`;
  return {
    target: { kind: 'ssh', name, host: '127.0.0.1', port, user: 'deploy' },
    ssh: {
      key: clientKey.private,
      knownHosts: `[127.0.0.1]:${port} ${hostKey.public}`,
      fingerprints: [],
      connectTimeout: 5_000,
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
