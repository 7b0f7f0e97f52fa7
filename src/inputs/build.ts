import type { BuildSource, ModuleSource } from '../config.ts';
import type { ConfigureArgs } from '../nginx/configure-args.ts';
import { mirrorOf, NGINX_ORG, type Wish } from '../source/mirror.ts';
import { type PublicKey, readPublicKeys } from '../source/public-key.ts';
import { bad, good, type Checked } from './checked.ts';
import { parseConfigureArgs } from './configure-args.ts';
import type { Form } from './form.ts';
import { parseModuleSources } from './module-sources.ts';
import type { InputName } from './names.ts';
import { parseSourceUrl } from './url.ts';
import { parseVersion } from './version.ts';

/** Used only where nginx is built. */
const ONLY_FOR_BUILDS: InputName[] = [
  'source-url',
  'trusted-keys',
  'extra-configure-args',
  'omit-configure-args',
  'add-modules',
];

/** What to build, where `nginx-version` says so. `sha256` is then the digest of the source. */
export function readBuild(form: Form, sha256: string | undefined): BuildSource | undefined {
  const wish = form.blamed('nginx-version') ? undefined : form.optional<Wish>('nginx-version', parseVersion);
  const source = form.optional('source-url', parseSourceUrl) ?? NGINX_ORG;
  const keys = form.optional<PublicKey[]>('trusted-keys', parseKeys);
  const args = form.setting<'inherit' | ConfigureArgs>('configure-args', parseArguments);
  const extra = form.optional('extra-configure-args', parseConfigureArgs) ?? [];
  const omit = form.optional('omit-configure-args', parseConfigureArgs) ?? [];
  const modules = form.optional<ModuleSource[]>('add-modules', parseModuleSources) ?? [];
  if (form.given('nginx-version') === undefined) warnUnused(form);
  if (wish === undefined) return undefined;
  const trust = { ...(sha256 === undefined ? {} : { sha256 }), ...(keys === undefined ? {} : { keys }) };
  return { kind: 'build', wish, mirror: mirrorOf(source), trust, arguments: args, extra, omit, modules };
}

function parseArguments(text: string): Checked<'inherit' | ConfigureArgs> {
  return text === 'inherit' ? good(text) : parseConfigureArgs(text);
}

function parseKeys(text: string): Checked<PublicKey[]> {
  const keys = readPublicKeys(text);
  if (typeof keys !== 'string') return good(keys);
  return bad(`expected the text of public keys ("gpg --armor --export KEY"): ${keys}`);
}

function warnUnused(form: Form): void {
  const given: InputName[] = [
    ...ONLY_FOR_BUILDS,
    ...(form.given('configure-args') === 'inherit' ? [] : ['configure-args' as const]),
  ];
  for (const name of given) {
    if (form.given(name) !== undefined) form.warn(name, 'is not used: nothing is built without "nginx-version"');
  }
}
