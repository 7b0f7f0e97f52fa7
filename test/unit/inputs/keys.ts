import { generateKeyPairSync } from 'node:crypto';
// oxlint-disable-next-line no-restricted-imports -- makes keys in every form that users have
import ssh2 from 'ssh2';

export const PASSPHRASE = 'correct horse';

export const ED25519 = ed25519Key();
export const ENCRYPTED = ed25519Key({ passphrase: PASSPHRASE, cipher: 'aes256-ctr', rounds: 1 }).private;
export const ECDSA = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private;

/** One in two hundred and fifty that ssh2 makes cannot be read by anybody, ssh-keygen included: then another one. */
export function ed25519Key(encryption?: ssh2.utils.KeyPairOptions & { passphrase: string }): ssh2.utils.KeyPairReturn {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', encryption);
    if (!(ssh2.utils.parseKey(pair.private, encryption?.passphrase) instanceof Error)) return pair;
  }
}

export function rsaPem(bits: number, passphrase?: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const encrypted = passphrase === undefined ? {} : { cipher: 'aes-128-cbc', passphrase };
  return privateKey.export({ type: 'pkcs1', format: 'pem', ...encrypted }).toString();
}

export function pkcs8(passphrase?: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const encrypted = passphrase === undefined ? {} : { cipher: 'aes-128-cbc', passphrase };
  return privateKey.export({ type: 'pkcs8', format: 'pem', ...encrypted }).toString();
}

/** A DSA key in the old form: six integers, which nothing verifies when it is read. */
export function dsaPem(): string {
  const integers = [0, 23, 11, 4, 8, 3].map((value) => [2, 1, value]);
  const body = Buffer.from([0x30, 18, ...integers.flat()]).toString('base64');
  return `-----BEGIN DSA PRIVATE KEY-----\n${body}\n-----END DSA PRIVATE KEY-----\n`;
}

/** The start of a key in the OpenSSH form, as far as its shape needs to be known. */
export function openSshPem(cipher: string, rest = ''): string {
  const name = Buffer.from(cipher);
  const length = Buffer.from([0, 0, 0, name.length]);
  const bytes = Buffer.concat([Buffer.from('openssh-key-v1\0'), length, name, Buffer.from(rest)]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
