import type { NewBinary } from '../binary/new-binary.ts';
import { printArgs } from '../nginx/configure-args.ts';
import type { HostResult } from '../report/result.ts';
import type { HostRun } from './host-run.ts';
import { inspect } from './inspect.ts';
import { obtain } from './obtaining.ts';

/** Only the new binary, as this target needs it. Changes nothing on the target. */
export async function buildFor(run: HostRun): Promise<void> {
  const facts = await inspect(run);
  built(run.result, await obtain(run, facts.master));
}

export function built(result: HostResult, binary: NewBinary | undefined): void {
  if (binary === undefined) return;
  const { build, sha256, path } = binary;
  Object.assign(result, { outcome: 'built', version: build.version, sha256 });
  result.notes.push(`The new binary: ${path}`, `configure arguments: ${printArgs(build.arguments)}`);
}
