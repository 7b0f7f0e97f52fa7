import { readFileSync } from 'node:fs';
import { type BuildInfo, parseBuildInfo } from '../../../src/nginx/build-info.ts';
import { isObject } from '../../../src/target/answer.ts';
import { type Facts, type MasterFacts, parseFacts } from '../../../src/target/facts.ts';

/**
 * What the helper answered on real instances: a Debian host with systemd; one started by hand with -p, -c and -e; that
 * one while an upgrade was held and after its commit; several masters with none named; a pid file that names none.
 */
export type Recording = 'systemd' | 'local' | 'held' | 'committed' | 'ambiguous' | 'not-running';

export type Raw = Record<string, unknown>;

/** The recorded answer with some of its fields replaced. */
export function recorded(name: Recording, changes: Raw = {}): Raw {
  const value: unknown = JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
  if (!isObject(value)) throw new Error(`expected an object in the recording ${name}`);
  return { ...value, ...changes };
}

export function factsOf(name: Recording, changes: Raw = {}): Facts {
  return parseFacts(recorded(name, changes));
}

export function masterOf(name: Recording, changes: Raw = {}): MasterFacts {
  const { master } = factsOf(name, changes);
  if (master === null) throw new Error(`expected a master in the recording ${name}`);
  return master;
}

/** What the kernel said on the systemd host, but for these lines of `KEY=VALUE`. */
export function about(...lines: string[]): Raw {
  const { about: all } = recorded('systemd');
  if (!Array.isArray(all)) throw new Error('expected lines about the master in the recording systemd');
  return { about: [...lines, ...all] };
}

/** The configuration of the systemd host with further directives, `CONTEXT NAME ARGUMENTS`, without some of its own. */
export function configured(more: string[], without: RegExp = /^$/): Raw {
  const { directives } = recorded('systemd');
  if (!Array.isArray(directives)) throw new Error('expected directives in the recording systemd');
  return { directives: [...directives.filter((line) => !without.test(String(line))), ...more] };
}

/** The upgrade under way that was recorded while it was held, with some of its fields replaced. */
export function heldUpgrade(changes: Raw = {}): Raw {
  const { upgrade } = recorded('held');
  if (!isObject(upgrade)) throw new Error('expected an upgrade in the recording held');
  return { ...upgrade, ...changes };
}

/** The systemd host's unit with some properties replaced. */
export function unitWith(properties: Record<string, string>): Raw {
  const all = { Type: 'forking', PIDFile: '/run/nginx.pid', MainPID: '41', ...properties };
  const lines = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  return { unit: { name: 'nginx.service', startsBinary: true, properties: lines } };
}

/** The recorded unit, which starts the file that the master names, or another. */
export function startedBy(startsBinary: boolean): Raw {
  const { unit } = unitWith({}) as { unit: Record<string, unknown> };
  return { unit: { ...unit, startsBinary } };
}

/** What the recorded binary would say if its text were changed so. */
export function buildOf(changes: [from: string, to: string][] = []): BuildInfo {
  const text = changes.reduce((said, [from, to]) => replaced(said, { from, to }), masterOf('systemd').build);
  return parseBuildInfo(text);
}

function replaced(text: string, { from, to }: { from: string; to: string }): string {
  if (!text.includes(from)) throw new Error(`expected "${from}" in: ${text}`);
  return text.replace(from, to);
}
