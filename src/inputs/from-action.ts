import type { RawInputs } from './form.ts';
import { isInputName } from './names.ts';

const PREFIX = 'INPUT_';

/**
 * The inputs as a runner hands them over: `INPUT_` and the name in upper case, spaces as underscores, dashes kept.
 * `raw` holds names that are no inputs too, so that the parser warns of them; `unknown` lists those.
 */
export function readActionInputs(variables: Record<string, string | undefined>): { raw: RawInputs; unknown: string[] } {
  const raw = new Map<string, string>();
  for (const [variable, value] of Object.entries(variables)) {
    if (!variable.startsWith(PREFIX) || value === undefined) continue;
    raw.set(variable.slice(PREFIX.length).toLowerCase(), value);
  }
  return { raw, unknown: [...raw.keys()].filter((name) => !isInputName(name)) };
}
