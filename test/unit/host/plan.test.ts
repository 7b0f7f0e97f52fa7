import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Refused } from '../../../src/errors.ts';
import { planHost } from '../../../src/host/plan.ts';
import { buildOf, factsOf, heldUpgrade, masterOf } from './recorded.ts';
import { BINARY, configOf, scriptedAgent, scriptedRun, type Script } from './scripted-run.ts';

const passed = { versionExit: 0, untested: '', build: '', test: [], left: [], testExit: 0 };

function planning(script: Script, changes: Parameters<typeof scriptedRun>[1] = {}) {
  const scripted = scriptedAgent({ ...script, answers: { check: [passed], ...script.answers } });
  return { run: scriptedRun(scripted.agent, { binary: BINARY, ...changes }), ...scripted };
}

function refusedWith(...codes: string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof Refused, String(error));
    assert.deepEqual(
      error.findings.map(({ code }) => code),
      codes,
    );
    return true;
  };
}

describe('planHost', () => {
  it('lists the steps in the words of this host, and leaves nothing there', async () => {
    const { run, verbs, asked } = planning({});
    await planHost(run);
    assert.deepEqual([run.result.outcome, asked[0]?.[1]['kind']], ['planned', 'plan']);
    assert.deepEqual(verbs(), ['prepare', 'receive', 'check', 'unstage']);
    assert.deepEqual(run.result.notes, [
      'Would replace 1.22.1 by 1.26.3 at /usr/sbin/nginx',
      'Guard: a transient systemd service, 120 s without a sign of life and it rolls back',
      '1. stage the file in a directory beside /usr/sbin/nginx, swap it in, USR2 to 41, put the old file back',
      '2. wait until the new workers accept on all 1 listeners',
      '3. WINCH to 41, wait until no old worker accepts',
      '4. bake for 0 s',
      '5. install the file and send QUIT to 41',
      'If anything fails before 5: HUP to 41 where none of its workers accepts, QUIT to the new master',
    ]);
  });

  it('tells of a canary and of holding where they were asked for, and of a guard without systemd', async () => {
    const config = configOf({ switch: { canaryTime: 30_000, bakeTime: 60_000, autoCommit: false } });
    const { run } = planning({ facts: [factsOf('local')] }, { config });
    await planHost(run);
    const notes = run.result.notes.join('\n');
    assert.match(notes, /^Guard: a detached process/m);
    assert.match(notes, /^2\. .* watch both for 30 s$/m);
    assert.match(notes, /^4\. bake for 60 s$/m);
    assert.match(notes, /^5\. hold: \d+ stays parked until `commit`$/m);
  });

  it('says what could not be judged without a binary, and sends nothing', async () => {
    const scripted = scriptedAgent();
    const run = scriptedRun(scripted.agent);
    await planHost(run);
    assert.deepEqual([run.result.outcome, scripted.verbs()], ['planned', []]);
    assert.match(
      run.result.notes.join('\n'),
      /^Not judged without a binary: .*\nWould replace 1\.22\.1 by the new version/,
    );
  });

  it('sends nothing where the target runs this very binary already', async () => {
    const { run, verbs } = planning({}, { binary: { ...BINARY, sha256: masterOf('systemd').sha256 } });
    await planHost(run);
    assert.deepEqual([run.result.outcome, verbs()], ['planned', []]);
    assert.match(run.result.notes.join(), /nothing would be done \(`unchanged`\)/);
  });

  it('refuses in the middle of an upgrade and names who is at it', async () => {
    const upgrade = heldUpgrade({ phase: 'retired' });
    const { run, verbs } = planning({ facts: [factsOf('held', { upgrade })] });
    await assert.rejects(planHost(run), (error) => {
      assert.match(String(error), /deploy@runner, process 1 on runner, phase retired/);
      return refusedWith('locked')(error);
    });
    assert.deepEqual(verbs(), []);
  });

  it('refuses where an upgrade is held, and says what ends it', async () => {
    const { run, verbs } = planning({ facts: [factsOf('held')] });
    await assert.rejects(planHost(run), (error) => {
      assert.match(String(error), /is held on this host by deploy@runner \(process 1 on runner\)/);
      return refusedWith('upgrade-in-progress')(error);
    });
    assert.deepEqual(verbs(), []);
  });

  it('refuses before anything is sent where the host is not fit', async () => {
    const { run, verbs } = planning({ facts: [factsOf('systemd', { daemon: 'off', pidText: '7' })] });
    await assert.rejects(planHost(run), refusedWith('daemon-off', 'pid-file-wrong'));
    assert.deepEqual(verbs(), []);
  });

  it("refuses a binary that does not take the host's configuration, and cleans up", async () => {
    const failed = { ...passed, testExit: 1, test: ['nginx: [emerg] invalid number of arguments in "listen"'] };
    const { run, verbs } = planning({ answers: { check: [failed] } });
    await assert.rejects(planHost(run), (error) => {
      assert.match(String(error), /invalid number of arguments/);
      return refusedWith('config-test-failed')(error);
    });
    assert.equal(verbs().at(-1), 'unstage');
  });

  const CANNOT_LOAD: [said: string, code: string][] = [
    [
      'nginx: [emerg] module "/m/a.so" version 1022001 instead of 1026003 in /etc/nginx/nginx.conf:1',
      'module-signature',
    ],
    ['nginx: [emerg] module "/m/a.so" is not binary compatible in /etc/nginx/nginx.conf:1', 'module-signature'],
    ['nginx: [emerg] dlopen() "/m/a.so" failed (/m/a.so: undefined symbol: ngx_x) in x:1', 'module-signature'],
  ];
  for (const [said, code] of CANNOT_LOAD) {
    it(`tells by the words of the configuration test what it comes down to: ${said.slice(16, 60)}`, async () => {
      const { run, verbs } = planning({ answers: { check: [{ ...passed, testExit: 1, test: [said] }] } });
      await assert.rejects(planHost(run), (error) => String(error).includes(said) && refusedWith(code)(error));
      assert.equal(verbs().at(-1), 'unstage');
    });
  }

  for (const [what, lacking, code] of [
    ['lacks a module of the running one', [['--with-http_realip_module', '']], 'module-lost'],
    ['has all modules of the running one', [], 'config-test-failed'],
  ] as [string, [string, string][], string][]) {
    it(`takes an unknown directive for ${code} where the binary ${what}`, async () => {
      const test = ['nginx: [emerg] unknown directive "set_real_ip_from" in /etc/nginx/nginx.conf:5'];
      const binary = { ...BINARY, build: buildOf([['nginx/1.22.1', 'nginx/1.26.3'], ...lacking]) };
      const { run } = planning({ answers: { check: [{ ...passed, testExit: 1, test }] } }, { binary });
      await assert.rejects(planHost(run), refusedWith(code));
    });
  }

  const CANNOT_RUN: [said: string, code: string][] = [
    ['new: error while loading shared libraries: libpcre2-8.so.0: cannot open shared object file', 'missing-library'],
    ["new: /lib/libc.so.6: version `GLIBC_2.38' not found (required by new)", 'libc'],
    ['sh: new: Exec format error', 'architecture'],
  ];
  for (const [said, code] of CANNOT_RUN) {
    it(`refuses a binary that cannot run there as ${code}, with what it said`, async () => {
      const { run, verbs } = planning({ answers: { check: [{ versionExit: 127, untested: '', build: said }] } });
      await assert.rejects(planHost(run), (error) => String(error).includes(said) && refusedWith(code)(error));
      assert.equal(verbs().at(-1), 'unstage');
    });
  }

  it('does not refuse for what fails outside of the mounts of the master, and tells how it failed', async () => {
    const test = ['nginx: [emerg] mkdir() "/tmp/a" failed', 'nginx: configuration file test failed'];
    const { run } = planning({ answers: { check: [{ ...passed, testExit: null, untested: 'outside', test }] } });
    await planHost(run);
    assert.match(
      run.result.notes.join('\n'),
      /not tested: .* no way in .* it failed: nginx: \[emerg\] mkdir\(\) "\/tmp\/a" failed$/m,
    );
  });

  it('names what a test made that could not be removed again', async () => {
    const { run } = planning({ answers: { check: [{ ...passed, left: ['/tmp/a.log'] }] } });
    await planHost(run);
    assert.match(run.result.notes.join('\n'), /^`nginx -t` made what was not there before .*: \/tmp\/a\.log\.$/m);
  });

  it('judges a binary that this machine cannot run by what it says on the target', async () => {
    const build = { flavour: '', version: '', arguments: [] };
    const said = masterOf('systemd').build.replace('nginx/1.22.1', 'openresty/1.27.1.1');
    const { run, asked } = planning(
      { answers: { check: [{ ...passed, build: said }] } },
      { binary: { ...BINARY, build } },
    );
    await assert.rejects(planHost(run), refusedWith('flavour-differs'));
    assert.deepEqual(
      asked.filter(([verb]) => verb === 'check').map(([, { test }]) => test),
      ['no'],
    );
  });

  it('refuses where another run holds the lock, and does not touch its files', async () => {
    const { run, verbs } = planning({ answers: { prepare: [['locked']] } });
    await assert.rejects(planHost(run), refusedWith('locked'));
    assert.ok(!verbs().includes('unstage'));
  });
});
