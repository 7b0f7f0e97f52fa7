import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secretsOf } from '../../../src/inputs/secrets.ts';
import { ask, LOCAL } from './support.ts';

describe('secrets', () => {
  it('lists every form in which one may turn up', () => {
    const secrets = secretsOf(
      new Map([
        ['key', `-----BEGIN X-----\nAAAAB3NzaC1y+/=\nshort\n-----END X-----`],
        ['passphrase', 'pass "word"\n'],
        ['health-headers', `Host: www.example\nAuthorization: Basic ${btoa('me:hunter22')}\nX-Api-Key: abcdefgh`],
        ['health-url', 'https://u:urlsecret@h/'],
        ['add-modules', 'echo=/srv/echo\na=https://tokenone@h/a.tgz\r\n b=https://u:tokentwo@h/b.tgz'],
      ]),
    );
    for (const expected of [
      'AAAAB3NzaC1y+/=',
      'AAAAB3NzaC1y%2B%2F%3D',
      'pass "word"',
      String.raw`pass \"word\"`,
      'pass%20%22word%22',
      btoa('pass "word"'),
      `Basic ${btoa('me:hunter22')}`,
      btoa('me:hunter22'),
      'hunter22',
      'abcdefgh',
      'urlsecret',
      'tokenone',
      'u:tokentwo',
      'tokentwo',
    ]) {
      assert.ok(secrets.includes(expected), expected);
    }
    for (const harmless of ['www.example', 'short', '-----BEGIN X-----', '/srv/echo', 'h/a.tgz', ''])
      assert.ok(!secrets.includes(harmless), harmless);
  });

  it('never fails, whatever the inputs are', () => {
    const odd = ['\uD800\uDC00\uD800', ':', '\r\n', 'x'.repeat(10_000), 'Authorization: Basic ===', '//@'];
    for (const value of odd) {
      for (const name of ['key', 'passphrase', 'health-headers', 'health-url', 'add-modules'])
        secretsOf(new Map([[name, value]]));
    }
  });

  it('are returned with the configuration', async () => {
    const { parsed } = await ask({ ...LOCAL, passphrase: 'hunter22' });
    assert.ok(parsed?.secrets.includes('hunter22'));
  });

  it('do not get into a message even where a value repeats them', async () => {
    const { problems } = await ask({ ...LOCAL, passphrase: 'hunter22', keep: 'hunter22', binary: '/srv/hunter22' });
    assert.match(problems.map(({ message }) => message).join(), /\*\*\*/);
    assert.doesNotMatch(problems.map(({ message }) => message).join(), /hunter22/);
  });
});
