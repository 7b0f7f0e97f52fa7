/**
 * How an input is written:
 * `word` one value; `list` newlines or commas; `lines` newlines only; `block` text that spans lines.
 * All but `word`, `boolean`, `duration` and `count` may be repeated on the command line.
 */
export type InputKind = 'word' | 'boolean' | 'duration' | 'count' | 'list' | 'lines' | 'block';

export interface InputSpec {
  kind: InputKind;
  default?: string;
  /** Never shown, never taken from a command line argument. */
  secret?: true;
}

/** Every input. `action.yml` holds the same names and defaults; a test compares the two. */
export const INPUTS = {
  command: { kind: 'word', default: 'upgrade' },

  targets: { kind: 'list' },
  inventory: { kind: 'word' },
  username: { kind: 'word' },
  port: { kind: 'count', default: '22' },
  key: { kind: 'block', secret: true },
  passphrase: { kind: 'word', secret: true },
  'known-hosts': { kind: 'block' },
  fingerprint: { kind: 'list' },
  'proxy-jump': { kind: 'word' },
  transport: { kind: 'word', default: 'library' },
  certificate: { kind: 'block' },
  'ssh-config': { kind: 'word' },
  timeout: { kind: 'duration', default: '30s' },
  'command-timeout': { kind: 'duration', default: '10m' },
  sudo: { kind: 'word', default: 'sudo -n' },

  binary: { kind: 'word' },
  'download-url': { kind: 'word' },
  'nginx-version': { kind: 'word' },
  'source-url': { kind: 'word' },
  sha256: { kind: 'word' },
  'trusted-keys': { kind: 'block' },
  'configure-args': { kind: 'block', default: 'inherit' },
  'extra-configure-args': { kind: 'block' },
  'omit-configure-args': { kind: 'block' },
  'add-modules': { kind: 'lines' },
  'openssl-version': { kind: 'word' },
  'pcre2-version': { kind: 'word' },
  'zlib-version': { kind: 'word' },
  'allow-downgrade': { kind: 'boolean', default: 'false' },

  'pid-file': { kind: 'word' },
  'health-url': { kind: 'word' },
  'health-from': { kind: 'word', default: 'target' },
  'health-status': { kind: 'list', default: '200-399' },
  'health-body': { kind: 'word' },
  'health-headers': { kind: 'lines' },
  'health-ca': { kind: 'block' },
  'health-interval': { kind: 'duration', default: '1s' },
  'health-timeout': { kind: 'duration', default: '5s' },
  'health-successes': { kind: 'count', default: '5' },
  'failure-limit': { kind: 'count', default: '0' },
  'canary-time': { kind: 'duration', default: '0s' },
  'bake-time': { kind: 'duration', default: '10s' },
  'ready-timeout': { kind: 'duration', default: '15s' },
  'drain-timeout': { kind: 'duration', default: '60s' },
  'auto-commit': { kind: 'boolean', default: 'true' },
  'auto-rollback': { kind: 'boolean', default: 'true' },
  'confirm-timeout': { kind: 'duration', default: '2m' },
  'hold-timeout': { kind: 'duration', default: '15m' },
  rehearse: { kind: 'boolean', default: 'false' },
  allow: { kind: 'list' },
  keep: { kind: 'count', default: '3' },

  'max-parallel': { kind: 'word', default: '1' },
  'batch-wait': { kind: 'duration', default: '0s' },
  'max-failures': { kind: 'count', default: '0' },
  'commit-scope': { kind: 'word', default: 'host' },
} as const satisfies Record<string, InputSpec>;

export type InputName = keyof typeof INPUTS;

export const INPUT_NAMES = Object.keys(INPUTS).filter((name) => isInputName(name));

export function isInputName(name: string): name is InputName {
  return Object.hasOwn(INPUTS, name);
}

export function specOf(name: InputName): InputSpec {
  return INPUTS[name];
}
