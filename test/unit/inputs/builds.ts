import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import type { BuildSource } from '../../../src/config.ts';
import { ask, NGINX } from './support.ts';

/** What a build without targets needs at least. */
export const BUILD = { command: 'build', 'nginx-version': '1.30.4', 'configure-args': '--with-threads' };

/** The directory of the files that the tests make. */
export const FOLDER = dirname(NGINX);

export const DIGEST = 'ab'.repeat(32);

/** What is built where these inputs are added to the least; fails where one of them is refused. */
export async function sourceOf(inputs: Record<string, string>): Promise<BuildSource> {
  const { parsed, problems } = await ask({ ...BUILD, ...inputs });
  assert.deepEqual(problems, []);
  const source = parsed?.config.binary;
  assert.ok(source?.kind === 'build', JSON.stringify(source));
  return source;
}

/** All that is wrong with a build of these inputs, each line with its input. */
export async function refusal(inputs: Record<string, string>): Promise<string> {
  const { problems } = await ask({ ...BUILD, ...inputs });
  return problems.map(({ input, message }) => `${input}: ${message}`).join('\n');
}
