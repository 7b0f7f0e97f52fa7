import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBody } from '../../../src/inputs/health-body.ts';
import { parseHeaders } from '../../../src/inputs/health-headers.ts';
import { parseStatusRanges } from '../../../src/inputs/health-status.ts';
import { readHealth } from '../../../src/inputs/health.ts';
import { openForm } from '../../../src/inputs/form.ts';
import { parseTargets } from '../../../src/inputs/targets.ts';
import { parseHealthUrl } from '../../../src/inputs/health-url.ts';
import { makeCertificate } from '../health/servers.ts';
import { ask, complaints, LOCAL, said } from './support.ts';

describe('health-url', () => {
  for (const url of [
    'http://127.0.0.1/',
    'https://{host}/health?x=1',
    'http://{host}:8080/',
    'http://[::1]:81/',
    'HTTP://h/',
  ]) {
    it(`takes ${url}`, () => assert.deepEqual(parseHealthUrl(url), { ok: true, value: url, notes: [] }));
  }

  const refused: [string, RegExp][] = [
    ['ftp://h/', /http:\/\/ or https:\/\//],
    ['file:///etc/passwd', /http:\/\/ or https:\/\//],
    ['data:text/plain,x', /http:\/\/ or https:\/\//],
    ['h/health', /http:\/\/ or https:\/\//],
    ['None', /http:\/\/ or https:\/\//],
    ['http://{hots}/', /only placeholder.*Did you mean "{host}"/],
    ['http://{host/', /only placeholder/],
    ['http://${HOST}/', /variable that nothing replaced: "\$\{HOST\}"/],
    ['http://h/$PATH_X', /variable that nothing replaced/],
    ['http://${{ inputs.host }}/', /spaces/],
    ['http://h/a b', /spaces/],
    ['http://h/\nhttp://i/', /spaces/],
    ['http://h/#top', /never sent/],
    ['http://', /valid URL/],
    ['http://h:99999/', /valid URL/],
    [`http://h/${'x'.repeat(3000)}`, /at most 2048/],
  ];
  for (const [url, why] of refused) {
    it(`refuses ${JSON.stringify(url.slice(0, 40))}`, () => assert.match(said(parseHealthUrl(url)), why));
  }

  it('refuses credentials and does not show them', () => {
    assert.match(said(parseHealthUrl('https://me:hunter22@h/')), /health-headers/);
    assert.doesNotMatch(said(parseHealthUrl('https://me:hunter22@h/')), /hunter22/);
  });

  it('must be given for an upgrade, or be the word none', async () => {
    assert.match(await complaints('health-url', ''), /"upgrade" needs a URL.*"none"/);
    assert.equal(await complaints('health-url', 'none'), '');
  });

  for (const command of ['commit', 'rollback', 'status', 'plan']) {
    it(`is not needed by ${command}`, async () => {
      const { parsed } = await ask({ command, targets: 'local' });
      assert.equal(parsed?.config.health, undefined);
    });
  }

  const warned: [string, string, RegExp | undefined][] = [
    ['http://www.example/', 'target', /"www\.example", which is none of the targets/],
    ['http://web1/', 'target', /only one of the targets/],
    ['http://{host}/', 'runner', undefined],
    ['http://127.0.0.1/', 'target', undefined],
    ['http://127.0.0.1/', 'runner', /is the runner itself/],
  ];
  for (const [url, from, why] of warned) {
    it(`${why === undefined ? 'says nothing' : 'warns'} where ${url} is probed from ${from}`, () => {
      assert.match(warnings({ 'health-url': url, 'health-from': from }, 'web1,web2'), why ?? /^$/);
    });
  }

  it('may name anything where this very machine is the only target', () => {
    assert.equal(warnings({ 'health-url': 'http://www.example/' }, 'local'), '');
  });
});

function warnings(inputs: Record<string, string>, targets: string): string {
  const form = openForm(new Map(Object.entries(inputs)));
  const parsed = parseTargets(targets, { user: 'me', port: 22 });
  assert.ok(parsed.ok);
  readHealth(form, parsed.value);
  return form
    .close([])
    .map(({ message }) => message)
    .join('\n');
}

describe('health-status', () => {
  it('takes codes, ranges and classes', () => {
    const parsed = parseStatusRanges('200-299, 2xx\n204,404');
    assert.ok(parsed.ok);
    assert.deepEqual(
      parsed.value.map(({ from, to }) => `${from}-${to}`),
      ['200-299', '200-299', '204-204', '404-404'],
    );
  });

  for (const status of ['99', '600', 'abc', '20', '2000', '6xx', '-200', '200-', '']) {
    it(`refuses "${status}"`, () => assert.match(said(parseStatusRanges(status)), /expected/));
  }

  it('refuses a range that ends before it starts', () => {
    assert.match(said(parseStatusRanges('299-200')), /ends before it starts/);
  });
});

describe('health-body', () => {
  it('is a text, or a pattern between slashes', () => {
    assert.deepEqual(parseBody('ok'), { ok: true, value: { kind: 'text', text: 'ok' }, notes: [] });
    assert.deepEqual(parseBody('/^o+k$/im'), {
      ok: true,
      value: { kind: 'regex', source: '^o+k$', flags: 'im' },
      notes: [],
    });
    assert.deepEqual(parseBody('/var/lib'), { ok: true, value: { kind: 'text', text: '/var/lib' }, notes: [] });
  });

  for (const pattern of ['/(/', '/[/', '/a{2,1}/', '/x/uv']) {
    it(`refuses the broken pattern ${pattern}`, () =>
      assert.match(said(parseBody(pattern)), /no valid regular|Invalid/));
  }

  for (const pattern of ['/(a+)+$/', '/(?:a*b*)*/', '/((a+)b)+/', '/(a{2,})*x/', '/(\\d+|x)+/']) {
    it(`refuses ${pattern}, which may never end`, () =>
      assert.match(said(parseBody(pattern)), /a repeat within a repeat/));
  }

  for (const pattern of ['/(ab)+/', '/a+b*/', '/(a+)b/', '/[(a+)+]/', '/\\(a+\\)+/', '/(a{2})+/', '/(a+)?b+/']) {
    it(`takes ${pattern}`, () => assert.equal(said(parseBody(pattern)), ''));
  }

  it('refuses flags without a meaning here, and a megabyte', () => {
    assert.match(said(parseBody('/a/g')), /mean nothing here/);
    assert.match(said(parseBody('x'.repeat(1_000_000))), /at most 4096 characters/);
  });
});

describe('health-headers', () => {
  it('keeps names, values and order', () => {
    const parsed = parseHeaders('Host: www.example\n# note\r\nX-A:  b: c ,d');
    assert.deepEqual(parsed, {
      ok: true,
      value: [
        ['Host', 'www.example'],
        ['X-A', 'b: c ,d'],
      ],
      notes: [],
    });
  });

  const refused: [string, RegExp][] = [
    ['Authorization Bearer hunter22', /^line 1: expected "Name: value", found no colon$/],
    [': hunter22', /found no name/],
    ['X A: hunter22', /no header name may hold/],
    ['X: hunter22\rY: b', /the value of X holds a control character/],
    ['X: hunter22 ☂', /outside Latin-1/],
    ['Content-Length: 5', /belongs to the connection/],
    ['upgrade: h2c', /belongs to the connection/],
    ['Host: a\nhost: b', /expected one Host header, found 2/],
    ['X: y\n'.repeat(51), /at most 50 headers/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))} and shows no value`, () => {
      assert.match(said(parseHeaders(text)), why);
      assert.doesNotMatch(said(parseHeaders(text)), /hunter22/);
    });
  }

  it('warns of a credential too short to mask', () => {
    const parsed = parseHeaders('X-Token: abc');
    assert.ok(parsed.ok);
    assert.match(parsed.notes.join(), /too short to be masked/);
  });
});

describe('health-ca', () => {
  const refused: [string, RegExp][] = [
    ['/etc/ssl/ca.pem', /looks like a path/],
    ['hello', /no "BEGIN CERTIFICATE" line/],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', /holds a private key/],
    ['-----BEGIN CERTIFICATE-----\nAAAA', /cut off/],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /certificate 1 cannot be read/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, async () => {
      const { problems } = await ask({ ...LOCAL, 'health-url': 'http://{host}/', 'health-ca': text });
      assert.match(problems.map(({ message }) => message).join(), why);
    });
  }

  it('takes certificates, and warns of one that has expired', async () => {
    for (const [expired, warning] of [
      [false, /^$/],
      [true, /certificate 1 has expired on/],
    ] as const) {
      const ca = `# our own\n${makeCertificate({ expired }).cert}`;
      const { parsed, problems } = await ask({ ...LOCAL, 'health-url': 'https://{host}/', 'health-ca': ca });
      assert.deepEqual(problems, []);
      assert.match(parsed?.warnings.map(({ message }) => message).join() ?? '', warning);
    }
  });

  it('is said to be unused where nothing is probed', async () => {
    const { parsed } = await ask({ ...LOCAL, 'health-body': 'ok' });
    assert.match(parsed?.warnings[0]?.message ?? '', /is not used/);
  });
});
