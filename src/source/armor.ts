/** Kinds of OpenPGP armor (RFC 9580, section 6.2) that have a use here. */
export type ArmorKind = 'PUBLIC KEY BLOCK' | 'SIGNATURE';

const BLOCK =
  /-----BEGIN PGP ([A-Z ]+)-----[ \t]*\n((?:[A-Za-z-]+: .*\n)*)[ \t]*\n([A-Za-z0-9+/=\s]*?)-----END PGP \1-----/g;

/**
 * The bytes of every block of that kind in `text`; a clause that says what is wrong where there is another kind, or none.
 * People write notes around keys. Around a signature nothing may stand: it would be signed by nobody.
 */
export function dearmor(text: string, kind: ArmorKind): Buffer[] | string {
  const plain = text.replaceAll('\r\n', '\n');
  const blocks = [...plain.matchAll(BLOCK)];
  const other = blocks.find(([, found]) => found !== kind);
  if (other !== undefined) return `expected a PGP ${kind.toLowerCase()}, found a PGP ${other[1]?.toLowerCase()}`;
  if (/-----BEGIN PGP SIGNED MESSAGE-----/.test(plain)) return 'expected a detached signature, found a signed message';
  const begun = plain.match(/-----BEGIN PGP /g)?.length ?? 0;
  if (begun > blocks.length)
    return `found a block that is cut off or damaged: expected each to run to "-----END PGP ${kind}-----"`;
  if (blocks.length === 0) return `expected "-----BEGIN PGP ${kind}-----", found no such block`;
  if (kind === 'SIGNATURE' && plain.replaceAll(BLOCK, '').trim() !== '') return 'found text around the signature';
  const bytes = blocks.map(([, , , body = '']) => Buffer.from(body.replace(/\n=[A-Za-z0-9+/]{4}\s*$/, ''), 'base64'));
  return bytes.some((block) => block.length === 0) ? 'found an empty block' : bytes;
}
