import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { ED25519 } from './keys.ts';
import { ask, HOST_KEY, LOCAL, NGINX, OTHER_HOST_KEY } from './support.ts';

const SSH = { targets: 'web1,web2:2222', binary: NGINX, 'health-url': 'none', key: ED25519.private };

async function refusal(inputs: Record<string, string>): Promise<string> {
  const { problems } = await ask({ ...SSH, ...inputs });
  return problems.map(({ input, message }) => `${input}: ${message}`).join('\n');
}

function pin(key: string): string {
  const blob = Buffer.from(key.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace('=', '')}`;
}

describe('known-hosts and fingerprint', () => {
  it('are needed, one of them, for SSH, and the answer says how to get them', async () => {
    assert.match(await refusal({}), /^known-hosts: the host keys are needed, or "fingerprint".*ssh-keygen -lf/);
  });

  it('are not needed for this very machine', async () => assert.deepEqual((await ask(LOCAL)).problems, []));

  it('are taken as text and as pins', async () => {
    const text = `web1,web* ${HOST_KEY} note\r\n[web2]:2222 ${OTHER_HOST_KEY}`;
    const known = await ask({ ...SSH, 'known-hosts': text });
    assert.equal(known.parsed?.config.ssh.knownHosts, text.replace('\r', ''));
    const pinned = await ask({ ...SSH, fingerprint: `${pin(HOST_KEY)}=,\n# web2\n${pin(OTHER_HOST_KEY)}` });
    assert.deepEqual(pinned.parsed?.config.ssh.fingerprints, [pin(HOST_KEY), pin(OTHER_HOST_KEY)]);
    assert.match(pinned.parsed?.warnings[0]?.message ?? '', /padding/);
  });

  const known: [string, RegExp][] = [
    ['# web1:22 SSH-2.0-OpenSSH_9.2', /no usable line/],
    ['*', /no way to trust any key/],
    ['none', /no way to trust any key/],
    ['~/.ssh/known_hosts', /looks like a path/],
    [pin(HOST_KEY), /belongs into "fingerprint"/],
    ['web1 ssh-ed25519 AAA!', /line 1/],
    [`web1 ${HOST_KEY}\nweb2 ssh-rsa ${HOST_KEY.split(' ')[1] ?? ''}`, /line 2/],
    [`@cert-authority * ${HOST_KEY}`, /@cert-authority is unsupported/],
    ['web1', /no way to trust|expected known_hosts lines/],
  ];
  for (const [text, why] of known) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))} as known-hosts`, async () => {
      assert.match(await refusal({ 'known-hosts': text }), why);
    });
  }

  const pins: [string, RegExp][] = [
    ['MD5:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99', /MD5/],
    ['SHA1:AAAAAAAAAAAAAAAAAAAAAAAAAAA', /SHA-1/],
    [pin(HOST_KEY).slice(7), /no prefix/],
    [pin(HOST_KEY).toLowerCase(), /lower-case/],
    ['none', /no way to trust/],
    ['# nothing', /only comments/],
  ];
  for (const [text, why] of pins) {
    it(`refuses ${text.slice(0, 30)} as fingerprint`, async () => {
      assert.match(await refusal({ fingerprint: text }), why);
    });
  }

  it('must not contradict each other', async () => {
    const text = `web1 ${HOST_KEY}\n[web2]:2222 ${OTHER_HOST_KEY}`;
    const both = await ask({ ...SSH, 'known-hosts': text, fingerprint: `${pin(HOST_KEY)},${pin(OTHER_HOST_KEY)}` });
    assert.deepEqual(both.problems, []);
    const contradiction = await refusal({ 'known-hosts': text, fingerprint: pin(HOST_KEY) });
    assert.match(contradiction, /^fingerprint: none of these is a key that "known-hosts" has for "web2:2222"/);
    assert.equal(contradiction.split('\n').length, 1);
  });
});
