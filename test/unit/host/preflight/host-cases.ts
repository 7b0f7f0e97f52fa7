import { type Raw, type Recording, unitWith } from '../recorded.ts';

/** One thing that can be wrong with a host, as a change of what was recorded of a good one. */
export interface HostCase {
  code: string;
  where: string;
  from?: Recording;
  changes?: Raw;
  /** What the message has to name. */
  says: RegExp;
  fix: RegExp;
}

/** Younger than any file of the configuration. */
export const worker = {
  pid: 50,
  startTime: '90000000',
  role: 'worker',
  accepting: true,
  sameFile: true,
  watched: 1,
};
const newMaster = { ...worker, role: 'master', accepting: false, sameFile: false };
export const leaving = { ...worker, pid: 51, role: 'leaving', accepting: false };

export const FOUND: HostCase[] = [
  {
    code: 'not-running',
    where: 'no master is the one that the pid file names',
    from: 'not-running',
    says: /Seen: none$/,
    fix: /`pid-file`/,
  },
  {
    code: 'ambiguous-master',
    where: 'several masters run and none is named',
    from: 'ambiguous',
    says: /\d+ nginx: master process .*; \d+ nginx: master process/,
    fix: /`pid-file`/,
  },
  {
    code: 'master-user',
    where: 'the master runs as another user than the one who acts',
    from: 'not-running',
    changes: { whyNot: 'master-user', masters: '7 nginx: master process' },
    says: /another user .* root's rights: 7 nginx: master/,
    fix: /Log in as the user .*`sudo: sudo -n -u NAME`/,
  },
  {
    code: 'pid-file-wrong',
    where: 'it names a master that writes another one',
    from: 'not-running',
    changes: { whyNot: 'other-pid-file', masters: '7 nginx: master process' },
    says: /whose own configuration names another one.* Seen: 7 nginx: master/,
    fix: /Correct `pid-file`/,
  },
  {
    code: 'master-hidden',
    where: "the login may not look into its own user's master",
    from: 'not-running',
    changes: { whyNot: 'master-hidden', masters: '7 nginx: master process' },
    says: /its own nginx master, because .* capabilities: 7 nginx: master/,
    fix: /system service/,
  },
  {
    code: 'container-pid1',
    where: 'the only master lives in a container',
    from: 'not-running',
    changes: { whyNot: 'container-pid1', masters: '7 nginx: master process' },
    says: /7 nginx: master/,
    fix: /orchestrator/,
  },
  {
    code: 'daemon-off',
    where: '`daemon off` is set',
    changes: { daemon: 'off', parent: 7 },
    says: /parent is process 7/,
    fix: /daemon on/,
  },
  {
    code: 'master-process-off',
    where: '`master_process off` is set',
    changes: { masterProcess: 'off' },
    says: /master_process off/,
    fix: /restart/,
  },
  {
    code: 'upgrade-in-progress',
    where: 'the pid file was renamed for the master',
    changes: { oldbin: '41' },
    says: /old master 41, new master none, 0 old workers/,
    fix: /kill -QUIT 41/,
  },
  {
    code: 'upgrade-in-progress',
    where: 'a new master is among the children',
    changes: { children: [newMaster, leaving] },
    says: /new master 50, 1 old workers/,
    fix: /kill -HUP 41, .*kill -QUIT 50/,
  },
  {
    code: 'upgrade-in-progress',
    where: 'the old master of the last upgrade still drains',
    changes: { oldbin: '7', predecessor: { pid: 7, startTime: '9' }, predecessorWorkers: 3 },
    says: /old master 7 .* \(3 workers\)/,
    fix: /kill -TERM 7/,
  },
  {
    code: 'stale-oldbin',
    where: 'an .oldbin of another process lies there',
    changes: { oldbin: '12' },
    says: /\/run\/nginx\.pid\.oldbin .*"12"/,
    fix: /rm \/run\/nginx\.pid\.oldbin/,
  },
  { code: 'stale-oldbin', where: 'an empty .oldbin lies there', changes: { oldbin: '' }, says: /holds ""/, fix: /rm/ },
  {
    code: 'pid-file-missing',
    where: 'there is no pid file',
    changes: { pidText: null },
    says: /\/run\/nginx\.pid is missing/,
    fix: /echo 41 > \/run\/nginx\.pid/,
  },
  {
    code: 'pid-file-wrong',
    where: 'the pid file holds another number',
    changes: { pidText: '42' },
    says: /"42", the master is 41/,
    fix: /echo 41/,
  },
  { code: 'pid-file-wrong', where: 'the pid file is empty', changes: { pidText: '' }, says: /""/, fix: /echo 41/ },
  {
    code: 'pid-directory',
    where: 'its directory cannot be written',
    changes: { pidDirWritable: false },
    says: /not writable/,
    fix: /writable for the user/,
  },
  {
    code: 'pid-directory',
    where: 'the name .oldbin is taken by a directory',
    changes: { oldbin: 'directory' },
    says: /is a directory/,
    fix: /rmdir \/run\/nginx\.pid\.oldbin/,
  },
  {
    code: 'signals-blocked',
    where: 'USR2 is blocked',
    changes: { signals: 'SigBlk:0000000000000800 SigCgt:0000000018016a07 ' },
    says: /catch USR2:/,
    fix: /Restart/,
  },
  {
    code: 'signals-blocked',
    where: 'WINCH and QUIT are not caught',
    changes: { signals: 'SigBlk:0000000000000000 SigCgt:0000000000000800 ' },
    says: /catch WINCH, QUIT:/,
    fix: /Restart/,
  },
  {
    code: 'signals-blocked',
    where: 'the masks cannot be read',
    changes: { signals: '' },
    says: /USR2, WINCH, QUIT/,
    fix: /Restart/,
  },
  {
    code: 'relative-argv0',
    where: 'nginx was started by a name, and it leads to the running file',
    changes: { argv0: 'nginx' },
    says: /"nginx" in \/.* still resolves to the running file \/usr\/sbin\/nginx/,
    fix: /absolute path/,
  },
  {
    code: 'relative-argv0',
    where: 'nginx was started by a name that leads nowhere',
    changes: { argv0: './nginx', path: '', pathInode: '', magic: '' },
    says: /leads to no file that runs/,
    fix: /absolute path/,
  },
  {
    code: 'argv0-not-running-file',
    where: 'another file lies at its path',
    changes: { pathInode: '39:1', exe: '/usr/sbin/nginx (deleted)' },
    says: /runs \/usr\/sbin\/nginx \(deleted\).*another file, \/usr\/sbin\/nginx/,
    fix: /Or accept it: `allow: argv0-not-running-file`/,
  },
  {
    code: 'argv0-not-running-file',
    where: 'nothing lies at its path',
    changes: { pathInode: '', magic: '' },
    says: /leads to no file/,
    fix: /Restart/,
  },
  {
    code: 'shared-binary',
    where: 'another master runs the same file',
    changes: { sharedWith: '7, 9' },
    says: /another master \(7, 9\) runs the same file, \/usr\/sbin\/nginx:/,
    fix: /binary of its own.*`allow: shared-binary`/,
  },
  {
    code: 'wrapper-script',
    where: 'its path leads to a script',
    changes: { magic: ' 23 21 2f 62' },
    says: /script or text/,
    fix: /absolute path of its binary/,
  },
  {
    code: 'immutable',
    where: 'the directory of the binary cannot be written',
    changes: { pathWritable: false },
    says: /directory of \/usr\/sbin\/nginx/,
    fix: /chattr/,
  },
  {
    code: 'systemd-type',
    where: 'the unit is of another type',
    changes: unitWith({ Type: 'notify' }),
    says: /nginx\.service has Type=notify/,
    fix: /Type=forking/,
  },
  {
    code: 'systemd-no-pidfile',
    where: 'the forking unit names no pid file',
    changes: unitWith({ PIDFile: '' }),
    says: /without PIDFile/,
    fix: /PIDFile=\/run\/nginx\.pid/,
  },
  {
    code: 'systemd-pidfile-differs',
    where: 'the unit names another pid file',
    changes: unitWith({ PIDFile: '/run/other.pid' }),
    says: /\/run\/other\.pid, nginx writes \/run\/nginx\.pid/,
    fix: /daemon-reload/,
  },
];
