import type { Form } from './form.ts';
import type { InputName } from './names.ts';

/** What this version cannot do yet. `only`: the one value that it can; `not`: the one that it cannot; without them, none. */
interface Unavailable {
  input: InputName;
  only?: string;
  not?: string;
  instead: string;
}

const LIBRARIES = "leave it out: nginx is built against this machine's libraries";
const ONE_BY_ONE = 'hosts are upgraded one after the other';

const UNAVAILABLE: Unavailable[] = [
  { input: 'inventory', instead: 'list the hosts in "targets"' },
  { input: 'proxy-jump', instead: 'run on a machine that reaches the targets directly' },
  { input: 'transport', only: 'library', instead: 'leave it out' },
  { input: 'certificate', instead: 'log in with a key that the targets know' },
  { input: 'ssh-config', instead: 'leave it out: no ssh_config is read' },
  { input: 'nginx-version', not: 'installed', instead: 'name a version to build, or give that file as "binary"' },
  { input: 'openssl-version', instead: LIBRARIES },
  { input: 'pcre2-version', instead: LIBRARIES },
  { input: 'zlib-version', instead: LIBRARIES },
  { input: 'max-parallel', only: '1', instead: `leave it out: ${ONE_BY_ONE}` },
  { input: 'batch-wait', only: '0s', instead: `leave it out: ${ONE_BY_ONE}` },
  { input: 'max-failures', only: '0', instead: `leave it out: the first failure ends the rollout` },
  { input: 'commit-scope', only: 'host', instead: 'leave it out: each host commits when it is healthy' },
];

export function refuseUnavailable(form: Form): void {
  for (const { input, only, not, instead } of UNAVAILABLE) {
    const given = form.given(input)?.toLowerCase();
    if (given === undefined || given === only || (not !== undefined && given !== not)) continue;
    form.problem(input, `not available yet in this version; ${instead}`);
  }
}
