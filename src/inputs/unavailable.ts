import type { Form } from './form.ts';
import type { InputName } from './names.ts';

/** What this version cannot do yet. `only`: the one value that it can; without it, none. */
interface Unavailable {
  input: InputName;
  only?: string;
  /** This value alone is missing. */
  value?: string;
  instead: string;
}

const BUILD = 'build nginx in an earlier step and give its path as "binary"';
const ONE_BY_ONE = 'hosts are upgraded one after the other';

const UNAVAILABLE: Unavailable[] = [
  { input: 'command', value: 'build', instead: BUILD },
  { input: 'inventory', instead: 'list the hosts in "targets"' },
  { input: 'proxy-jump', instead: 'run on a machine that reaches the targets directly' },
  { input: 'transport', only: 'library', instead: 'leave it out' },
  { input: 'download-url', instead: 'download the file in an earlier step and give its path as "binary"' },
  { input: 'nginx-version', instead: BUILD },
  { input: 'source-url', instead: BUILD },
  { input: 'trusted-keys', instead: BUILD },
  { input: 'configure-args', only: 'inherit', instead: BUILD },
  { input: 'extra-configure-args', instead: BUILD },
  { input: 'omit-configure-args', instead: BUILD },
  { input: 'add-modules', instead: BUILD },
  { input: 'openssl-version', instead: BUILD },
  { input: 'pcre2-version', instead: BUILD },
  { input: 'zlib-version', instead: BUILD },
  { input: 'rehearse', only: 'false', instead: 'leave it out, and run the command "plan" before the upgrade' },
  { input: 'max-parallel', only: '1', instead: `leave it out: ${ONE_BY_ONE}` },
  { input: 'batch-wait', only: '0s', instead: `leave it out: ${ONE_BY_ONE}` },
  { input: 'max-failures', only: '0', instead: `leave it out: the first failure ends the rollout` },
  { input: 'commit-scope', only: 'host', instead: 'leave it out: each host commits when it is healthy' },
];

export function refuseUnavailable(form: Form): void {
  for (const { input, only, value, instead } of UNAVAILABLE) {
    const given = form.given(input);
    if (given === undefined || given.toLowerCase() === only || (value !== undefined && given !== value)) continue;
    const what = value === undefined ? '' : `"${value}" is `;
    form.problem(input, `${what}not available yet in this version; ${instead}`);
  }
}
