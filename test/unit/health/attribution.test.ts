import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ownerOf, probeToLookFor, type Owner } from '../../../src/health/attribution.ts';
import { parseProbed } from '../../../src/target/probed-port.ts';
import { configOf, TARGET } from '../host/scripted-run.ts';

const LOOPBACK = '0100007F';
const ANY = '00000000';
const ANY6 = '0'.repeat(32);
const LOOPBACK6 = '00000000000000000000000001000000';
const MAPPED = '0000000000000000FFFF00000100007F';

interface Case {
  what: string;
  /** `INODES KIND ADDRESS`, the inodes 1 to 9 being the old master's. */
  sockets: string[];
  addresses?: string[];
  local?: string[];
  owner: Owner;
}

const CASES: Case[] = [
  { what: 'its own socket of that address', sockets: [`1 tcp ${LOOPBACK}`], owner: 'ours' },
  { what: 'its own socket of all addresses', sockets: [`1 tcp ${ANY}`], owner: 'ours' },
  { what: 'several of its own, with reuseport', sockets: [`1,2,3 tcp ${ANY}`, `4 tcp ${ANY}`], owner: 'ours' },
  { what: 'one of somebody else among its own', sockets: [`1,77,3 tcp ${ANY}`], owner: 'others' },
  { what: 'a socket of somebody else', sockets: [`77 tcp ${ANY}`], owner: 'others' },
  { what: 'its own and one of somebody else', sockets: [`1 tcp ${ANY}`, `77 tcp ${ANY}`], owner: 'others' },
  {
    what: 'somebody else at that very address, before its own of all',
    sockets: [`1 tcp ${ANY}`, `77 tcp ${LOOPBACK}`],
    owner: 'others',
  },
  {
    what: 'its own at that very address, before somebody else of all',
    sockets: [`77 tcp ${ANY}`, `1 tcp ${LOOPBACK}`],
    owner: 'ours',
  },
  { what: 'its own of all IPv4, before another of both', sockets: [`77 tcp6 ${ANY6}`, `1 tcp ${ANY}`], owner: 'ours' },
  { what: 'a socket of both families', sockets: [`1 tcp6 ${ANY6}`], owner: 'ours' },
  { what: 'a socket of an IPv4 address in IPv6', sockets: [`77 tcp6 ${MAPPED}`, `1 tcp ${ANY}`], owner: 'others' },
  { what: 'nobody', sockets: ['1 tcp 0200000A'], owner: 'nobody' },
  { what: 'a machine that writes its words the other way round', sockets: ['1 tcp 7F000001'], owner: 'ours' },
  { what: 'an address of another machine', sockets: [`1 tcp ${ANY}`], addresses: ['10.0.0.9'], owner: 'elsewhere' },
  {
    what: 'another address of this host',
    sockets: ['1 tcp 0900000A'],
    addresses: ['10.0.0.9'],
    local: ['10.0.0.9'],
    owner: 'ours',
  },
  { what: 'a name that means nothing', sockets: [`1 tcp ${ANY}`], addresses: [], owner: 'elsewhere' },
  { what: 'IPv6 loopback', sockets: [`1 tcp6 ${LOOPBACK6}`], addresses: ['::1'], owner: 'ours' },
  {
    what: 'an IPv6 address of this host',
    sockets: ['1 tcp6 B80D0120000000000000000005000000'],
    addresses: ['2001:db8::5'],
    local: ['20010db8000000000000000000000005'],
    owner: 'ours',
  },
  {
    what: 'the first address at which somebody answers',
    sockets: [`1 tcp ${ANY}`],
    addresses: ['::1', '127.0.0.1'],
    owner: 'ours',
  },
  {
    what: 'somebody else at the first address',
    sockets: [`1 tcp ${ANY}`, `77 tcp6 ${LOOPBACK6}`],
    addresses: ['::1', '127.0.0.1'],
    owner: 'others',
  },
];

describe('ownerOf', () => {
  for (const { what, sockets, addresses = ['127.0.0.1'], local = [], owner } of CASES) {
    it(`is ${owner} at ${what}`, () => {
      const lines = [
        ...sockets.map((socket) => `here listen ${socket.split(' ').slice(1).join(' ')} ${socket.split(' ')[0]}`),
        ...local.map((address) => `here local ${address}`),
      ];
      const ours = new Set('123456789');
      assert.equal(ownerOf(addresses, { ...parseProbed(lines).here, ours }), owner);
    });
  }
});

describe('probeToLookFor', () => {
  const { health } = configOf();
  const settings = {
    url: 'https://{host}/',
    from: 'target' as const,
    status: [],
    headers: [] as [string, string][],
    interval: 1_000,
    timeout: 1_000,
    successes: 1,
    failureLimit: 0,
  };

  it('is the port and the host of the URL; the host is resolved by whoever probes', () => {
    assert.equal(probeToLookFor(settings, TARGET), '443 web1');
    assert.equal(probeToLookFor({ ...settings, url: 'http://[::1]:8080/' }, TARGET), '8080 ::1');
    assert.equal(probeToLookFor({ ...settings, from: 'runner' }, TARGET), '443 *');
    const here = { kind: 'local' as const, name: 'local' };
    assert.equal(probeToLookFor({ ...settings, from: 'runner' }, here), '443 localhost');
    assert.equal(probeToLookFor(health, TARGET), undefined);
  });
});
