import { all, bad, good, andThen, type Checked } from './checked.ts';
import { numberedLines } from './list.ts';
import { isCredentialHeader, SHORTEST_SECRET } from './secrets.ts';

type Header = [name: string, value: string];

const MOST = 50;
/** The connection's own business: a probe sets these itself. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
]);

/** `Name: value` lines. Messages name the line's number only: a value may be a secret, and so may a line without a name. */
export function parseHeaders(text: string): Checked<Header[]> {
  const lines = numberedLines(text);
  if (lines.length > MOST) return bad(`at most ${MOST} headers, found ${lines.length}`);
  const headers = all(lines, ({ line, number }) => parseHeader(line, number));
  return andThen(headers, oneHost);
}

function parseHeader(line: string, number: number): Checked<Header> {
  const colon = line.indexOf(':');
  if (colon < 0) return bad(`line ${number}: expected "Name: value", found no colon`);
  const name = line.slice(0, colon);
  const value = line.slice(colon + 1).trim();
  if (name === '') return bad(`line ${number}: expected "Name: value", found no name`);
  if (name.length > 100 || !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
    return bad(`line ${number}: the name holds a character that no header name may hold`);
  }
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    return bad(`line ${number}: the value of ${name} holds a control character or one outside Latin-1`);
  }
  if (RESERVED.has(name.toLowerCase()) || name.toLowerCase() === 'upgrade') {
    return bad(`line ${number}: ${name} belongs to the connection and cannot be set`);
  }
  return good([name, value], notes(name, value));
}

function notes(name: string, value: string): string[] {
  if (!isCredentialHeader(name) || value.length >= SHORTEST_SECRET) return [];
  return [`the value of ${name} is too short to be masked in the log`];
}

function oneHost(headers: Header[]): Checked<Header[]> {
  const hosts = headers.filter(([name]) => name.toLowerCase() === 'host');
  return hosts.length > 1 ? bad(`expected one Host header, found ${hosts.length}`) : good(headers);
}
