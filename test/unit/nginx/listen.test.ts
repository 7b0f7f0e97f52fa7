import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listenerAddress, listensIn, socketsFor } from '../../../src/nginx/listen.ts';

function listens(...args: string[]) {
  return listensIn(
    args.map((each) => ({ context: 'http.server', name: 'listen', args: each })),
    { root: true },
  );
}

const addressesOf = (...args: string[]) => listens(...args).tcp.map(({ address }) => address);

describe('listensIn', () => {
  const SPELLINGS: [args: string, ...addresses: string[]][] = [
    ['80', '0.0.0.0:80'],
    ['*:8080 default_server', '0.0.0.0:8080'],
    ['*', '0.0.0.0:80'],
    ['127.0.0.1', '127.0.0.1:80'],
    ['127.0.0.1:443 ssl', '127.0.0.1:443'],
    ['[::]:80', '[::]:80'],
    ['[0:0:0:0:0:0:0:1]:443', '[::1]:443'],
    ['[2001:DB8::0001]', '[2001:db8::1]:80'],
    ['8080-8082', '0.0.0.0:8080', '0.0.0.0:8081', '0.0.0.0:8082'],
    ['unix:/run/app.sock', 'unix:/run/app.sock'],
    ['(default)', '0.0.0.0:80'],
  ];
  for (const [args, ...addresses] of SPELLINGS) {
    it(`reads "${args}"`, () => {
      assert.deepEqual(addressesOf(args), addresses);
      assert.equal(listens(args).unsure, false);
    });
  }

  for (const args of ['localhost:80', 'example.com', '$host:80', '(unknown)', '[::1', '1:2:3']) {
    it(`leaves "${args}" to nginx`, () => {
      assert.deepEqual(addressesOf(args), []);
      assert.equal(listens(args).unsure, true);
    });
  }

  it('goes by the port of a master without root where none is given', () => {
    const directive = { context: 'http.server', name: 'listen', args: '(default)' };
    assert.equal(listensIn([directive], { root: false }).tcp[0]?.address, '0.0.0.0:8000');
  });

  it('knows no standard port of a stream', () => {
    const directive = { context: 'stream.server', name: 'listen', args: '127.0.0.1' };
    assert.equal(listensIn([directive], { root: true }).unsure, true);
  });

  it('counts neither UDP nor QUIC among the sockets that are handed over, and says that QUIC is there', () => {
    assert.deepEqual(listens('443 quic reuseport', '53 udp'), { tcp: [], quic: true, unsure: false });
  });

  it('passes over what is no listen of a server', () => {
    assert.deepEqual(listensIn([{ context: 'http', name: 'listen', args: '80' }], { root: true }).tcp, []);
  });
});

describe('socketsFor', () => {
  const socketsOf = (...args: string[]) => [...socketsFor(listens(...args).tcp).needed];

  it('needs no socket for an address behind a wildcard of its port', () => {
    assert.deepEqual(socketsOf('80', '127.0.0.1:80', '127.0.0.1:81'), ['0.0.0.0:80', '127.0.0.1:81']);
    assert.deepEqual(socketsOf('[::]:80', '[::1]:80'), ['[::]:80']);
  });

  it('keeps the families apart, and unix sockets out of it', () => {
    assert.deepEqual(socketsOf('80', '[::1]:80', 'unix:/a:80'), ['0.0.0.0:80', '[::1]:80', 'unix:/a:80']);
  });

  for (const option of ['bind', 'backlog=512', 'reuseport', 'so_keepalive=on', 'fastopen=3', 'deferred']) {
    it(`needs one all the same with ${option}`, () => {
      assert.deepEqual(socketsOf('80', `127.0.0.1:80 ${option}`), ['0.0.0.0:80', '127.0.0.1:80']);
    });
  }

  it('may have every one that is named', () => {
    assert.deepEqual([...socketsFor(listens('80', '127.0.0.1:80').tcp).possible], ['0.0.0.0:80', '127.0.0.1:80']);
  });
});

describe('listenerAddress', () => {
  const LINES: [line: string, littleEndian: boolean, address: string][] = [
    ['7 tcp 0100007F:0050', true, '127.0.0.1:80'],
    ['7 tcp 7F000001:0050', false, '127.0.0.1:80'],
    ['7 tcp6 00000000000000000000000000000000:01BB', true, '[::]:443'],
    ['7 tcp6 B80D0120000000000000000001000000:1F90', true, '[2001:db8::1]:8080'],
    ['7 tcp6 20010DB8000000000000000000000001:1F90', false, '[2001:db8::1]:8080'],
    ['7 unix /run/app.sock', true, 'unix:/run/app.sock'],
  ];
  for (const [line, littleEndian, address] of LINES) {
    it(`reads ${line} as ${address} where ${littleEndian ? 'the lowest' : 'the highest'} byte comes first`, () => {
      assert.equal(listenerAddress(line, { littleEndian }), address);
    });
  }
});
