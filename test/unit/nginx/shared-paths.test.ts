import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBuildInfo } from '../../../src/nginx/build-info.ts';
import { effectivePath, SHARED_PATHS } from '../../../src/nginx/shared-paths.ts';
import { masterOf, type Raw } from '../host/recorded.ts';

const bare = { cwd: '/', optP: '', optC: '', directives: [] };
const flags = parseBuildInfo(
  'configure arguments: --prefix=/opt/nginx --conf-path=/etc/n/nginx.conf --pid-path=run/n.pid',
);
const noFlags = parseBuildInfo('nginx version: nginx/1.26.3');

function paths(build: typeof flags, changes: Raw = {}): string[] {
  return pathsOf(build, masterOf('systemd', { ...bare, ...changes }));
}

/** Prefix, configuration and pid file. */
function pathsOf(build: typeof flags, master: ReturnType<typeof masterOf>): string[] {
  return SHARED_PATHS.slice(0, 3).map((path) => effectivePath(path, build, master));
}

describe('effectivePath', () => {
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
    assert.equal(paths(flags, { directives: ['main pid /run/nginx.pid'] })[2], '/run/nginx.pid');
    assert.equal(paths(flags, { directives: ['main pid nginx.pid'] })[2], '/opt/nginx/nginx.pid');
  });

  it('takes an empty prefix for the directory where nginx was started, as configure means it', () => {
    const build = parseBuildInfo('configure arguments: --prefix= --pid-path=n.pid');
    assert.deepEqual(paths(build, { cwd: '/srv/a' }), ['/srv/a', '/srv/a/conf/nginx.conf', '/srv/a/n.pid']);
  });

  it('leaves a log that is no file as it is', () => {
    const log = SHARED_PATHS.find(({ flag }) => flag === '--error-log-path');
    assert.ok(log);
    const build = parseBuildInfo('configure arguments: --error-log-path=stderr');
    assert.equal(effectivePath(log, build, masterOf('systemd', bare)), 'stderr');
    const directives = ['main error_log syslog:server=a info'];
    assert.equal(effectivePath(log, build, masterOf('systemd', { ...bare, directives })), 'syslog:server=a');
  });

  it("agrees with the helper's own reading of a real instance", () => {
    for (const name of ['systemd', 'local'] as const) {
      const master = masterOf(name);
      assert.deepEqual(pathsOf(parseBuildInfo(master.build), master), [master.prefix, master.conf, master.pidFile]);
    }
  });
});
