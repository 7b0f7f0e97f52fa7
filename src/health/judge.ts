import { createContext, Script } from 'node:vm';
import type { Context } from 'node:vm';
import type { BodyExpectation, HealthSettings, Millis, StatusRange } from '../config.ts';
import type { InconclusiveCause, ProbeAnswer } from './answer.ts';

export type Expectations = Pick<HealthSettings, 'status' | 'body'>;

/** What one answer means. `why` is a clause such as "status 503, expected 200-399". */
export interface Judgement {
  verdict: 'good' | 'bad' | 'inconclusive';
  why: string;
  ms: Millis;
  cause?: InconclusiveCause;
}

/** A pattern that needs longer backtracks without end; it then counts as not found. */
const PATTERN_LIMIT = 100;
const EXCERPT_LENGTH = 80;

export function judge(answer: ProbeAnswer, expected: Expectations): Judgement {
  const { ms } = answer;
  if (answer.kind === 'inconclusive') {
    return { verdict: 'inconclusive', why: answer.message, ms, cause: answer.cause };
  }
  if (answer.kind !== 'answer') return { verdict: 'bad', why: answer.message, ms };
  const complaint = statusComplaint(answer, expected.status) ?? bodyComplaint(answer.body, expected.body);
  return { verdict: complaint === undefined ? 'good' : 'bad', why: complaint ?? `status ${answer.status}`, ms };
}

type Answer = Extract<ProbeAnswer, { kind: 'answer' }>;

function statusComplaint({ status, body }: Answer, ranges: StatusRange[]): string | undefined {
  if (ranges.some(({ from, to }) => from <= status && status <= to)) return undefined;
  const wanted = ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
  return `status ${status}, expected ${wanted}; ${excerpt(body)}`;
}

function bodyComplaint(body: Buffer, expected: BodyExpectation | undefined): string | undefined {
  if (expected === undefined) return undefined;
  if (expected.kind === 'text') {
    // Compared as bytes: the body need not be valid text
    if (body.includes(expected.text)) return undefined;
    return `the text ${JSON.stringify(expected.text)} is missing; ${excerpt(body)}`;
  }
  const found = matches(expected, body.toString('utf8'));
  const pattern = `/${expected.source}/${expected.flags}`;
  if (found === undefined) return `looking for ${pattern} took over ${PATTERN_LIMIT} ms; use a simpler pattern`;
  return found ? undefined : `nothing matches ${pattern}; ${excerpt(body)}`;
}

const search = new Script('new RegExp(source, flags).test(text)');
let realm: Context | undefined;

/** Undefined where time ran out. A realm of its own is the only place where a running pattern can be interrupted. */
function matches({ source, flags }: { source: string; flags: string }, text: string): boolean | undefined {
  realm ??= createContext();
  Object.assign(realm, { source, flags, text });
  try {
    return search.runInContext(realm, { timeout: PATTERN_LIMIT }) === true;
  } catch (error) {
    // It is an error of that realm, so not an instance of our Error
    if (Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}

function excerpt(body: Buffer): string {
  if (body.length === 0) return 'the body is empty';
  const text = body
    .toString('utf8', 0, EXCERPT_LENGTH * 4)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim();
  return `the body starts with ${JSON.stringify(text.slice(0, EXCERPT_LENGTH))}`;
}
