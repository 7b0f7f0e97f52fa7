import { PREFLIGHT_CODES } from '../host/preflight/codes.ts';
import { all, bad, good, andThen, type Checked } from './checked.ts';
import { splitList } from './list.ts';
import { suggestion } from './nearest.ts';
import { show } from './show.ts';

const INSTEAD: Record<string, string> = {
  downgrade: ' Set "allow-downgrade: true" instead.',
  'forwarding-denied': ' Set "health-from: runner" instead.',
};

/** The codes that the user accepts; one that cannot be survived is a mistake. */
export function parseAllow(text: string): Checked<ReadonlySet<string>> {
  return andThen(all(splitList(text), parseCode), (codes) => good(new Set(codes)));
}

function parseCode(code: string): Checked<string> {
  const found = PREFLIGHT_CODES.get(code);
  if (found === 'survivable') return good(code);
  if (found === 'warns') return good(code, [`"${code}" only warns anyway`]);
  if (found === 'refuses') {
    return bad(`"${code}" cannot be allowed: an upgrade would not survive it.${INSTEAD[code] ?? ''}`);
  }
  if (code === 'same-binary') return bad('"same-binary" refuses nothing: the outcome is "unchanged"');
  return bad(`there is no preflight code ${show(code)}.${suggestion(code, PREFLIGHT_CODES.keys())}`);
}
