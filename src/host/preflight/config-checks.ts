import { listenerAddress, type Listens, listensIn, socketsFor } from '../../nginx/listen.ts';
import type { Facts, MasterFacts } from '../../target/facts.ts';
import { wantedWorkers } from '../workers.ts';
import type { Found, MasterCheck } from './check.ts';

/** Of the configuration on disk, which the new master reads, against what the running one was given. */
export const CONFIG_CHECKS: MasterCheck[] = [
  { code: 'config-drift', check: configDrift },
  { code: 'unix-listen-removed', check: unixListenRemoved },
  { code: 'listen-changed', check: listenChanged },
  { code: 'reuseport-fewer-workers', check: reuseportFewerWorkers },
  {
    code: 'quic',
    check: (master) =>
      listensOf(master).quic
        ? {
            message:
              'the configuration listens for QUIC: its connections do not survive, and new ones may fail while old workers leave',
            fix: 'There is no way around it in nginx yet; a short `worker_shutdown_timeout` keeps that time short.',
          }
        : undefined,
  },
  { code: 'passphrase-key', check: passphraseKey },
];

const RELOAD = 'Reload nginx first (`nginx -s reload`) and see that it is well, then upgrade.';

/** USER_HZ, in which /proc/PID/stat counts: 100 on every architecture that nginx is built for. */
const TICKS = 100;

/**
 * Workers since the last reload are as old as the configuration that they have. One that was replaced is younger: the
 * oldest counts. `epoch` was cut to whole seconds, and so were the times of the files: a second is left to that.
 */
function configDrift(master: MasterFacts, facts: Facts): Found {
  const { newestConfig, clock } = master;
  const starts = master.children
    .filter(({ accepting, sameFile }) => accepting && sameFile)
    .map(({ process }) => Number(process.startTime) / TICKS);
  if (newestConfig === null || starts.length === 0 || listensDiffer(master, facts)) return undefined;
  const loaded = clock.epoch - clock.uptime + Math.min(...starts);
  if (newestConfig.at < loaded + 1) return undefined;
  const at = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/\.\d+/, '');
  return {
    message: `${newestConfig.file} was written at ${at(newestConfig.at)}, the workers run since ${at(loaded)}: the upgrade would deploy that change as well, and its errors would be blamed on the new version`,
    fix: RELOAD,
  };
}

/** The new master deletes what it inherited and no longer listens on (ngx_close_listening_sockets). */
function unixListenRemoved(master: MasterFacts): Found {
  const removed = removedFrom(master).filter((address) => address.startsWith('unix:'));
  if (removed.length === 0) return undefined;
  return {
    message: `nginx listens on ${removed.join(', ')}, which the configuration on disk no longer has: the new master would delete it, and going back would leave the old one unreachable there`,
    fix: RELOAD,
  };
}

function listenChanged(master: MasterFacts, facts: Facts): Found {
  const removed = removedFrom(master).filter((address) => !address.startsWith('unix:'));
  const added = addedTo(master);
  if (removed.length > 0 || added.length > 0) {
    const changes = [...added.map((address) => `+ ${address}`), ...removed.map((address) => `- ${address}`)];
    return {
      message: `the configuration on disk does not listen where nginx does (${changes.join(', ')}): the new master would bind by itself, which fails where the old one still holds the port`,
      fix: RELOAD,
    };
  }
  const workers = wantedWorkers(master, facts);
  const more = reuseported(master).find(({ sockets }) => sockets < workers);
  if (more === undefined) return undefined;
  return {
    message: `${more.address} has ${more.sockets} sockets, and ${workers} with the configuration on disk: what is queued on the new ones is lost if the upgrade is taken back`,
    fix: RELOAD,
    mild: true,
  };
}

/** One socket is one worker's (ngx_clone_listening); from WINCH on nobody accepts on those of a worker that there is not. */
function reuseportFewerWorkers(master: MasterFacts, facts: Facts): Found {
  const workers = wantedWorkers(master, facts);
  const { unsure } = listensOf(master);
  const several = socketsByAddress(master).filter(({ sockets }) => sockets > 1);
  const asked = new Set(reuseported(master).map(({ address }) => address));
  const orphaned = several.find(({ address, sockets }) => sockets > (asked.has(address) ? workers : 1));
  if (orphaned === undefined || unsure) return undefined;
  const wanted = asked.has(orphaned.address) ? `${workers} workers` : 'no `reuseport`';
  return {
    message: `${orphaned.address} has ${orphaned.sockets} sockets (\`reuseport\`), the configuration on disk has ${wanted}: requests on the sockets that are too many would hang until the old master ends`,
    fix: RELOAD,
  };
}

function passphraseKey({ encryptedKeys, directives }: MasterFacts): Found {
  if (encryptedKeys.length === 0 || directives.some(({ name }) => name === 'ssl_password_file')) return undefined;
  return {
    message: `${encryptedKeys.join(', ')} ${encryptedKeys.length === 1 ? 'wants' : 'want'} a passphrase, and the new master has no terminal to ask at`,
    fix: 'Put it into a file for `ssl_password_file`, or use a key without one.',
  };
}

function listensDiffer(master: MasterFacts, facts: Facts): boolean {
  const found = listenChanged(master, facts);
  return unixListenRemoved(master) !== undefined || (found !== undefined && found.mild !== true);
}

function listensOf(master: MasterFacts): Listens {
  return listensIn(master.directives, { root: master.uid === 0 });
}

/** As many lines as the helper sends at most: behind that, nobody knows. */
const MOST_DIRECTIVES = 3_000;

/** Addresses that the configuration on disk has and nginx does not. */
function addedTo(master: MasterFacts): string[] {
  const running = new Set(socketsByAddress(master).map(({ address }) => address));
  return [...socketsFor(listensOf(master).tcp).needed].filter((address) => !running.has(address));
}

/** Addresses that nginx has and the configuration on disk does not. */
function removedFrom(master: MasterFacts): string[] {
  const { tcp, unsure } = listensOf(master);
  if (unsure || master.directives.length >= MOST_DIRECTIVES) return [];
  const { possible } = socketsFor(tcp);
  return socketsByAddress(master)
    .map(({ address }) => address)
    .filter((address) => !possible.has(address));
}

/** What the configuration wants one socket a worker for, with those that there are. */
function reuseported(master: MasterFacts): { address: string; sockets: number }[] {
  const asked = new Set(listensOf(master).tcp.flatMap(({ address, reuseport }) => (reuseport ? [address] : [])));
  return socketsByAddress(master).filter(({ address }) => asked.has(address));
}

function socketsByAddress(master: MasterFacts): { address: string; sockets: number }[] {
  const littleEndian = !/^(?:s390|ppc64$|ppc$|mips$|mips64$)/.test(master.machine);
  const counts = new Map<string, number>();
  for (const line of master.listeners) {
    const address = listenerAddress(line, { littleEndian });
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  return [...counts].map(([address, sockets]) => ({ address, sockets }));
}
