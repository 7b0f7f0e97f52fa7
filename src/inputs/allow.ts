import { all, bad, good, andThen, type Checked } from './checked.ts';
import { splitList } from './list.ts';
import { suggestion } from './nearest.ts';
import { show } from './show.ts';

/** What a preflight code does: refuses for good, refuses unless allowed, or only warns. */
export type Severity = 'refuses' | 'survivable' | 'warns';

const REFUSES = `not-running ambiguous-master daemon-off master-process-off container-pid1 upgrade-in-progress
  pid-file-wrong pid-directory signals-blocked locked wrapper-script architecture libc missing-library noexec immutable
  disk-space conf-path-differs pid-path-differs user-differs flavour-differs module-lost module-signature downgrade
  config-test-failed unix-listen-removed reuseport-fewer-workers passphrase-key systemd-type systemd-no-pidfile
  systemd-pidfile-differs forwarding-denied sudo-denied shell-denied not-retained master-user`;

const SURVIVABLE = `pid-file-missing shared-binary relative-argv0 argv0-not-running-file memory prefix-differs
  error-log-path-differs http-log-path-differs temp-path-differs config-drift health-red-before listen-changed quic`;

const WARNS = `stale-oldbin mandatory-access-control environment-lost capabilities package-owned lock-path-differs
  modules-path-differs tls-library-differs hardening-lost service-limits path-nginx-differs versioned-path
  keepalive-resets long-connections shared-zones-reset tls-tickets-reset`;

/** Every preflight code (contract, section 6) but `same-binary`, which is an outcome. */
export const PREFLIGHT_CODES: ReadonlyMap<string, Severity> = new Map([
  ...severity(REFUSES, 'refuses'),
  ...severity(SURVIVABLE, 'survivable'),
  ...severity(WARNS, 'warns'),
]);

const INSTEAD: Record<string, string> = {
  downgrade: ' Set "allow-downgrade: true" instead.',
  'forwarding-denied': ' Set "health-from: runner" instead.',
};

/** The codes that the user accepts; one that cannot be survived is a mistake. */
export function parseAllow(text: string): Checked<ReadonlySet<string>> {
  return andThen(all(splitList(text), parseCode), (codes) => good(new Set(codes)));
}

function parseCode(code: string): Checked<string> {
  const found = PREFLIGHT_CODES.get(code);
  if (found === 'survivable') return good(code);
  if (found === 'warns') return good(code, [`"${code}" only warns anyway`]);
  if (found === 'refuses') {
    return bad(`"${code}" cannot be allowed: an upgrade would not survive it.${INSTEAD[code] ?? ''}`);
  }
  if (code === 'same-binary') return bad('"same-binary" refuses nothing: the outcome is "unchanged"');
  return bad(`there is no preflight code ${show(code)}.${suggestion(code, PREFLIGHT_CODES.keys())}`);
}

function severity(codes: string, value: Severity): [string, Severity][] {
  return codes.split(/\s+/).map((code) => [code, value]);
}
