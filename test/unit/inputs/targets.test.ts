import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTargets, wantsSsh } from '../../../src/inputs/targets.ts';
import { said } from './support.ts';

const DEFAULTS = { user: 'deploy', port: 2200 };

function hosts(text: string): string[] {
  const parsed = parseTargets(text, DEFAULTS);
  assert.ok(parsed.ok, said(parsed));
  return parsed.value.map((target) =>
    target.kind === 'local' ? 'local' : `${target.user} ${target.host} ${target.port}`,
  );
}

function refusal(text: string): string {
  return said(parseTargets(text, DEFAULTS));
}

describe('targets', () => {
  const accepted: [string, string[]][] = [
    ['local', ['local']],
    ['web1,web2', ['deploy web1 2200', 'deploy web2 2200']],
    ['\uFEFFweb1'.slice(1) + ',\r\n\tweb2,\n# web3\n', ['deploy web1 2200', 'deploy web2 2200']],
    ['root@web1:22', ['root web1 22']],
    ['ssh://u@h:22/', ['u h 22']],
    ['ssh://h', ['deploy h 2200']],
    ['[2001:db8::1]:2222', ['deploy 2001:db8::1 2222']],
    ['me@[2001:DB8::1]', ['me 2001:db8::1 2200']],
    ['fe80::1%eth0', ['deploy fe80::1%eth0 2200']],
    ['192.0.2.7', ['deploy 192.0.2.7 2200']],
    ['localhost', ['deploy localhost 2200']],
    ['Web1.Example.', ['deploy web1.example 2200']],
    ['_svc.example', ['deploy _svc.example 2200']],
    ['a@web1,b@web1', ['a web1 2200', 'b web1 2200']],
  ];
  for (const [text, expected] of accepted) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(hosts(text), expected));
  }

  it('keeps the name as it was written', () => {
    const parsed = parseTargets('ssh://U@Web1:22/', DEFAULTS);
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value, [{ kind: 'ssh', name: 'ssh://U@Web1:22/', host: 'web1', port: 22, user: 'U' }]);
  });

  it('looks an international name up in its ASCII form and says so', () => {
    const parsed = parseTargets('bücher.example', DEFAULTS);
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.notes, ['the host name "bücher.example" is looked up as xn--bcher-kva.example']);
  });

  it('shows what a look-alike letter really is', () => {
    const parsed = parseTargets('wеb1', DEFAULTS);
    assert.ok(parsed.ok);
    assert.match(parsed.notes.join(), /is looked up as xn--/);
  });

  const refused: [string, RegExp][] = [
    ['# only a comment', /^no targets/],
    [' , ,', /^no targets/],
    ['-oProxyCommand=id', /must not start with a dash/],
    ['--help', /must not start with a dash/],
    ['me@-oProxyCommand=id', /expected a host name/],
    ['user@host@evil', /more than one "@"/],
    ['a b', /expected a host name or address, found "a b"/],
    ['host;id', /expected a host name/],
    ['$(id)', /expected a host name/],
    ['`id`', /expected a host name/],
    ['$(id)@host', /expected a login name/],
    ['2001:db8::1', /needs brackets.*"\[2001:db8::1\]"/],
    ['fe80::1%eth0:22', /needs brackets/],
    ['[web1]:22', /IPv6 address in the brackets/],
    ['https://h', /only ssh:\/\//],
    ['we\u200Bb', /invisible character: "we\\u\{200b\}b"/],
    ['web\u202E', /invisible character/],
    ['a'.repeat(300), /at most 253 characters, found 300/],
    ['a'.repeat(64), /at most 63 characters/],
    [`${'abc.'.repeat(75)}d`, /at most 253 characters, found 301/],
    ['a..b', /expected a host name/],
    ['-web', /must not start with a dash/],
    ['web-', /expected a host name/],
    ['0.0.0.0', /every address of this machine/],
    ['[::]:22', /every address of this machine/],
    ['127.1', /looks like an address/],
    ['0x7f.1', /looks like an address/],
    ['2130706433', /looks like an address/],
    ['010.0.0.1', /looks like an address/],
    ['1.2.3.4.5', /looks like an address/],
    ['%68ost', /expected a host name/],
    ['web1:0', /whole number from 1 to 65535/],
    ['web1:', /whole number from 1 to 65535/],
    ['web1:022', /whole number/],
    [':22', /found no host/],
    ['me@', /found no host/],
    ['web1,web1', /the same target as "web1"/],
    ['web1,deploy@WEB1:2200', /"deploy@WEB1:2200" is the same target as "web1"/],
    ['local,local', /the same target/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => assert.match(refusal(text), why));
  }

  it('refuses a password and does not show it', () => {
    assert.match(refusal('user:hunter22@host'), /no passwords in targets/);
    assert.doesNotMatch(refusal('user:hunter22@host'), /hunter22/);
  });

  it('names every mistake at once', () => {
    assert.equal(refusal('a b,web1:0,web2,-x').split('\n').length, 3);
  });

  it('takes ten thousand hosts and no more', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `web${index}`);
    assert.equal(hosts(names.join('\n')).length, 10_000);
    assert.match(refusal([...names, 'one-more'].join('\n')), /at most 10000 targets in one run, found 10001/);
  });

  it('says whether SSH is wanted, also where a line is wrong', () => {
    assert.equal(wantsSsh('local'), false);
    assert.equal(wantsSsh('local,web 1'), true);
  });
});
