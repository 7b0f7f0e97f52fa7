import type { ConfigureArgs } from './nginx/configure-args.ts';
import type { Mirror, Wish } from './source/mirror.ts';
import type { Trust } from './source/release.ts';

/** What a run was asked to do: the typed form of every input. Made only by `inputs/parse.ts`. */

export const COMMANDS = ['build', 'plan', 'upgrade', 'commit', 'rollback', 'status'] as const;
export type Command = (typeof COMMANDS)[number];

/** Milliseconds. */
export type Millis = number;

/** One place where an nginx runs. `name` is the line as the user wrote it. */
export type Target =
  { kind: 'local'; name: string } | { kind: 'ssh'; name: string; host: string; port: number; user: string };

export interface SshSettings {
  /** Private key text, already checked to be one that ssh2 can read with `passphrase`. */
  key?: string;
  passphrase?: string;
  /** Path of an agent's socket, used where no key is given. */
  agent?: string;
  /** known_hosts text, already checked line by line. */
  knownHosts?: string;
  /** `SHA256:…` pins, unpadded base64. */
  fingerprints: string[];
  connectTimeout: Millis;
}

/** Where the new nginx comes from. Digests are lower-case hexadecimal SHA-256. */
export type BinarySource =
  /** `sha256`: the user's own for `path`, where given; checked already. */
  { kind: 'file'; path: string; sha256?: string } | { kind: 'download'; url: string; sha256: string } | BuildSource;

export interface BuildSource {
  kind: 'build';
  wish: Wish;
  mirror: Mirror;
  trust: Trust;
  /** `inherit`: those of the running binary. */
  arguments: 'inherit' | ConfigureArgs;
  extra: ConfigureArgs;
  /** Whole arguments, or names of arguments without their values. */
  omit: ConfigureArgs;
  modules: ModuleSource[];
}

/** Where the sources of a third-party module lie. */
export interface ModuleSource {
  name: string;
  /** A directory or an archive on this machine, or an `https://` URL of an archive, which needs the digest. */
  from: string;
  sha256?: string;
}

export interface HealthSettings {
  /** As given, `{host}` not yet filled in. */
  url: string;
  from: 'target' | 'runner' | 'both';
  status: StatusRange[];
  body?: BodyExpectation;
  /** In the given order; names as written. */
  headers: [name: string, value: string][];
  /** PEM. */
  ca?: string;
  interval: Millis;
  timeout: Millis;
  successes: number;
  failureLimit: number;
}

/** Inclusive. */
export interface StatusRange {
  from: number;
  to: number;
}

export type BodyExpectation = { kind: 'text'; text: string } | { kind: 'regex'; source: string; flags: string };

export interface SwitchSettings {
  canaryTime: Millis;
  bakeTime: Millis;
  readyTimeout: Millis;
  drainTimeout: Millis;
  confirmTimeout: Millis;
  holdTimeout: Millis;
  autoCommit: boolean;
  autoRollback: boolean;
  allowDowngrade: boolean;
  /** The running master executes a stub before the swap, which runs the new binary's `-t`. */
  rehearse: boolean;
  /** Previous binaries retained on the target. */
  keep: number;
  /** Preflight codes that the user accepts. */
  allow: ReadonlySet<string>;
}

export interface Config {
  command: Command;
  targets: Target[];
  ssh: SshSettings;
  /** How to become root, as words; empty: never. */
  sudo: string[];
  /** Time limit of one remote step. */
  commandTimeout: Millis;
  binary?: BinarySource;
  /** Absolute path that names the instance on hosts with several masters. */
  pidFile?: string;
  /** `none`: spelled out by the user. Undefined: not given (only where the command needs no probes). */
  health?: HealthSettings | 'none';
  switch: SwitchSettings;
}
