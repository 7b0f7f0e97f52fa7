const LONGEST = 65_536;

interface Shape {
  looks: (text: string) => boolean;
  message: string;
}

const MAGIC = 'openssh-key-v1\0';
const BEGIN = '-----BEGIN ';
const CHANGE_FORMAT = 'rewrite a copy of it in the OpenSSH format with "ssh-keygen -p -f FILE"';
const NO_HARDWARE = 'keys in hardware (sk-…) cannot be used by the library transport: use an ordinary key';
const EXPECTED = 'expected the text of a private key, "-----BEGIN … PRIVATE KEY-----" and all that follows';

/** In the order in which they are told apart; each message says what it is and what to do, and shows nothing of it. */
const SHAPES: Shape[] = [
  { looks: (text) => text.length > LONGEST, message: 'is longer than 64 KiB: that is no private key' },
  { looks: (text) => /^["']/.test(text), message: 'stands in quotation marks: store the key without them' },
  { looks: (text) => text.startsWith('{'), message: 'is JSON: give only the private key text from it' },
  {
    looks: (text) => text.startsWith(BEGIN) && text.includes(String.raw`\n`),
    message: String.raw`holds the two characters "\n" where lines should end: store it with real line breaks`,
  },
  {
    looks: (text) => text.startsWith('PuTTY-User-Key-File-3'),
    message: 'is a PuTTY key (version 3): convert it with "puttygen FILE -O private-openssh -o NEWFILE"',
  },
  {
    looks: (text) => /^(?:ssh|ecdsa|sk)-[^ ]*-cert-v0[01]@openssh\.com /.test(text),
    message:
      'is a user certificate, which the library transport cannot use: give a private key that the host knows itself',
  },
  { looks: (text) => text.startsWith('sk-'), message: `is a public key; ${NO_HARDWARE}` },
  {
    looks: (text) => /^(?:ssh-|ecdsa-)|^-----BEGIN (?:[A-Z]+ )?PUBLIC KEY|^---- BEGIN SSH2 PUBLIC/.test(text),
    message: 'is a public key: the private one is in the file of the same name without ".pub"',
  },
  {
    looks: (text) => text.startsWith('SSH PRIVATE KEY FILE FORMAT 1'),
    message: 'is a key of SSH protocol 1: make a new one',
  },
  { looks: (text) => text.includes('BEGIN PGP '), message: 'is a PGP block, not an SSH key' },
  { looks: (text) => text.includes('BEGIN CERTIFICATE'), message: 'holds a certificate: give only the private key' },
  {
    looks: (text) => text.includes('BEGIN PRIVATE KEY') || text.includes('BEGIN ENCRYPTED PRIVATE KEY'),
    message: `is a PKCS#8 key, which cannot be read: ${CHANGE_FORMAT} (an Ed25519 key needs OpenSSH 9.6 for that)`,
  },
  { looks: (text) => blocks(text) > 1, message: 'holds more than one private key: give one' },
  { looks: isEncoded, message: 'is the base64 form of a key: decode it first ("base64 -d")' },
  { looks: isPath, message: 'looks like a path: give the text of the key (on the command line: @FILE)' },
  { looks: (text) => /^[A-Za-z0-9+/=\s]{60,}$/.test(text), message: `has lost its first and last line; ${EXPECTED}` },
  { looks: (text) => !text.includes(BEGIN) && !text.startsWith('PuTTY-'), message: EXPECTED },
  {
    looks: (text) => text.includes(BEGIN) && !text.startsWith(BEGIN),
    message: `has text before its first line; ${EXPECTED}`,
  },
  {
    looks: (text) => text.startsWith(BEGIN) && !text.includes('-----END '),
    message: 'is cut off: its last line is missing',
  },
  {
    looks: (text) => text.startsWith(BEGIN) && !text.includes('\n'),
    message: 'has spaces where lines should end: store it with real line breaks',
  },
  { looks: (text) => /\n[ \t]+[^\s]/.test(text), message: 'is indented: store its lines without leading spaces' },
  { looks: (text) => !text.endsWith('-----') && text.startsWith(BEGIN), message: 'has more text after its last line' },
];

/**
 * Why this text cannot be a private key that ssh2 reads, told by its shape alone; undefined where it may be one.
 * Expects trimmed text with LF line ends.
 */
export function keyShapeProblem(text: string): string | undefined {
  const shape = SHAPES.find(({ looks }) => looks(text));
  return shape?.message ?? openSshProblem(text);
}

/** True where a shape as such says that the key is stored encrypted. */
export function isEncrypted(text: string): boolean {
  return (openSshHeader(text)?.cipher ?? 'none') !== 'none' || /^Proc-Type: 4,ENCRYPTED$|^Encryption: aes/m.test(text);
}

function openSshProblem(text: string): string | undefined {
  const header = openSshHeader(text);
  if (header === undefined) return undefined;
  if (header.body.includes('sk-ssh-') || header.body.includes('sk-ecdsa-')) return NO_HARDWARE;
  if (!header.cipher.startsWith('chacha20')) return undefined;
  return 'is encrypted with chacha20-poly1305, which cannot be read: rewrite a copy with "ssh-keygen -p -Z aes256-ctr -f FILE"';
}

function openSshHeader(text: string): { cipher: string; body: string } | undefined {
  const base64 = /^-----BEGIN OPENSSH PRIVATE KEY-----\n([^-]*)/.exec(text)?.[1];
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const start = MAGIC.length;
  if (bytes.length < start + 4 || bytes.toString('latin1', 0, start) !== MAGIC) return undefined;
  const length = Math.min(bytes.readUInt32BE(start), 64);
  return { cipher: bytes.toString('latin1', start + 4, start + 4 + length), body: bytes.toString('latin1') };
}

function blocks(text: string): number {
  return text.split(/-----BEGIN [A-Z ]*PRIVATE KEY-----/).length - 1;
}

function isEncoded(text: string): boolean {
  return (
    /^[A-Za-z0-9+/=\s]+$/.test(text) && Buffer.from(text, 'base64').toString('latin1').includes('PRIVATE KEY-----')
  );
}

function isPath(text: string): boolean {
  return /^[~./@][^\n]{0,300}$/.test(text) || /^[A-Za-z]:\\/.test(text);
}
