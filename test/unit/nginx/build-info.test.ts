import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBuildInfo } from '../../../src/nginx/build-info.ts';
import { valueIn } from '../../../src/nginx/configure-args.ts';
import { masterOf } from '../host/recorded.ts';

const TAIL = 'built by gcc 12.2.0\nconfigure arguments: --prefix=/etc/nginx --with-threads\n';

const SAID: [what: string, head: string, flavour: string, version: string][] = [
  ['nginx', 'nginx version: nginx/1.26.3', 'nginx', '1.26.3'],
  ["a distribution's nginx", 'nginx version: nginx/1.24.0 (Ubuntu)', 'nginx', '1.24.0'],
  ['NGINX Plus', 'nginx version: nginx/1.27.2 (nginx-plus-r33-p2)', 'nginx', '1.27.2'],
  ['a build with a name', 'nginx version: nginx/1.27.4 (edge build)', 'nginx', '1.27.4'],
  ['OpenResty', 'nginx version: openresty/1.27.1.1', 'openresty', '1.27.1.1'],
  ['freenginx', 'freenginx version: freenginx/1.27.4', 'freenginx', '1.27.4'],
  ['freenginx, as its first releases said it', 'nginx version: freenginx/1.25.4', 'freenginx', '1.25.4'],
  [
    'Tengine, which names its nginx, too',
    'Tengine version: Tengine/3.1.0\nnginx version: nginx/1.24.0',
    'Tengine',
    '3.1.0',
  ],
  ['Angie, which names its nginx, too', 'Angie version: Angie/1.8.2\nnginx version: nginx/1.27.3', 'Angie', '1.8.2'],
  ['Angie PRO', 'Angie version: Angie/1.7.0 PRO', 'Angie', '1.7.0'],
];

describe('parseBuildInfo', () => {
  for (const [what, head, flavour, version] of SAID) {
    it(`recognises ${what}`, () => {
      const build = parseBuildInfo(`${head}\n${TAIL}`);
      assert.deepEqual(build, { flavour, version, arguments: ['--prefix=/etc/nginx', '--with-threads'] });
      assert.deepEqual(parseBuildInfo(`${head} ${TAIL.replaceAll('\n', ' ')}`), build, 'as one line');
    });
  }

  it('reads what a real nginx said, its lines joined by the helper', () => {
    const build = parseBuildInfo(masterOf('systemd').build);
    assert.deepEqual([build.flavour, build.version], ['nginx', '1.22.1']);
    assert.equal(build.arguments.length, 17);
    assert.equal(valueIn(build.arguments, '--pid-path'), '/run/nginx.pid');
    assert.match(build.tls?.built ?? '', /^OpenSSL 3\.\d+\.\d+$/);
    assert.match(build.tls?.running ?? '', /^OpenSSL 3\.\d+\.\d+$/);
  });

  it('looks past a warning in front of the version', () => {
    const build = parseBuildInfo(`nginx: [alert] could not open error log file\nnginx version: nginx/1.26.3\n${TAIL}`);
    assert.deepEqual([build.flavour, build.version], ['nginx', '1.26.3']);
  });

  it('knows no version, flavour or argument where the text is none of theirs', () => {
    const none = { flavour: '', version: '', arguments: [] };
    for (const text of ['', 'Illegal option -V', 'sh: 1: ./nginx: not found', 'OpenSSL 3.0.2']) {
      assert.deepEqual(parseBuildInfo(text), none);
    }
  });
});
