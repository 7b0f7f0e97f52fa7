import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { productFor, quick, type Inputs } from '../support/product.ts';
import { webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

describe('a host that cannot prove who it is', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('host-key');

  for (const [what, knownHosts] of [
    ['has another key than known-hosts says', () => `${web.address} ${freshKey()}`],
    ['is not named in known-hosts', () => web.knownHosts.replaceAll(web.address, '10.231.77.1')],
    ['has a revoked key', () => `${web.knownHosts}@revoked ${web.knownHosts}`],
  ] as const) {
    test(`and ${what} is refused before anybody logs in`, () => isRefused({ 'known-hosts': knownHosts() }));
  }

  test('and has another fingerprint than the pinned one is refused before anybody logs in', () =>
    isRefused({ fingerprint: `SHA256:${'A'.repeat(43)}`, 'known-hosts': '' }));

  test('but whose fingerprint is pinned is upgraded', async () => {
    const line = await web.sh('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
    const product = productFor(web, { fingerprint: line.split(' ')[1] ?? '', 'known-hosts': '' });
    const { code, report, output } = await product.run('status');
    assert.deepEqual([code, report.outcome], [0, 'reported'], output);
  });

  async function isRefused(over: Inputs): Promise<void> {
    const logins = () => web.sh('journalctl -u ssh | grep -c -e Accepted -e "session opened" || :');
    const [processes, before] = [await web.processes(), await logins()];
    const { code, report, host, output } = await productFor(web, over).run('upgrade', '--binary', newer, ...quick());
    assert.deepEqual([code, report.outcome, host.reason?.code], [1, 'failed', 'host-key'], output);
    assert.equal(await logins(), before);
    assert.deepEqual(await web.processes(), processes);
    await web.atRest();
  }
});

/** The rest of a known_hosts line: an ed25519 key that nobody has. */
function freshKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const fields = [Buffer.from('ssh-ed25519'), Buffer.from(x, 'base64url')].map((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return Buffer.concat([length, field]);
  });
  return `ssh-ed25519 ${Buffer.concat(fields).toString('base64')}\n`;
}
