/** Host key pins as a user wrote them, judged. */
export interface Fingerprints {
  /** `SHA256:` and 43 base64 characters without padding; each once. */
  pins: string[];
  /** Sentences; any one means that the whole list must not be relied on. */
  problems: string[];
  /** What was put right without asking. */
  notes: string[];
}

const EXPECTED = 'expected SHA256: and 43 base64 characters, as `ssh-keygen -lf` prints it';
const BODY = /^[A-Za-z0-9+/]{43}=?$/;

/** Reads pins, one a line; blank lines and `#` comments do not count. */
export function parseFingerprints(lines: string[]): Fingerprints {
  const result: Fingerprints = { pins: [], problems: [], notes: [] };
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const problem = problemOf(line);
    if (problem === undefined) add(result, line);
    else result.problems.push(`entry ${index + 1}: ${problem}`);
  }
  return result;
}

function add(result: Fingerprints, line: string): void {
  const pin = line.replace(/=+$/, '');
  if (pin !== line) result.notes.push(`${pin}: the padding "=" at its end was left out`);
  if (!result.pins.includes(pin)) result.pins.push(pin);
}

function problemOf(line: string): string | undefined {
  if (/\s/.test(line)) return `${EXPECTED}, found several words: keep only the one that starts with SHA256:`;
  return formProblem(line) ?? prefixProblem(line) ?? bodyProblem(line.slice('SHA256:'.length));
}

/** Other things than a SHA-256 fingerprint, told apart by their shape. */
function formProblem(line: string): string | undefined {
  if (/^(?:\*|any|all|none|no|off|false|yes|accept-new|ignore|skip)$/i.test(line)) {
    return `${EXPECTED}, found ${line}: there is no way to trust any key that comes along`;
  }
  if (/^md5:/i.test(line) || /^(?:[0-9a-f]{2}:){15}[0-9a-f]{2}$/i.test(line)) {
    return `${EXPECTED}, found an MD5 fingerprint, which can be forged: take it again with \`ssh-keygen -lf\``;
  }
  if (/^sha-?1:/i.test(line)) return `${EXPECTED}, found a SHA-1 fingerprint, which can be forged`;
  if (/^(?:sha256:)?(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/i.test(line))
    return `${EXPECTED}, found the digest in hexadecimal`;
  if (/^(?:ssh-|ecdsa-|AAAA)/.test(line)) return `${EXPECTED}, found a public key: that belongs into known-hosts`;
  return undefined;
}

function prefixProblem(line: string): string | undefined {
  if (line.startsWith('SHA256:')) return undefined;
  if (BODY.test(line)) return `${EXPECTED}, found no prefix: write SHA256: in front of it`;
  if (!/^sha256:/i.test(line)) return `${EXPECTED}, found something else`;
  return `${EXPECTED}, found the prefix in other letters: was it lower-cased? Upper and lower case differ in it`;
}

function bodyProblem(body: string): string | undefined {
  if (!/^[A-Za-z0-9+/]+=*$/.test(body)) return `${EXPECTED}, found characters that base64 does not have`;
  if (!BODY.test(body)) return `${EXPECTED}, found ${body.replace(/=+$/, '').length} characters behind SHA256:`;
  // A digest without a single capital among 43 characters does not happen.
  if (!/[A-Z]/.test(body)) return `${EXPECTED}, found only lower-case letters: upper and lower case differ in it`;
  const bare = body.replace('=', '');
  const canonical = Buffer.from(bare, 'base64').toString('base64').replace(/=+$/, '');
  return canonical === bare
    ? undefined
    : `${EXPECTED}, found a last character that no digest ends in: was it copied whole?`;
}
