import { chance } from './chance.ts';
import { placed, type Placed } from './place.ts';
import { type Kind, type Trick, TRICKS } from './tricks.ts';

/** What is done on the host, while somebody is hostile. */
export const SCENARIOS = ['look', 'upgrade', 'expire', 'rollback', 'commit', 'killed'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Move {
  trick: string;
  script: string;
}

/** One hostile host and what is done there. */
export interface Case {
  seed: number;
  place: Placed;
  scenario: Scenario;
  /** Before anything of ours. */
  before: Move[];
  /** While the new version serves and the old one waits. */
  during: Move[];
  /** Nobody hostile owns anything that matters: every command has to succeed. */
  stranger: boolean;
}

export function hostileCase(seed: number): Case {
  const by = chance(seed);
  const kind = by.one<Kind>(['root', 'root', 'service', 'user']);
  const login = kind === 'user' && by.is(0.7) ? 'web' : 'deploy';
  const pidFile = {
    root: by.one(['/run/nginx.pid', '/run/a/nginx.pid']),
    service: '/run/web/nginx.pid',
    user: '/home/web/run/nginx.pid',
  }[kind];
  const place = placed(kind, pidFile, login);
  const stranger = by.is(0.4);
  const scenario = by.one(SCENARIOS);
  const fits = (trick: Trick): boolean =>
    (trick.stranger || !stranger) &&
    (trick.kinds?.includes(kind) ?? true) &&
    (trick.name !== PID_FILE || pidFile !== '/run/nginx.pid');
  const moves = (probability: number): Move[] =>
    by.some(TRICKS.filter(fits), probability).map((trick) => ({ trick: trick.name, script: trick.script(by, place) }));
  return { seed, place, scenario, stranger, before: moves(scenario === 'look' ? 0.4 : 0.25), during: moves(0.3) };
}

const PID_FILE = 'a pid file that says something else';
