import type { NewBinary } from '../binary/new-binary.ts';
import { UpgradeError } from '../errors.ts';
import type { MasterFacts } from '../target/facts.ts';
import { type HostRun, phase } from './host-run.ts';

/** The new binary for this target; obtained already, mostly. */
export async function obtain(run: HostRun, master: MasterFacts | null): Promise<NewBinary> {
  const { supply } = run;
  if (supply === undefined) throw new UpgradeError('internal', 'no binary was asked for');
  return phase(run, 'obtain', () => supply.for(master));
}
