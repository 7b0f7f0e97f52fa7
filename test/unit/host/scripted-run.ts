import type { NewBinary } from '../../../src/binary/new-binary.ts';
import type { Config, SwitchSettings, Target } from '../../../src/config.ts';
import { emptyResult, type HostRun } from '../../../src/host/host-run.ts';
import type { Supply } from '../../../src/obtain/supply.ts';
import type { Logger } from '../../../src/report/logger.ts';
import type { Agent } from '../../../src/target/agent.ts';
import type { Answer } from '../../../src/target/answer.ts';
import type { Facts } from '../../../src/target/facts.ts';
import { buildOf, factsOf } from './recorded.ts';

export const OLD = { version: '1.22.1', sha256: '0a'.repeat(32) };
export const NEW = { version: '1.26.3', sha256: '1b'.repeat(32) };
export const SIDES = { old: OLD, new: NEW };
export const NONCE = 'c0ffee00';

export const TARGET: Target = { kind: 'ssh', name: 'deploy@web1', host: 'web1', port: 22, user: 'deploy' };

export const BINARY: NewBinary = {
  path: '/build/nginx',
  sha256: NEW.sha256,
  blake2b: '',
  size: 1_000,
  machine: 'x86_64',
  build: buildOf([['nginx/1.22.1', 'nginx/1.26.3']]),
  bytes: Buffer.from('binary'),
  modules: [],
};

const SWITCH: SwitchSettings = {
  canaryTime: 0,
  bakeTime: 0,
  readyTimeout: 15_000,
  drainTimeout: 60_000,
  confirmTimeout: 120_000,
  holdTimeout: 900_000,
  autoCommit: true,
  autoRollback: true,
  allowDowngrade: false,
  rehearse: false,
  keep: 3,
  allow: new Set(),
};

/** An upgrade over SSH without probes. */
export function configOf(changes: Partial<Omit<Config, 'switch'>> & { switch?: Partial<SwitchSettings> } = {}): Config {
  return {
    command: 'upgrade',
    targets: [TARGET],
    ssh: { fingerprints: [], connectTimeout: 1_000 },
    sudo: [],
    commandTimeout: 10_000,
    health: 'none',
    ...changes,
    switch: { ...SWITCH, ...changes.switch },
  };
}

/** Fields of a good answer, `[reason, fields]` of a bad one, or what is thrown instead. */
export type Scripted = Record<string, unknown> | [reason: string, fields?: Record<string, unknown>] | Error;

export interface Script {
  /** One after another; the last one stays. */
  facts?: Facts[];
  /** By verb; the last one of a list stays. A verb without an entry is answered well. */
  answers?: Record<string, Scripted[]>;
}

/** An agent that was told what to answer. `asked` holds each verb, with its fields where it has some. */
export function scriptedAgent({ facts = [factsOf('systemd')], answers = {} }: Script = {}) {
  const asked: [verb: string, fields: Record<string, string | number>][] = [];
  const left = { facts: [...facts], answers: structuredCopy(answers) };
  const reply = async (verb: string, fields: Record<string, string | number>): Promise<Answer> => {
    asked.push([verb, fields]);
    const script = next(left.answers[verb] ?? [{}]);
    if (script instanceof Error) throw script;
    const [reason, more] = Array.isArray(script) ? script : ['', script];
    const message = reason === '' ? '' : `${verb} said ${reason}`;
    return { id: asked.length, verb, ok: reason === '', reason, message, fields: more ?? {} };
  };
  const agent: Agent = {
    link: {
      start: () => Promise.reject(new Error('expected no command')),
      dial: () => Promise.reject(new Error('expected no dialling')),
      lost: new AbortController().signal,
      roundTripMs: 0,
      close: () => {},
    },
    outages: () => [],
    noteSilence: () => {},
    requests: () => asked.length,
    nonce: () => NONCE,
    facts: async () => next(left.facts),
    ask: (verb, { fields = {} } = {}) => reply(verb, fields),
    askBeside: (verb, fields) => reply(`beside ${verb}`, fields),
    close: () => {},
  };
  return { agent, asked, verbs: () => asked.map(([verb]) => verb) };
}

export function scriptedRun(agent: Agent, changes: Partial<HostRun> = {}): HostRun & { said: string[] } {
  const said: string[] = [];
  const log: Logger = {
    info: (message) => void said.push(message),
    detail: () => {},
    warning: (message) => void said.push(message),
    group: (title, body) => (said.push(title), body()),
  };
  const cancel = new AbortController().signal;
  const config = configOf();
  return {
    config,
    target: TARGET,
    log,
    result: emptyResult(TARGET),
    agent,
    supply: changes.binary === undefined ? undefined : supplyOf(changes.binary),
    cancel,
    said,
    ...changes,
    binary: undefined,
  };
}

function supplyOf(binary: NewBinary): Supply {
  const give = () => Promise.resolve(binary);
  return { for: give, atHand: give, warmUp: () => {}, costly: false, latest: () => binary };
}

function structuredCopy(answers: Record<string, Scripted[]>): Record<string, Scripted[]> {
  return Object.fromEntries(Object.entries(answers).map(([verb, list]) => [verb, [...list]]));
}

/** The first of a list; the last one is never used up. */
function next<T>(list: T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error('expected something in the script');
  if (list.length > 1) list.shift();
  return first;
}
