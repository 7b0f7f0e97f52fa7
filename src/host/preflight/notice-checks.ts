import { parseBuildInfo } from '../../nginx/build-info.ts';
import { argsOf } from '../../nginx/server.ts';
import { compareVersions } from '../../nginx/versions.ts';
import type { MasterFacts } from '../../target/facts.ts';
import type { Found, MasterCheck } from './check.ts';

/** What is worth knowing before an upgrade, with numbers. None of it refuses. */
export const NOTICE_CHECKS: MasterCheck[] = [
  { code: 'path-nginx-differs', check: pathNginxDiffers },
  { code: 'versioned-path', check: versionedPath },
  { code: 'keepalive-resets', check: keepaliveResets },
  { code: 'long-connections', check: longConnections },
  { code: 'shared-zones-reset', check: sharedZonesReset },
  { code: 'tls-tickets-reset', check: tlsTicketsReset },
  { code: 'paths-of-others', check: pathsOfOthers },
];

function versionOf({ build }: MasterFacts): string {
  return parseBuildInfo(build).version;
}

function pathNginxDiffers(master: MasterFacts): Found {
  const { pathNginx, exe } = master;
  if (pathNginx === null || pathNginx.version === '' || pathNginx.version === versionOf(master)) return undefined;
  return {
    message: `\`nginx\` in PATH is ${pathNginx.path}, ${pathNginx.version}; ${exe}, ${versionOf(master)}, is what runs: \`nginx -t\` and \`nginx -s\` go by the other one`,
    fix: `Remove ${pathNginx.path}, or make it a link to the running one.`,
  };
}

function versionedPath(master: MasterFacts): Found {
  const version = versionOf(master);
  const { path, prefix, conf, pidFile } = master;
  const named = [path, prefix, conf, pidFile].filter((each) => version !== '' && each.includes(version));
  if (named.length === 0) return undefined;
  return {
    message: `${[...new Set(named)].join(', ')} ${named.length === 1 ? 'holds' : 'hold'} the version ${version}, and will after the upgrade`,
    fix: 'Use paths without a version, or a link such as `current`.',
  };
}

function openConnections({ children }: MasterFacts): { pid: number; connections: number }[] {
  return children
    .filter(({ accepting, connections }) => accepting && connections > 0)
    .map(({ process, connections }) => ({ pid: process.pid, connections }));
}

/** Idle ones are closed at WINCH (ngx_close_idle_connections), unless `keepalive_min_timeout` gives them a moment. */
function keepaliveResets(master: MasterFacts): Found {
  const total = openConnections(master).reduce((sum, { connections }) => sum + connections, 0);
  if (total === 0 || isSet(master, 'keepalive_min_timeout')) return undefined;
  const known = compareVersions(versionOf(master), '1.27.4') >= 0;
  return {
    message: `${total} connections are open; of those that are idle when the old workers stop, a request that is just being sent is lost`,
    fix: known
      ? 'Set `keepalive_min_timeout 1s` and reload before the upgrade.'
      : 'From 1.27.4 on, `keepalive_min_timeout` in the running configuration avoids it.',
  };
}

function longConnections(master: MasterFacts): Found {
  const open = openConnections(master);
  if (open.length === 0 || argsOf(master, 'main', 'worker_shutdown_timeout').length > 0) return undefined;
  const each = open.map(({ pid, connections }) => `${connections} at worker ${pid}`);
  return {
    message: `${each.join(', ')}: nothing limits how long the old workers wait for them, and until then the old master stays and no next upgrade can begin`,
    fix: 'Set `worker_shutdown_timeout` where that is too long, and reload before the upgrade.',
  };
}

function pathsOfOthers({ ledPaths }: MasterFacts): Found {
  if (ledPaths.length === 0) return undefined;
  const each = ledPaths.map(
    ({ directory, user }) => `${directory} (${user === null ? 'several users' : `user ${user}`})`,
  );
  return {
    message: `nginx of root opens or makes files by their names where others can put a link: ${each.join(', ')}`,
    fix: 'Give these directories to root; what lies in them may be of the workers.',
  };
}

const ZONES = /^(?:limit_req_zone|limit_conn_zone|zone|keyval_zone|lua_shared_dict|js_shared_dict_zone)$/;

function sharedZonesReset({ directives }: MasterFacts): Found {
  const names = directives
    .filter(({ name, context }) => ZONES.test(name) && (name !== 'zone' || context.endsWith('.upstream')))
    .map(({ name, args }) => /zone=([^\s:]+)/.exec(args)?.[1] ?? args.split(' ', 1)[0] ?? name);
  const zones = [...new Set(names)];
  if (zones.length === 0) return undefined;
  const shown = zones.slice(0, 10).join(', ') + (zones.length > 10 ? ` and ${zones.length - 10} more` : '');
  return {
    message: `${zones.length} shared memory zones start empty in the new generation (${shown}); while both serve, limits count twice`,
    fix: 'Nothing can be done about it; choose a quiet moment.',
  };
}

function tlsTicketsReset(master: MasterFacts): Found {
  const tls = master.directives.some(({ name, args }) => name === 'listen' && /(?:^| )ssl(?: |$)/.test(args));
  const off = argsOf(master, 'http', 'ssl_session_tickets').includes('off');
  if (!tls || off || isSet(master, 'ssl_session_ticket_key')) return undefined;
  return {
    message:
      'TLS session tickets are made with keys of nginx’s own, which the new generation does not know: each client makes one full handshake',
    fix: 'Set `ssl_session_ticket_key` with a key file.',
  };
}

function isSet({ directives }: MasterFacts, directive: string): boolean {
  return directives.some(({ name }) => name === directive);
}
