import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INPUT_NAMES, specOf } from '../../src/inputs/names.ts';
import { command } from './command.ts';
import { ownTempDir } from './temp-dir.ts';

const dist = join(import.meta.dirname, '../../dist');
const root = ownTempDir();

export interface Step {
  code: number | null;
  /** Both streams, without the lines that tell the runner what to mask. */
  log: string;
  /** What the step said to the runner: `::error title=T::message`, by kind. */
  errors: Annotation[];
  warnings: Annotation[];
  outputs: Record<string, string>;
  state: Record<string, string>;
  /** Markdown for the job's page. */
  summary: string;
  /** RUNNER_TEMP of the job. */
  temp: string;
}

export interface Annotation {
  title: string;
  message: string;
}

/** Runs the built action as a runner does: every declared input as a variable, files for what it has to say. `more` adds variables. */
export function runAction(inputs: Record<string, string>, more: Record<string, string> = {}): Promise<Step> {
  return runEntry('action.cjs', { inputs, state: {}, more });
}

/** Runs the built post step after `step`, which had the same inputs. */
export function runPost(inputs: Record<string, string>, { state }: Pick<Step, 'state'>): Promise<Step> {
  return runEntry('post.cjs', { inputs, state, more: {} });
}

interface Given {
  inputs: Record<string, string>;
  state: Record<string, string>;
  more: Record<string, string>;
}

async function runEntry(entry: string, { inputs, state, more }: Given): Promise<Step> {
  const temp = await mkdtemp(join(root, 'job-'));
  const files = {
    GITHUB_OUTPUT: join(temp, 'output'),
    GITHUB_STATE: join(temp, 'state'),
    GITHUB_STEP_SUMMARY: join(temp, 'summary'),
  };
  for (const file of Object.values(files)) await writeFile(file, '');
  const env = {
    PATH: process.env['PATH'],
    HOME: temp,
    RUNNER_TEMP: temp,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    ...files,
    ...run,
    ...more,
  };
  const variables = { ...env, ...prefixed('INPUT_', asRunnerDoes(inputs)), ...prefixed('STATE_', state) };
  const { code, stdout, stderr } = await command([process.execPath, join(dist, entry)], {
    env: variables,
    timeout: 120_000,
  });
  const log = (stdout + stderr).replaceAll(/^::add-mask::.*\n/gm, '');
  return {
    code,
    log,
    errors: annotationsIn(log, 'error'),
    warnings: annotationsIn(log, 'warning'),
    outputs: valuesIn(await readFile(files.GITHUB_OUTPUT, 'utf8')),
    state: valuesIn(await readFile(files.GITHUB_STATE, 'utf8')),
    summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
    temp,
  };
}

const run = {
  GITHUB_ACTOR: 'somebody',
  GITHUB_SERVER_URL: 'https://github.example',
  GITHUB_REPOSITORY: 'somebody/site',
  GITHUB_RUN_ID: '4711',
};

/** A declared input that nobody set is there too, with its default or empty. */
function asRunnerDoes(inputs: Record<string, string>): Record<string, string> {
  return { ...Object.fromEntries(INPUT_NAMES.map((name) => [name, specOf(name).default ?? ''])), ...inputs };
}

function prefixed(prefix: string, values: Record<string, string>): Record<string, string> {
  const upper = prefix === 'INPUT_' ? (name: string) => name.toUpperCase() : (name: string) => name;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + upper(name), value]));
}

function annotationsIn(log: string, kind: 'error' | 'warning'): Annotation[] {
  const lines = log.matchAll(new RegExp(`^::${kind}(?: title=(.*?))?::(.*)$`, 'gm'));
  return [...lines].map(([, title = '', message = '']) => ({ title: unescaped(title), message: unescaped(message) }));
}

function unescaped(text: string): string {
  return decodeURIComponent(text.replaceAll(/%(?!0A|0D|25|3A|2C)/g, '%25'));
}

/** A file of `name<<delimiter`, lines, `delimiter`. */
function valuesIn(text: string): Record<string, string> {
  const entries = text.matchAll(/^([^\n]+?)<<([^\n]+)\n(.*?)\n?\2$/gms);
  return Object.fromEntries([...entries].map(([, name = '', , value = '']) => [name, value]));
}
