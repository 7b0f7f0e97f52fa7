import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Instance, OLD, okay, startInstance } from '../support/helper-instance.ts';
import { type HelperOptions, noShell, SHELLS } from '../support/helper-session.ts';
import { signal } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

const notRoot = process.getuid?.() === 0 ? false : 'takes root';

for (const shell of SHELLS) {
  describe(`a test of the configuration under ${shell}`, { skip: noShell(shell), concurrency: 2 }, () => {
    test('removes what it made, and nothing else', async () => {
      await using instance = await startInstance();
      const { dir } = instance.nginx;
      for (const name of ['empty', 'blank ']) writeFileSync(join(dir, `logs/${name}.log`), '');
      mkdirSync(join(dir, 'temp/empty'));
      symlinkSync('led.log', join(dir, 'logs/link.log'));
      // Words that mean something else in the other of both directives, and are names of files here.
      edit(instance, 'location /', 'location /o { error_log off; access_log stderr; } location /');
      const logs = ['empty', 'blank ', 'link', 'new', '../logs/other', "it's"];
      edit(instance, 'location /', `${logs.map((name) => `access_log "logs/${name}.log";`).join(' ')} location /`);
      edit(instance, /uwsgi_temp_path .*;/, 'uwsgi_temp_path temp/new/;');
      edit(instance, /scgi_temp_path .*;/, 'scgi_temp_path temp/new/inner;');
      edit(
        instance,
        'location /',
        'location /a { proxy_temp_path temp/of-location; error_log logs/of-location.log; } location /',
      );
      edit(
        instance,
        'access_log off;',
        'proxy_cache_path temp/empty keys_zone=a:1m; proxy_cache_path temp/later keys_zone=b:1m;',
      );
      const before = files(instance);
      const helper = await instance.helper({ shell });
      const { checked } = await instance.stage(helper);
      assert.deepEqual([checked.fields['testExit'], checked.fields['left']], [0, []], String(checked.fields['test']));
      await instance.unstage(helper);
      assert.deepEqual(files(instance), before);
      await instance.assertRest(OLD);
    });

    test('leaves and names a log that it wrote to', async () => {
      await using instance = await startInstance();
      const { dir } = instance.nginx;
      edit(instance, /error_log .*;/, `error_log ${dir}/logs/later.log;`);
      edit(instance, 'listen ', 'listen 192.0.2.1:81; access_log logs/other.log; listen ');
      const before = files(instance);
      const helper = await instance.helper({ shell });
      const { checked } = await instance.stage(helper);
      assert.deepEqual([checked.fields['testExit'], checked.fields['left']], [1, [`${dir}/logs/later.log`]]);
      await instance.unstage(helper);
      assert.deepEqual(
        files(instance).filter((line) => !before.includes(line)),
        ['./logs/later.log f'],
      );
    });

    test('sees the mounts of the master, and leaves nothing there', { skip: notRoot }, async () => {
      await using instance = await startInstance();
      await inMountsOfItsOwn(instance);
      await leavesNothing(instance, { shell });
    });
  });
}

describe('a test of the configuration that was cut off', () => {
  for (const [by, takesOver] of [
    ['the guard', false],
    ['whoever takes over', true],
  ] as const) {
    test(`is ended, and what it made removed, by ${by}`, async () => {
      await using instance = await startInstance();
      const { dir } = instance.nginx;
      // Nobody reads it: `-t` waits when it comes to that.
      execFileSync('mkfifo', [join(dir, 'logs/pipe')]);
      edit(instance, 'location /', 'access_log logs/new.log; access_log logs/pipe; location /');
      edit(instance, /uwsgi_temp_path .*;/, 'uwsgi_temp_path temp/new;');
      const before = files(instance);
      const helper = await instance.helper();
      instance.stage(helper).catch(() => {});
      await waitFor('what it makes', () => files(instance).includes('./logs/new.log f'));
      signal(helper.pid, 'SIGKILL');
      if (takesOver) {
        const other = await instance.helper();
        okay(await other.ask('facts', { pid_file: instance.nginx.pidFile }));
        okay(await other.ask('adopt', { nonce: instance.nonce }));
        await instance.unstage(other);
      } else instance.expire();
      await instance.restWithin(OLD, 20_000);
      assert.deepEqual(files(instance), before);
    });
  }
});

test(
  'a test of the configuration enters the mounts of the master with busybox as well',
  { skip: notRoot || noShell('busybox sh') },
  async () => {
    await using instance = await startInstance();
    await inMountsOfItsOwn(instance);
    await leavesNothing(instance, { shell: 'busybox sh', busyboxIn: instance.mark('a') });
  },
);

/** Has nginx start anew where `own` is a directory that nobody else sees, and then be told to make something in there. */
async function inMountsOfItsOwn(instance: Instance): Promise<void> {
  const { dir, binaryPath, configFile } = instance.nginx;
  mkdirSync(join(dir, 'own'));
  signal(await instance.nginx.masterPid(), 'SIGQUIT');
  await waitFor('its end', () => instance.processes().length === 0);
  const start = `${binaryPath} -p ${dir}/ -c ${configFile} -e ${dir}/logs/error.log`;
  const script = `mount -t tmpfs none ${dir}/own && mkdir ${dir}/own/a && exec ${start}`;
  execFileSync('unshare', ['-m', 'sh', '-c', script], { stdio: 'ignore' });
  await waitFor('its pid file', () =>
    instance.nginx.masterPid().then(
      (pid) => pid > 0,
      () => false,
    ),
  );
  edit(instance, 'location /', 'access_log own/a/later.log; location /b { scgi_temp_path own/a/later; } location /');
}

async function leavesNothing(instance: Instance, options: HelperOptions): Promise<void> {
  const { dir } = instance.nginx;
  const inside = ['-t', String(await instance.nginx.masterPid()), '-m', 'find', `${dir}/own`, '-printf', '%p %y %s\n'];
  const both = () => [execFileSync('nsenter', inside, { encoding: 'utf8' }), ...files(instance)];
  const before = both();
  const helper = await instance.helper(options);
  const { checked } = await instance.stage(helper);
  const { testExit, untested, left, test: said } = checked.fields;
  assert.deepEqual([testExit, untested, left], [0, '', []], String(said));
  await instance.unstage(helper);
  const now = both();
  // Where busybox takes the place of all programs, its links lie in here.
  assert.deepEqual(
    now.filter((line) => !line.startsWith('./home/')),
    before.filter((line) => !line.startsWith('./home/')),
  );
}

/** Everything of the instance, with its kind. */
function files({ nginx }: Instance): string[] {
  const options = { cwd: nginx.dir, encoding: 'utf8' } as const;
  return execFileSync('find', ['.', '-printf', '%p %y\n'], options).trim().split('\n').sort();
}

function edit({ nginx }: Instance, from: string | RegExp, to: string): void {
  const text = readFileSync(nginx.configFile, 'utf8');
  const edited = text.replace(from, () => to);
  assert.notEqual(edited, text);
  writeFileSync(nginx.configFile, edited);
}
