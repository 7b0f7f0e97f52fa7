import { bad, good, type Checked } from './checked.ts';
import { show } from './show.ts';

/** A SHA-256 digest: 64 hexadecimal digits, as lower case; a `sha256:` prefix is taken off. */
export function parseSha256(text: string): Checked<string> {
  const digits = text.replace(/^sha256:/i, '').toLowerCase();
  if (/^0{64}$/.test(digits)) return bad('all 64 digits are 0: that is a placeholder, not a digest');
  if (/^[0-9a-f]{64}$/.test(digits)) return good(digits);
  return bad(`expected the 64 hexadecimal digits of a SHA-256 digest, found ${describe(digits, text)}`);
}

function describe(digits: string, text: string): string {
  if (/^[0-9a-f]{128}$/.test(digits)) return '128 digits (a SHA-512 digest?)';
  if (/^[0-9a-f]{40}$/.test(digits)) return '40 digits (a SHA-1 digest?)';
  if (/^[0-9a-f]+$/.test(digits)) return `${digits.length} digits`;
  if (/^[0-9a-f]{64}\s/.test(digits)) return 'more text after the digest: leave the file name out';
  return show(text);
}
