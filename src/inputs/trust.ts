import type { Target } from '../config.ts';
import { fingerprintOf } from '../ssh/host-key.ts';
import { lookupNames, matchesHost } from '../ssh/host-patterns.ts';
import { parseFingerprints } from '../ssh/fingerprints.ts';
import { parseKnownHosts, type KnownHost } from '../ssh/known-hosts.ts';
import { bad, good, type Checked } from './checked.ts';
import type { Form } from './form.ts';
import { splitList } from './list.ts';
import { show } from './show.ts';

const HOW_TO = `take it on a network that you trust with "ssh-keyscan HOST", compare it with what
"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" prints on the host, and store it`.replaceAll('\n', ' ');

export interface Trust {
  knownHosts?: string;
  fingerprints: string[];
}

/** Who the hosts must prove to be. Without either input, nobody is trusted: a mistake where SSH is used. */
export function readTrust(form: Form, use: { ssh: boolean; targets: Target[] }): Trust {
  const text = form.given('known-hosts');
  const entries = form.optional('known-hosts', parseKnown);
  const fingerprints = form.optional('fingerprint', parsePins) ?? [];
  if (use.ssh && text === undefined && form.given('fingerprint') === undefined && !form.blamed('known-hosts')) {
    form.problem('known-hosts', `the host keys are needed, or "fingerprint": no host is trusted unseen; ${HOW_TO}`);
  }
  if (entries !== undefined && fingerprints.length > 0) refuseDisagreement(form, { ...use, entries, fingerprints });
  return { ...(entries === undefined || text === undefined ? {} : { knownHosts: text }), fingerprints };
}

function parseKnown(text: string): Checked<KnownHost[]> {
  if (!/\s/.test(text)) return bad(`expected known_hosts lines ("host type key"), found ${describeWord(text)}`);
  const { entries, problems } = parseKnownHosts(text);
  return problems.length > 0 ? bad(...problems) : good(entries);
}

function describeWord(text: string): string {
  if (/^[~./]/.test(text)) return `what looks like a path: ${show(text)}. Give the text of the file`;
  if (text.startsWith('SHA256:')) return 'a fingerprint: that belongs into "fingerprint"';
  return `${show(text)}: there is no way to trust any key that comes along`;
}

function parsePins(text: string): Checked<string[]> {
  const { pins, problems, notes } = parseFingerprints(splitList(text));
  if (problems.length > 0) return bad(...problems);
  return pins.length > 0 ? good(pins, notes) : bad('expected at least one SHA256:… fingerprint, found only comments');
}

/** Both must agree at run time; where they cannot, no connection would ever succeed. */
function refuseDisagreement(
  form: Form,
  trust: { targets: Target[]; entries: KnownHost[]; fingerprints: string[] },
): void {
  for (const target of trust.targets) {
    if (target.kind === 'local') continue;
    const names = lookupNames({ name: target.host, port: target.port });
    const keys = trust.entries.filter((entry) => entry.marker === 'none' && matchesHost(entry.hosts, names));
    const agreed = keys.some((entry) => trust.fingerprints.includes(fingerprintOf(entry.key)));
    if (keys.length === 0 || agreed) continue;
    form.problem(
      'fingerprint',
      `none of these is a key that "known-hosts" has for ${show(target.name)}; both must agree`,
    );
  }
}
