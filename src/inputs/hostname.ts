import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { bad, good, type Checked } from './checked.ts';
import { hasInvisible, show } from './show.ts';

const WILDCARDS = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0']);

/** A host name or address without brackets or port, in the form that is looked up: lower case, ASCII, no final dot. */
export function parseHostname(text: string): Checked<string> {
  if (hasInvisible(text)) return bad(`contains an invisible character: ${show(text)}`);
  if (WILDCARDS.has(text)) return bad(`${show(text)} means "every address of this machine", not a host`);
  if (isIPv6(text) || isIPv4(text)) return good(text.toLowerCase());
  const ascii = toAscii(text);
  const mistake = ascii === undefined ? grammar(text) : nameMistake(ascii, text);
  if (ascii === undefined || mistake !== undefined) return bad(mistake ?? grammar(text));
  return good(ascii, notes(text, ascii));
}

function toAscii(text: string): string | undefined {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (/^[A-Za-z0-9_.-]+$/.test(name)) return name.toLowerCase();
  // The URL rules would silently repair or decode an ASCII character that has no place in a host name.
  if (!/^[\p{L}\p{M}\p{N}_.-]+$/u.test(name)) return undefined;
  const ascii = domainToASCII(name);
  return /^[a-z0-9_.-]+$/.test(ascii) ? ascii : undefined;
}

function nameMistake(name: string, text: string): string | undefined {
  if (name.length > 253) return `a host name has at most 253 characters, found ${name.length}`;
  const labels = name.split('.');
  if (labels.some((label) => label.length > 63))
    return `a part of a host name has at most 63 characters: ${show(text)}`;
  if (labels.some((label) => label === '' || label.startsWith('-') || label.endsWith('-'))) return grammar(text);
  // Resolvers read 127.1 and 0x7f.1 as addresses, each in its own way.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) {
    return `looks like an address but is none: ${show(text)}. Write all four numbers, in decimal`;
  }
  return undefined;
}

function notes(text: string, ascii: string): string[] {
  if (/^[\x20-\x7e]*$/.test(text)) return [];
  return [`the host name ${show(text)} is looked up as ${ascii}`];
}

function grammar(text: string): string {
  return `expected a host name or address, found ${show(text)}`;
}
