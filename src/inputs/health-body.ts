import type { BodyExpectation } from '../config.ts';
import { messageOf } from '../errors.ts';
import { bad, good, type Checked } from './checked.ts';
import { show } from './show.ts';

const LONGEST = 4096;

/** A text that must occur, or `/regex/` with the flags i, m, s, u, v. */
export function parseBody(text: string): Checked<BodyExpectation> {
  if (text.length > LONGEST) return bad(`at most ${LONGEST} characters, found ${text.length}`);
  const regex = /^\/(.+)\/([a-z]{0,6})$/s.exec(text);
  const [, source = '', flags = ''] = regex ?? [];
  if (regex === null || !/^[dgimsuvy]*$/.test(flags)) return good({ kind: 'text', text });
  const mistake = regexMistake(source, flags);
  return mistake === undefined ? good({ kind: 'regex', source, flags }) : bad(`${mistake}: ${show(text)}`);
}

function regexMistake(source: string, flags: string): string | undefined {
  if (/[dgy]/.test(flags)) return 'the flags d, g and y mean nothing here';
  try {
    RegExp(source, flags);
  } catch (error) {
    return messageOf(error).replace(/^Invalid regular expression: .*: /s, 'no valid regular expression, ');
  }
  if (!nestsRepeats(source)) return undefined;
  return 'a repeat within a repeat such as (a+)+ can take for ever on an answer that does not match';
}

/** True where a group that holds an open-ended repeat is itself repeated without end. */
function nestsRepeats(source: string): boolean {
  const bare = source.replaceAll(/\\./gs, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
  const repeating = [false];
  for (const [token] of bare.matchAll(/\(|\)?(?:[*+]|\{[0-9]+,\})|\)/g)) {
    if (token === '(') repeating.push(false);
    else if (!closeGroup(token, repeating)) return true;
  }
  return false;
}

function closeGroup(token: string, repeating: boolean[]): boolean {
  const inner = token.startsWith(')') && repeating.length > 1 && repeating.pop() === true;
  const repeated = token !== ')';
  if (inner && repeated) return false;
  if (inner || repeated) repeating[repeating.length - 1] = true;
  return true;
}
