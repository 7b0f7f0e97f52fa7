import { posix } from 'node:path';
import type { MasterFacts } from '../../target/facts.ts';
import type { Found, MasterCheck } from './check.ts';

/** systemd follows a new main process only through the pid file of a forking unit (service_load_pid_file). */
export const SERVICE_CHECKS: MasterCheck[] = [
  { code: 'systemd-type', check: unitType },
  { code: 'systemd-no-pidfile', check: noPidFile },
  { code: 'systemd-pidfile-differs', check: pidFileDiffers },
  { code: 'service-limits', check: serviceLimits },
];

function unitType({ unit }: MasterFacts): Found {
  const type = unit?.properties.get('Type');
  if (unit === null || type === undefined || type === 'forking') return undefined;
  return {
    message: `${unit.name} has Type=${type}: systemd takes the end of the old master for the end of the service`,
    fix: `Change it once: [Service] Type=forking, PIDFile=<the pid file>, and \`daemon on\`; then restart ${unit.name}.`,
  };
}

function noPidFile({ unit, pidFile }: MasterFacts): Found {
  if (unit === null || unit.properties.get('Type') !== 'forking' || unit.properties.get('PIDFile')) return undefined;
  return {
    message: `${unit.name} is Type=forking without PIDFile=: when the old master ends, systemd ends every process of the new one`,
    fix: `Add a drop-in: systemctl edit ${unit.name}, then [Service] PIDFile=${pidFile}, systemctl daemon-reload and one restart.`,
  };
}

function pidFileDiffers({ unit, pidFile }: MasterFacts): Found {
  const named = unit?.properties.get('PIDFile');
  if (unit === null || !named || samePath(named, pidFile)) return undefined;
  return {
    message: `${unit.name} has PIDFile=${named}, nginx writes ${pidFile}: systemd would lose the new master and end it`,
    fix: 'Make both the same path, systemctl daemon-reload, and restart nginx once.',
  };
}

/** What a process has it hands on; a unit's new words count from the next cold start on. */
function serviceLimits({ unit, surroundings: { openFiles, mostFiles } }: MasterFacts): Found {
  const reload = unit?.properties.get('NeedDaemonReload') === 'yes';
  const limit = unit?.properties.get('LimitNOFILE');
  const differs =
    openFiles !== null && limit !== undefined && limit !== 'infinity' && openFiles.hard !== lower(limit, mostFiles);
  if (unit === null || (!reload && !differs)) return undefined;
  const what = differs
    ? `LimitNOFILE=${limit}, and nginx runs with ${openFiles.hard}`
    : 'changes that systemd has not read yet';
  return {
    message: `${unit.name} has ${what}: the new master inherits what the old one has, and the next cold start is the first to try the rest`,
    fix: 'systemctl daemon-reload, and plan a restart.',
  };
}

function lower(limit: string, most: string): string {
  return Number(most) < Number(limit) ? most : limit;
}

/** /var/run is a link to /run wherever systemd runs. */
function samePath(a: string, b: string): boolean {
  const real = (path: string) => posix.normalize(path).replace(/^\/var\/run\//, '/run/');
  return real(a) === real(b);
}
