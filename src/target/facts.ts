import { parseBuildInfo } from '../nginx/build-info.ts';
import type { Directive } from '../nginx/server.ts';
import type { ProcessId } from '../report/result.ts';
import { fieldsOf, isObject } from './answer.ts';
import { parseProbed, type ProbedPort } from './probed-port.ts';
import { parseSurroundings, type Surroundings } from './surroundings.ts';

/** What the helper found on the target, in one round trip and without changing anything. */
export interface Facts {
  uid: number;
  /** `uname -m`; empty where no master was found. */
  machine: string;
  cpus: number;
  systemd: boolean;
  /** What kind of process would guard an upgrade there: `systemd`, `systemd-user`, `detached`. */
  guardKind: string;
  /** Why no master was found, as a preflight code; null where one was. */
  whyNot: string | null;
  /** Every master seen, one text for people. */
  masters: string;
  master: MasterFacts | null;
  ours: OwnFacts;
}

export interface MasterFacts {
  /** `uname -m`. */
  machine: string;
  process: ProcessId;
  parent: number;
  /** The old master of a committed upgrade, while it drains its last connections. */
  predecessor: { process: ProcessId; workers: number } | null;
  uid: number;
  title: string;
  /** The title is longer than what is read of it. */
  titleCut: boolean;
  /** What holds control characters or `|`, as words of ours: `cwd`, `binary`, `error_log` and the like. */
  unsafe: string[];
  argv0: string;
  cwd: string;
  /** argv[0], resolved to the file behind all links. */
  path: string;
  /** Who can change what lies in its directory: empty where only root can, the number of one user, or `several`. */
  binaryPlace: string;
  /** The same for the directories of all modules that are loaded; `none` without any. */
  modulesPlace: string;
  /** `readlink /proc/PID/exe`. */
  exe: string;
  exeInode: string;
  /** Other masters that run the same file, by number; empty: none. */
  sharedWith: string;
  /** Inode of `path`; empty where nothing is there. */
  pathInode: string;
  /** First four bytes of `path`, hexadecimal. */
  magic: string;
  sha256: string;
  /** Output of `nginx -V`, one line. */
  build: string;
  signals: string;
  sameMounts: boolean;
  /** What lies beside the binary lies there for the master, too. */
  sameRoot: boolean;
  /** It lies in the network namespace that the helper lies in, and in which probes through the connection end. */
  sameNetwork: boolean;
  /** What stands there at the port that is probed; empty where none was asked for. */
  probed: ProbedPort;
  surroundings: Surroundings;
  /** That the running file came with; empty: none, or unknown. */
  package: string;
  /** File capabilities of the binary, as getcap prints them; empty where it has none. */
  fileCapabilities: string;
  /** What `nginx` means without a path, where that is another file than the one that runs, with what it says of itself. */
  pathNginx: { path: string; version: string } | null;
  diskFreeKb: number;
  pathWritable: boolean;
  prefix: string;
  conf: string;
  pidFile: string;
  optC: string;
  optP: string;
  optE: string;
  pidDirective: string;
  user: string;
  daemon: string;
  masterProcess: string;
  workerProcesses: string;
  acceptMutex: string;
  errorLog: string;
  /** What the configuration on disk says, reduced to what matters. */
  directives: Directive[];
  /** Files behind `load_module`, resolved. */
  modules: string[];
  /** The file of the configuration that was written last; seconds since the epoch. */
  newestConfig: { at: number; file: string } | null;
  /** Files of private keys that want a passphrase. */
  encryptedKeys: string[];
  /** When all this was read: seconds since the epoch, and since the start of the machine. */
  clock: { epoch: number; uptime: number };
  /** `glibc 2.36`; empty: another library, or unknown. */
  libc: string;
  /** Sonames that the loader knows there. */
  libraries: ReadonlySet<string>;
  /** Content of the pid file; null where there is none. */
  pidText: string | null;
  /** Content of `PIDFILE.oldbin`, `directory`, or null. */
  oldbin: string | null;
  /** Where a master of root opens or makes something by its name, and who else leads that; `user` null: several. */
  ledPaths: { directory: string; user: string | null }[];
  pidDirWritable: boolean;
  listeners: string[];
  children: ChildFacts[];
  unit: UnitFacts | null;
}

export interface ChildFacts {
  process: ProcessId;
  role: Role;
  accepting: boolean;
  /** Runs the same file as the master: a worker; else a new master, or a log pipe. */
  sameFile: boolean;
  /** Sockets that it watches besides the listeners and the channel to its master: with clients, upstreams, resolvers. */
  connections: number;
}

/** What a process of nginx says it is: `leaving` is a worker that shuts down, `cache` also a privileged agent. */
const ROLES = ['worker', 'leaving', 'master', 'cache', 'other'] as const;
export type Role = (typeof ROLES)[number];

export interface UnitFacts {
  name: string;
  /** It is started by the very file that the master's command line names. */
  startsBinary: boolean;
  properties: ReadonlyMap<string, string>;
}

/** What a present or earlier run of ours left in this instance's directory. */
export interface OwnFacts {
  directory: string;
  lock: ReadonlyMap<string, string> | null;
  /** A guard or an actor of that lock lives. */
  lockAlive: boolean;
  upgrade: UpgradeFacts | null;
  /** Why the books of an upgrade that is there cannot be read; null where they can, or where there are none. */
  broken: string | null;
  /** What a rollback would go back to: `sha`, `version`, `replaced_by`. */
  previous: ReadonlyMap<string, string> | null;
  /** How the last upgrade was closed: `nonce`, `outcome`, `why`. */
  last: ReadonlyMap<string, string> | null;
  retained: string[];
}

export const UPGRADE_PHASES = [
  'staged',
  'rehearsing',
  'begun',
  'ready',
  'retired',
  'held',
  'committing',
  'undoing',
] as const;

/** An upgrade under way. */
export interface UpgradeFacts {
  nonce: string;
  phase: (typeof UPGRADE_PHASES)[number];
  kind: string;
  run: string;
  who: string;
  oldSha256: string;
  newSha256: string;
  oldVersion: string;
  newVersion: string;
  guardKind: string;
  oldMaster: ProcessId | null;
  newMaster: ProcessId | null;
  /** WINCH was sent: the new generation serves alone. */
  parked: boolean;
  oldLives: boolean;
  newLives: boolean;
  decision: string;
  decisionWhy: string;
  guardLives: boolean;
  sameBoot: boolean;
  /** Milliseconds until the guard rolls back; negative when over. */
  deadlineIn: number;
}

type Raw = Record<string, unknown>;

/** Throws TypeError where a field is missing or of another type. */
export function parseFacts(raw: Raw): Facts {
  const read = fieldsOf(raw, 'facts');
  return {
    uid: read.number('uid'),
    machine: read.textOrNull('machine') ?? '',
    cpus: read.numberOrNull('cpus') ?? 1,
    systemd: read.flag('systemd'),
    guardKind: read.text('guardKind'),
    whyNot: read.textOrNull('whyNot'),
    masters: read.text('masters'),
    master: isObject(raw['master']) ? parseMaster(raw) : null,
    ours: parseOwn(raw),
  };
}

function parseMaster(raw: Raw): MasterFacts {
  const read = fieldsOf(raw, 'facts of the master');
  const unit = read.object('unit');
  const predecessor = processOf(read.object('predecessor'));
  return {
    machine: read.textOrNull('machine') ?? '',
    title: read.text('title'),
    titleCut: read.flag('titleCut'),
    unsafe: words(read.text('unsafe')),
    argv0: read.text('argv0'),
    cwd: read.text('cwd'),
    path: read.text('path'),
    binaryPlace: read.text('binaryPlace'),
    modulesPlace: read.text('modulesPlace'),
    exe: read.text('exe'),
    exeInode: read.text('exeInode'),
    sharedWith: read.textOrNull('sharedWith') ?? '',
    pathInode: read.text('pathInode'),
    magic: read.text('magic').replaceAll(' ', ''),
    sha256: read.text('sha256'),
    build: read.text('build'),
    signals: read.text('signals'),
    prefix: read.text('prefix'),
    conf: read.text('conf'),
    pidFile: read.text('pidFile'),
    optC: read.text('optC'),
    optP: read.text('optP'),
    optE: read.text('optE'),
    libc: read.text('libc'),
    libraries: new Set(words(read.text('libraries'))),
    directives: read.lines('directives').map(parseDirective),
    modules: read.lines('modules'),
    pidDirective: read.text('pidDirective'),
    user: read.text('user'),
    daemon: read.text('daemon'),
    masterProcess: read.text('masterProcess'),
    workerProcesses: read.text('workerProcesses'),
    acceptMutex: read.text('acceptMutex'),
    errorLog: read.text('errorLog'),
    process: processOf(read.object('master')) ?? { pid: 0, startTime: '' },
    parent: read.number('parent'),
    predecessor: predecessor === null ? null : { process: predecessor, workers: read.number('predecessorWorkers') },
    uid: read.number('masterUid'),
    sameMounts: read.flag('sameMounts'),
    sameRoot: read.flag('sameRoot'),
    sameNetwork: read.flag('sameNetwork'),
    probed: parseProbed(read.lines('probe')),
    surroundings: parseSurroundings(read.lines('about')),
    package: read.text('package'),
    fileCapabilities: read.text('fileCapabilities'),
    pathNginx: otherNginx(read.text('pathNginx'), read.text('pathNginxVersion')),
    newestConfig: newestOf(read.text('newestConfig')),
    encryptedKeys: read.lines('encryptedKeys'),
    clock: { epoch: read.number('epoch'), uptime: read.number('uptime') },
    diskFreeKb: read.number('diskFreeKb'),
    pathWritable: read.flag('pathWritable'),
    pidText: read.textOrNull('pidText'),
    oldbin: read.textOrNull('oldbin'),
    ledPaths: read.lines('ledPaths').map(parseLed),
    pidDirWritable: read.flag('pidDirWritable'),
    listeners: read.lines('listeners'),
    children: read.objects('children').map(parseChild),
    unit: unit === null ? null : parseUnit(unit),
  };
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}

function parseDirective(line: string): Directive {
  const [context = '', name = '', ...args] = line.split(' ');
  return { context, name, args: args.join(' ') };
}

function otherNginx(path: string, said: string): MasterFacts['pathNginx'] {
  return path === '' ? null : { path, version: parseBuildInfo(said).version };
}

function parseLed(line: string): MasterFacts['ledPaths'][number] {
  const at = line.lastIndexOf(':');
  return { directory: line.slice(0, at), user: line.slice(at + 1).trim() || null };
}

function newestOf(text: string): MasterFacts['newestConfig'] {
  const [, at, file] = /^(\d+) (.+)$/.exec(text) ?? [];
  return at === undefined || file === undefined ? null : { at: Number(at), file };
}

function parseChild(raw: Raw): ChildFacts {
  const read = fieldsOf(raw, 'facts of a child');
  return {
    process: { pid: read.number('pid'), startTime: read.text('startTime') },
    role: ROLES.find((role) => role === raw['role']) ?? 'other',
    accepting: read.flag('accepting'),
    sameFile: read.flag('sameFile'),
    connections: Math.max(0, read.number('watched') - 1),
  };
}

function parseUnit(raw: Raw): UnitFacts {
  const read = fieldsOf(raw, 'facts of the unit');
  const properties = keyValues(read.lines('properties'));
  return { name: read.text('name'), startsBinary: read.flag('startsBinary'), properties };
}

function parseOwn(raw: Raw): OwnFacts {
  const read = fieldsOf(raw, 'facts of earlier runs');
  const table = (name: string) => (Array.isArray(raw[name]) ? keyValues(read.lines(name), decoded) : null);
  const upgrade = read.object('upgrade');
  return {
    directory: read.text('directory'),
    lock: table('lock'),
    lockAlive: read.flag('lockAlive'),
    upgrade: upgrade === null ? null : parseUpgrade(upgrade),
    broken: read.textOrNull('broken'),
    previous: table('previous'),
    last: table('last'),
    retained: read.lines('retained'),
  };
}

export function parseUpgrade(raw: Raw): UpgradeFacts {
  const read = fieldsOf(raw, 'facts of the upgrade under way');
  const phase = UPGRADE_PHASES.find((known) => known === raw['phase']);
  if (phase === undefined)
    throw new TypeError(`the target is in a phase unknown to this version: ${read.text('phase')}`);
  return {
    nonce: read.text('nonce'),
    phase,
    kind: read.text('kind'),
    run: read.text('run'),
    who: read.text('who'),
    oldSha256: read.text('old_sha'),
    newSha256: read.text('new_sha'),
    oldVersion: read.text('old_version'),
    newVersion: read.text('new_version'),
    guardKind: read.text('guard_kind'),
    oldMaster: processOf(read.object('oldMaster')),
    newMaster: processOf(read.object('newMaster')),
    parked: read.flag('parked'),
    oldLives: read.flag('oldLives'),
    newLives: read.flag('newLives'),
    decision: read.text('decision'),
    decisionWhy: read.text('decisionWhy'),
    guardLives: read.flag('guardLives'),
    sameBoot: read.flag('sameBoot'),
    deadlineIn: read.number('deadlineIn') * 100,
  };
}

/** A process record of the helper; null where there is none. */
export function processOf(raw: Raw | null): ProcessId | null {
  if (raw === null) return null;
  const read = fieldsOf(raw, 'a process');
  return { pid: read.number('pid'), startTime: read.text('startTime') };
}

function keyValues(lines: string[], read = (value: string) => value): ReadonlyMap<string, string> {
  return new Map(lines.map((line) => [line.split('=', 1)[0] ?? '', read(line.slice(line.indexOf('=') + 1))]));
}

/** In its books the helper writes `%`, `|` and control characters by their numbers. */
function decoded(value: string): string {
  return value.replaceAll(/%([0-7][0-9a-f])/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
