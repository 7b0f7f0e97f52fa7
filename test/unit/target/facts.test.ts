import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFacts, parseUpgrade, processOf, UPGRADE_PHASES } from '../../../src/target/facts.ts';
import { factsOf, heldUpgrade, masterOf, type Raw, recorded } from '../host/recorded.ts';

const upgrade = heldUpgrade();

describe('parseFacts', () => {
  it('reads a host with systemd', () => {
    const { master, ours, ...host } = factsOf('systemd');
    assert.deepEqual(host, {
      uid: 0,
      machine: 'x86_64',
      cpus: 2,
      systemd: true,
      guardKind: 'systemd',
      whyNot: null,
      masters: '41 nginx: master process /usr/sbin/nginx',
    });
    assert.equal(master?.process.pid, 41);
    assert.match(master.process.startTime, /^\d+$/);
    assert.equal(master.magic, '7f454c46');
    assert.equal(master.unit?.name, 'nginx.service');
    assert.equal(master.unit.properties.get('PIDFile'), '/run/nginx.pid');
    assert.match(master.unit.properties.get('ExecReload') ?? '', /argv\[\]=\/bin\/kill -s HUP \$MAINPID ;/);
    assert.deepEqual(
      master.children.map(({ process, accepting }) => [process.pid, accepting]),
      [
        [42, true],
        [43, true],
      ],
    );
    assert.deepEqual([ours.lock, ours.upgrade, ours.previous, ours.last, ours.retained], [null, null, null, null, []]);
  });

  it('reads an instance that was started by hand with its options', () => {
    const master = masterOf('local');
    assert.deepEqual([master.optP, master.optC, master.unit], ['/srv/site/', '/srv/site/conf/nginx.conf', null]);
    assert.equal(master.pidText, String(master.process.pid));
  });

  it('reads the predecessor that still drains', () => {
    const draining = { predecessor: { pid: 7, startTime: '9' }, predecessorWorkers: 3 };
    const { predecessor } = masterOf('committed', draining);
    assert.deepEqual(predecessor, { process: { pid: 7, startTime: '9' }, workers: 3 });
    assert.equal(masterOf('committed').predecessor, null);
    const wrong = recorded('committed', { ...draining, predecessorWorkers: '3' });
    assert.throws(() => parseFacts(wrong), /expected predecessorWorkers to be a number, found "3"/);
  });

  it('reads a held upgrade, its deadline in milliseconds', () => {
    const { ours } = factsOf('held');
    assert.equal(ours.upgrade?.phase, 'held');
    assert.deepEqual([ours.upgrade.oldVersion, ours.upgrade.newVersion], ['1.22.1', '1.26.3']);
    assert.equal(ours.upgrade.deadlineIn, Number(upgrade['deadlineIn']) * 100);
    assert.deepEqual([ours.upgrade.guardLives, ours.upgrade.sameBoot, ours.lockAlive], [true, true, true]);
    assert.equal(ours.lock?.get('who'), 'deploy@runner');
  });

  it('reads what a closed upgrade left', () => {
    const { ours, master } = factsOf('committed');
    assert.deepEqual([ours.last?.get('outcome'), ours.last?.get('why')], ['committed', 'run']);
    assert.equal(ours.previous?.get('version'), '1.22.1');
    assert.equal(ours.previous.get('replaced_by'), master?.sha256);
    assert.deepEqual(ours.retained, [ours.previous.get('sha')]);
  });

  it('reads a host without a master and says why there is none', () => {
    const { master, whyNot, masters } = factsOf('ambiguous');
    assert.deepEqual([master, whyNot], [null, 'ambiguous-master']);
    assert.match(masters, /^\d+ nginx: master process .*; \d+ nginx: master process /);
  });

  it('needs neither machine nor processors where there is no master', () => {
    const { machine, cpus, master } = factsOf('not-running', { machine: null, cpus: null });
    assert.deepEqual([machine, cpus, master], ['', 1, null]);
    assert.throws(() => factsOf('systemd', { machine: 1 }), /expected machine to be text or null, found 1/);
    assert.throws(() => factsOf('systemd', { cpus: '2' }), /expected cpus to be a number or null, found "2"/);
  });

  it('reads which other masters run the same file, none where nothing is said', () => {
    assert.equal(masterOf('systemd', { sharedWith: '7, 9' }).sharedWith, '7, 9');
    assert.equal(masterOf('systemd', { sharedWith: '' }).sharedWith, '');
    assert.equal(masterOf('systemd', { sharedWith: undefined }).sharedWith, '');
    assert.throws(() => masterOf('systemd', { sharedWith: [7] }), /expected sharedWith to be text or null/);
  });

  it('keeps an equals sign within a value', () => {
    const { unit } = masterOf('systemd', {
      unit: { name: 'n', startsBinary: true, properties: ['A=b=c', 'B=', 'C'] },
    });
    assert.deepEqual([unit?.properties.get('A'), unit?.properties.get('B')], ['b=c', '']);
  });

  it('reads values of the books as they were before the helper encoded them', () => {
    const { ours } = factsOf('held', { lock: ['who=100%25 a%0ab', 'run=https://x/%25zz'] });
    assert.deepEqual([ours.lock?.get('who'), ours.lock?.get('run')], ['100% a\nb', 'https://x/%zz']);
  });

  const OPTIONAL = [
    'v',
    'id',
    'verb',
    'ok',

    'optG',
    'whyNot',
    'master',
    'unit',
    'pidText',
    'oldbin',
    'listeners',
    'directives',
    'modules',
    'ledPaths',
    'predecessor',
    'predecessorWorkers',
    'machine',
    'cpus',
    'sharedWith',
    'about',
    'probe',
    'encryptedKeys',
    'broken',
  ];
  const MAY_MISS = new Set([...OPTIONAL, 'children', 'lock', 'upgrade', 'previous', 'last', 'retained']);
  for (const name of Object.keys(recorded('systemd')).filter((key) => !MAY_MISS.has(key))) {
    it(`names ${name} where it is missing or of another type`, () => {
      const named = (error: unknown) => error instanceof TypeError && error.message.includes(`expected ${name} to be`);
      assert.throws(() => parseFacts(recorded('systemd', { [name]: undefined })), named);
      assert.throws(() => parseFacts(recorded('systemd', { [name]: [1] })), named);
    });
  }

  it('names the field of a child, of the unit and of a process', () => {
    const wrong: [Raw, RegExp][] = [
      [{ children: [{ pid: 1 }] }, /a child: expected startTime to be text/],
      [{ children: {} }, /expected children to be objects/],
      [{ unit: { name: 'n', startsBinary: true, properties: [1] } }, /the unit: expected properties to be lines/],
      [{ master: { pid: '1', startTime: '2' } }, /a process: expected pid to be a number, found "1"/],
      [{ listeners: 'none' }, /expected listeners to be lines/],
      [{ ledPaths: '/var/log/nginx:33' }, /expected ledPaths to be lines/],
    ];
    for (const [changes, says] of wrong) assert.throws(() => parseFacts(recorded('systemd', changes)), says);
  });
});

describe('parseUpgrade', () => {
  for (const phase of UPGRADE_PHASES) {
    it(`knows the phase ${phase}`, () => assert.equal(parseUpgrade({ ...upgrade, phase }).phase, phase));
  }

  it('refuses a phase of another version of this program', () => {
    assert.throws(() => parseUpgrade({ ...upgrade, phase: 'flying' }), /phase unknown to this version: flying/);
  });

  it('takes processes that are not there for none', () => {
    const read = parseUpgrade({ ...upgrade, phase: 'staged', newMaster: null });
    assert.deepEqual([read.newMaster, read.oldMaster], [null, masterOf('held').process]);
    assert.equal(processOf(null), null);
  });

  it('tells whether WINCH was sent', () => {
    assert.equal(parseUpgrade(upgrade).parked, true);
    assert.equal(parseUpgrade({ ...upgrade, phase: 'ready', parked: false }).parked, false);
    assert.throws(() => parseUpgrade({ ...upgrade, parked: undefined }), /expected parked to be true or false/);
  });

  it('keeps a deadline that is over negative', () => {
    assert.equal(parseUpgrade({ ...upgrade, deadlineIn: -3 }).deadlineIn, -300);
  });
});
