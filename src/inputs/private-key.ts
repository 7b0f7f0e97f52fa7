import { bad, good, type Checked } from './checked.ts';
import { isEncrypted, keyShapeProblem } from './key-shape.ts';

type ParsedKey = import('ssh2').ParsedKey;

const SMALLEST_RSA = 2048;

/** A private key that ssh2 can use with this passphrase; as normalised text. Messages show nothing of either. */
export async function parsePrivateKey(text: string, passphrase: string | undefined): Promise<Checked<string>> {
  const shape = keyShapeProblem(text);
  if (shape !== undefined) return bad(shape);
  if (isEncrypted(text) && passphrase === undefined) {
    return bad('is encrypted: give its "passphrase", or a key that needs none');
  }
  const parsed = await read(text, passphrase);
  if (parsed instanceof Error) return bad(explain(parsed.message));
  const weakness = weaknessOf(parsed);
  if (weakness !== undefined) return bad(weakness);
  const idle = passphrase !== undefined && !isEncrypted(text);
  return good(`${text}\n`, idle ? ['is not encrypted: the "passphrase" is not used'] : []);
}

async function read(text: string, passphrase: string | undefined): Promise<ParsedKey | Error> {
  // Loading ssh2 takes as long as all the rest of a start: only where there is a key.
  // oxlint-disable-next-line no-restricted-imports -- nothing is connected here: what reads a key later must judge it now
  const { default: ssh2 } = await import('ssh2');
  const parsed = ssh2.utils.parseKey(text, passphrase);
  if (!Array.isArray(parsed)) return parsed;
  const [only, ...others] = parsed;
  return only === undefined || others.length > 0 ? new Error('holds more than one private key: give one') : only;
}

function explain(message: string): string {
  if (/passphrase given/.test(message)) return 'is encrypted: give its "passphrase", or a key that needs none';
  if (/bad passphrase|bad decrypt/i.test(message)) return 'cannot be decrypted: is the "passphrase" the right one?';
  if (/more than one/.test(message)) return message;
  if (/Unsupported(?!.*magic)/.test(message))
    return 'is of a kind that cannot be used: make an Ed25519 key ("ssh-keygen -t ed25519")';
  return 'is damaged: it starts and ends like a private key, but what is between cannot be read. Was it copied whole?';
}

function weaknessOf(key: ParsedKey): string | undefined {
  if (!key.isPrivateKey()) return 'is a public key: give the private one';
  const advice = 'make a new one with "ssh-keygen -t ed25519"';
  if (key.type === 'ssh-dss') return `is a DSA key, which servers no longer accept: ${advice}`;
  if (key.type !== 'ssh-rsa') return undefined;
  const bits = rsaBits(key.getPublicSSH());
  return bits < SMALLEST_RSA
    ? `is an RSA key of ${bits} bits, expected at least ${SMALLEST_RSA}: ${advice}`
    : undefined;
}

/** The public key blob is three length-prefixed fields: the type, the exponent, the modulus. */
function rsaBits(blob: Buffer): number {
  let offset = 0;
  for (let field = 0; field < 2; field++) offset += 4 + blob.readUInt32BE(offset);
  const modulus = blob.subarray(offset + 4);
  const zeros = modulus[0] === 0 ? 1 : 0;
  return (modulus.length - zeros) * 8 - (Math.clz32(modulus[zeros] ?? 0) - 24);
}
