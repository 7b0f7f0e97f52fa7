import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBuildInfo } from '../../../src/nginx/build-info.ts';
import { effectivePaths } from '../../../src/nginx/paths.ts';
import { masterOf, type Raw } from '../host/recorded.ts';

const bare = { cwd: '/', optP: '', optC: '', pidDirective: '' };
const flags = parseBuildInfo(
  'configure arguments: --prefix=/opt/nginx --conf-path=/etc/n/nginx.conf --pid-path=run/n.pid',
);
const noFlags = parseBuildInfo('nginx version: nginx/1.26.3');

function paths(build: typeof flags, changes: Raw = {}): string[] {
  const { prefix, conf, pid } = effectivePaths(build, masterOf('systemd', { ...bare, ...changes }));
  return [prefix, conf, pid];
}

describe('effectivePaths', () => {
  it("takes the build's own paths, the relative ones from its prefix", () => {
    assert.deepEqual(paths(flags), ['/opt/nginx', '/etc/n/nginx.conf', '/opt/nginx/run/n.pid']);
  });

  it("falls back on nginx's defaults", () => {
    const root = '/usr/local/nginx';
    assert.deepEqual(paths(noFlags), [root, `${root}/conf/nginx.conf`, `${root}/logs/nginx.pid`]);
  });

  it('lets -p beat --prefix, from the directory of the master where it is relative', () => {
    assert.deepEqual(paths(flags, { optP: '/srv/' }), ['/srv/', '/etc/n/nginx.conf', '/srv/run/n.pid']);
    assert.deepEqual(paths(noFlags, { optP: 'site', cwd: '/srv' }), [
      '/srv/site',
      '/srv/site/conf/nginx.conf',
      '/srv/site/logs/nginx.pid',
    ]);
  });

  it('lets -c beat --conf-path, from the prefix where it is relative', () => {
    assert.equal(paths(flags, { optC: '/srv/a.conf' })[1], '/srv/a.conf');
    assert.equal(paths(flags, { optC: 'conf/a.conf', cwd: '/srv' })[1], '/opt/nginx/conf/a.conf');
    assert.equal(paths(flags, { optC: '../a.conf', optP: '/srv/site/' })[1], '/srv/a.conf');
  });

  it('lets the directive `pid` beat --pid-path, from the prefix where it is relative', () => {
    assert.equal(paths(flags, { pidDirective: '/run/nginx.pid' })[2], '/run/nginx.pid');
    assert.equal(paths(flags, { pidDirective: 'nginx.pid' })[2], '/opt/nginx/nginx.pid');
  });

  it("agrees with the helper's own reading of a real instance", () => {
    for (const name of ['systemd', 'local'] as const) {
      const master = masterOf(name);
      const { prefix, conf, pid } = effectivePaths(parseBuildInfo(master.build), master);
      assert.deepEqual([prefix, conf, pid], [master.prefix, master.conf, master.pidFile]);
    }
  });
});
