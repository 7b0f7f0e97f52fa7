import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Facts, type MasterFacts, parseFacts } from '../../src/target/facts.ts';
import { type Instance, OLD, okay, startInstance } from '../support/helper-instance.ts';
import { noShell, SHELLS, type Shell } from '../support/helper-session.ts';
import { freePort } from '../support/port.ts';
import { waitFor } from '../support/wait.ts';

for (const shell of SHELLS) {
  describe(`facts under ${shell}`, { skip: noShell(shell), concurrency: 2 }, () => {
    test('follow what -g says over what the file says', async () => {
      await using instance = await startInstance();
      const { dir } = instance.nginx;
      const pidFile = join(dir, 'run/other one.pid');
      const config = await configWithout('pid', instance);
      const directives = `pid "${pidFile}"; worker_priority 1;`;
      await started(instance, { words: `sbin/nginx -p ${dir}/ -c ${config} -g '${directives}'`, pidFile });
      const master = await masterOf(instance, { pidFile, shell });
      assert.deepEqual([master.pidFile, master.pidDirective, master.conf], [pidFile, pidFile, config]);
    });

    test('find a binary that was started by a relative path', async () => {
      await using instance = await startInstance();
      const { dir, binaryPath } = instance.nginx;
      const pidFile = join(dir, 'run/second.pid');
      const config = await configWith(pidFile, instance);
      await started(instance, { words: `sbin/nginx -p ${dir}/ -c ${config}`, pidFile });
      const master = await masterOf(instance, { pidFile, shell });
      assert.deepEqual([master.argv0, master.cwd, master.path], ['sbin/nginx', dir, binaryPath]);
      assert.equal(master.exeInode, master.pathInode);
    });

    test('never take another file for the binary where its path has blanks', async () => {
      await using instance = await startInstance();
      const { dir } = instance.nginx;
      const pidFile = join(dir, 'run/second.pid');
      const config = await configWith(pidFile, instance);
      const words = `mkdir 'a b' && cp sbin/nginx 'a b/nginx' && '${dir}/a b/nginx' -p ${dir}/ -c ${config}`;
      await started(instance, { words, pidFile });
      const master = await masterOf(instance, { pidFile, shell });
      assert.match(master.title, /a b\/nginx/);
      if (master.path !== join(dir, 'a b/nginx')) assert.notEqual(master.pathInode, master.exeInode);
    });

    test('find the master whose pid file is gone by the configuration that names it', async () => {
      await using instance = await startInstance();
      const { pidFile } = instance.nginx;
      const pid = await instance.nginx.masterPid();
      rmSync(pidFile);
      const master = await masterOf(instance, { pidFile, shell });
      assert.deepEqual([master.process.pid, master.pidText], [pid, null]);
    });

    for (const [what, text, told] of [
      ['empty', '', ''],
      ['no number', 'x; rm -rf /\n', '(no number)'],
      ['the number of another process', `${process.pid}\n`, String(process.pid)],
    ] as const) {
      test(`tell that a pid file is wrong where it holds ${what}`, async () => {
        await using instance = await startInstance();
        const { pidFile } = instance.nginx;
        const pid = await instance.nginx.masterPid();
        writeFileSync(pidFile, text);
        const master = await masterOf(instance, { pidFile, shell });
        assert.deepEqual([master.process.pid, master.pidText], [pid, told]);
      });
    }

    test('say so where no master writes that pid file', async () => {
      await using instance = await startInstance();
      const facts = await factsOf(instance, { pidFile: join(instance.nginx.dir, 'run/none.pid'), shell });
      assert.deepEqual([facts.master, facts.whyNot], [null, 'not-running']);
    });

    test('change nothing', async () => {
      await using instance = await startInstance();
      const { dir, pidFile } = instance.nginx;
      const listing = async () => (await instance.nginx.run(`find ${dir} -printf '%p %m %U %s %T@\\n' | sort`)).stdout;
      const before = await listing();
      await factsOf(instance, { pidFile, shell });
      assert.equal(await listing(), before);
      await instance.assertRest(OLD);
    });
  });
}

async function factsOf(instance: Instance, { pidFile, shell }: { pidFile: string; shell: Shell }): Promise<Facts> {
  const helper = await instance.helper({ shell });
  return parseFacts(okay(await helper.ask('facts', { pid_file: pidFile })).fields);
}

async function masterOf(instance: Instance, where: { pidFile: string; shell: Shell }): Promise<MasterFacts> {
  const { master, whyNot, masters } = await factsOf(instance, where);
  assert.ok(master, `expected a master, found ${whyNot}: ${masters}`);
  return master;
}

/** Starts a second nginx in the instance's folder. */
async function started({ nginx }: Instance, { words, pidFile }: { words: string; pidFile: string }): Promise<void> {
  const { code, stderr } = await nginx.run(`cd ${nginx.dir} && ${words}`);
  assert.equal(code, 0, stderr);
  await waitFor('a pid file', () => contentOf(pidFile) !== '');
}

async function configWith(pidFile: string, instance: Instance): Promise<string> {
  const path = await configWithout('pid', instance);
  writeFileSync(path, `pid ${pidFile};\n${readFileSync(path, 'utf8')}`);
  return path;
}

/** The instance's configuration on another port, without one of its main directives. */
async function configWithout(name: string, { nginx }: Instance): Promise<string> {
  const path = join(nginx.dir, 'conf/second.conf');
  const text = readFileSync(nginx.configFile, 'utf8').replaceAll(String(nginx.port), String(await freePort()));
  writeFileSync(path, text.replace(new RegExp(`^${name} .*$`, 'm'), ''));
  return path;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
