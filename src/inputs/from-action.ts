import type { RawInputs } from './form.ts';

const PREFIX = 'INPUT_';

/** What a runner says of itself that hands the inputs of a wrapping action along to its steps. GitHub's does not. */
const HANDS_ALONG = ['GITEA_ACTIONS', 'FORGEJO_ACTIONS'];

/**
 * The inputs as a runner hands them over: `INPUT_` and the name in upper case, spaces as underscores, dashes kept.
 * `raw` holds names that are no inputs too: they are mistakes, but where `othersMayBeThere`.
 */
export function readActionInputs(variables: Record<string, string | undefined>): {
  raw: RawInputs;
  othersMayBeThere: boolean;
} {
  const raw = new Map<string, string>();
  for (const [variable, value] of Object.entries(variables)) {
    if (!variable.startsWith(PREFIX) || value === undefined) continue;
    raw.set(variable.slice(PREFIX.length).toLowerCase(), value);
  }
  return { raw, othersMayBeThere: HANDS_ALONG.some((name) => variables[name] === 'true') };
}
