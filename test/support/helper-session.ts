import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, parseRecord } from '../../src/target/answer.ts';
import { PREFACE, WORD } from '../../src/target/preface.ts';
import { helperProgram, startCommand, startOf, unrunnable } from '../../src/target/program.ts';
import { requestLine } from '../../src/target/session.ts';
import { signal } from './processes.ts';

/** The shells that a target may have as `/bin/sh`, as command words. */
export const SHELLS = ['dash', 'busybox sh', 'bash --posix', 'mksh'] as const;
export type Shell = (typeof SHELLS)[number];

/** For `{ skip: noShell(shell) }`. */
export function noShell(shell: Shell): string | false {
  const [name = ''] = shell.split(' ');
  const found = ['/bin', '/usr/bin'].some((dir) => isExecutable(`${dir}/${name}`));
  return found ? false : `${name} is not installed`;
}

export interface HelperOptions {
  /** A directory for links: the helper finds no other programs than busybox has. */
  busyboxIn?: string;
  /** `dash` where not given. */
  shell?: Shell;
  entry?: 'session' | 'once';
  /** What runs instead of the product's program; see `helper-program.ts`. */
  program?: string;
  /** Shell commands that the login runs before ours, as a chatty profile would. */
  profile?: string;
  env?: NodeJS.ProcessEnv;
  /** The login, where it is not ours; only root can ask for one. */
  user?: string;
  /** Goes through the gate, which becomes root with these words where it has to. */
  gate?: { sudo: string[]; pidFile: string };
}

/** A real helper process that is spoken to in frames. */
export interface Helper {
  pid: number;
  hello: Answer;
  /** Events of the verbs so far, in order. */
  events: string[];
  /** What came on either output and was no record. */
  noise(): string;
  /** Rejects when the helper ends first, or says nothing for 40 s. */
  ask(verb: string, fields?: Fields): Promise<Answer>;
  /** Bytes behind the last request. */
  send(bytes: Uint8Array): void;
  endInput(): void;
  /** Exit code, or the signal that ended it. */
  ended: Promise<number | string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export type Fields = Record<string, string | number>;

const SILENCE = 40_000;
const CLEAN = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/nonexistent' };

/** Starts the helper the way the product does, but under `shell`, and waits for its first record. */
export async function startHelper(options: HelperOptions = {}): Promise<Helper> {
  const marker = randomBytes(8).toString('hex');
  const { command, input } = startUp(options, marker);
  const room = options.busyboxIn === undefined ? [] : ['unshare', '-m'];
  const profile = options.busyboxIn === undefined ? (options.profile ?? ':') : onlyBusybox(options.busyboxIn);
  const login = [...asLogin(options.user), ...room, '/bin/sh', '-c', `${profile}\n${command}`];
  const child = spawn(login[0] ?? '', login.slice(1), { cwd: '/', env: { ...CLEAN, ...options.env } });
  const ended = once(child, 'exit').then(([code, name]: unknown[]) => (code ?? name) as number | string);
  const waiting = new Map<number, (answer: Answer) => void>();
  const events: string[] = [];
  let noise = '';
  child.stdin.on('error', () => {}); // Told by `ended`.
  child.stderr.on('data', (bytes: Buffer) => (noise += bytes.toString()));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const record = parseRecord(line, marker);
    if (line === WORD) return;
    if (record === undefined || record.kind === 'garbled') noise += `${line}\n`;
    else if (record.kind === 'event') events.push(record.event);
    else waiting.get(record.answer.id)?.(record.answer);
  });
  const answerTo = (id: number, verb: string): Promise<Answer> => {
    const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    return firstOf(answer, { ended, what: `an answer to ${verb}`, noise: () => noise });
  };
  const hello = answerTo(0, 'hello');
  child.stdin.write(input);
  let requests = 0;
  const helper = {
    pid: child.pid ?? 0,
    events,
    noise: () => noise,
    ask(verb: string, fields: Fields = {}) {
      requests += 1;
      child.stdin.write(requestLine(requests, verb, fields));
      return answerTo(requests, verb);
    },
    send: (bytes: Uint8Array) => void child.stdin.write(bytes),
    endInput: () => void child.stdin.end(),
    ended,
    async [Symbol.asyncDispose]() {
      signal(child.pid ?? 0, 'SIGKILL');
      await ended;
    },
  };
  return { ...helper, hello: await hello };
}

/** The product's own command line, but for the shell, and what it reads first. */
function startUp(options: HelperOptions, marker: string): { command: string; input: string } {
  const { entry = 'session', gate } = options;
  const program = unrunnable(options.program ?? helperProgram());
  const plain =
    gate === undefined
      ? {
          command: startCommand({ entry, bytes: program.length, sudo: [] }),
          input: `${PREFACE}${program}nhu1\t${marker}\n`,
        }
      : startOf({ entry, marker, elevate: 'asNeeded', ...gate });
  return { ...plain, command: plain.command.replace(/^\/bin\/sh /, `exec ${options.shell ?? 'dash'} `) };
}

/** In a mount namespace of its own: busybox takes the place of all programs. Its links are made in `dir`. */
function onlyBusybox(dir: string): string {
  return `mkdir -p ${dir}/bin ${dir}/sbin && cp "$(command -v busybox)" ${dir}/bin/ && busybox --install -s ${dir}/bin &&
mount --make-rprivate / && mount --bind ${dir}/sbin /usr/sbin && mount --bind ${dir}/bin /usr/bin || exit 70`;
}

function asLogin(user: string | undefined): string[] {
  return user === undefined ? [] : ['setpriv', `--reuid=${user}`, '--regid=nogroup', '--clear-groups'];
}

async function firstOf(
  answer: Promise<Answer>,
  { ended, what, noise }: { ended: Promise<number | string>; what: string; noise: () => string },
): Promise<Answer> {
  const stop = new AbortController();
  const failure = (found: string) => new Error(`expected ${what}, found ${found}; noise: ${noise().trim()}`);
  const silence = delay(SILENCE, undefined, { signal: stop.signal }).then(
    () => Promise.reject(failure(`none within ${SILENCE} ms`)),
    () => new Promise<never>(() => {}),
  );
  // A record written just before the end is still on its way through the pipe.
  const end = ended.then(async (how) => {
    await delay(50);
    throw failure(`the helper ended: ${how}`);
  });
  try {
    return await Promise.race([answer, silence, end]);
  } finally {
    stop.abort();
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
