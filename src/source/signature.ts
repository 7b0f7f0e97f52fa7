import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dearmor } from './armor.ts';
import { readPackets, TAG } from './packets.ts';
import { longestFirst, type PublicKey, whyDamaged } from './public-key.ts';

/** What gpgv made of a signature. */
export type Verdict =
  /** By a key that was given, in time. `fingerprint` is that of its primary key. */
  | { kind: 'good'; fingerprint: string }
  /** By none of the keys given; the key's fingerprint, or its long id where the signature does not say more. */
  | { kind: 'unknown-signer'; key: string }
  | { kind: 'expired-key'; fingerprint: string }
  /** As a clause. */
  | { kind: 'bad'; why: string }
  /** gpgv is not installed here. */
  | { kind: 'no-gpgv' };

/** The one detached signature in a file, armored or not; a clause where it is anything else. */
export function readSignature(file: Buffer): Buffer | string {
  const blocks = (file[0] ?? 0) >= 0x80 ? [file] : dearmor(file.toString('latin1'), 'SIGNATURE');
  if (typeof blocks === 'string') return blocks;
  const bytes = Buffer.concat(blocks);
  try {
    const packets = readPackets(bytes);
    if (packets.some(({ tag }) => tag !== TAG.signature))
      return 'expected nothing but a signature, found other packets';
    return packets.length === 1 ? bytes : `expected one signature, found ${packets.length}`;
  } catch (error) {
    if (error instanceof RangeError) return `found a damaged signature: ${whyDamaged(error)}`;
    throw error;
  }
}

/** Has gpgv check `signature` over the file at `path` against these keys, and nothing else of this machine. */
export async function verify(path: string, given: { signature: Buffer; keys: PublicKey[] }): Promise<Verdict> {
  const dir = await mkdtemp(join(tmpdir(), 'nginx-hot-upgrade-gpgv-'));
  try {
    const [keyring, detached] = [join(dir, 'keyring'), join(dir, 'signature')];
    await writeFile(keyring, Buffer.concat(given.keys.toSorted(longestFirst).map(({ bytes }) => bytes)), {
      mode: 0o600,
    });
    await writeFile(detached, given.signature, { mode: 0o600 });
    const said = await gpgv(['--homedir', dir, '--keyring', keyring, '--status-fd', '1', detached, path]);
    return said === undefined ? { kind: 'no-gpgv' } : verdictOf(said);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function gpgv(args: string[]): Promise<string | undefined> {
  const { getExecOutput } = await import('@actions/exec');
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' };
  try {
    const { stdout } = await getExecOutput('gpgv', args, { silent: true, ignoreReturnCode: true, env });
    return stdout;
  } catch (error) {
    if (/Unable to locate executable/.test(String(error))) return undefined;
    throw error;
  }
}

/** Reads gpgv's status lines (GnuPG's doc/DETAILS): only VALIDSIG together with GOODSIG is good. */
export function verdictOf(status: string): Verdict {
  const lines = [...status.matchAll(/^\[GNUPG:\] ([A-Z_]+)(?: (.*))?$/gm)];
  const argsOf = (keyword: string) => lines.find(([, found]) => found === keyword)?.[2]?.split(' ');
  const valid = argsOf('VALIDSIG');
  const fingerprint = valid?.at(-1) ?? '';
  if (argsOf('BADSIG') !== undefined)
    return { kind: 'bad', why: 'it is the signature of another file, or the file was changed' };
  if (argsOf('REVKEYSIG') !== undefined) return { kind: 'bad', why: 'the key was revoked' };
  if (argsOf('EXPSIG') !== undefined) return { kind: 'bad', why: 'the signature itself has expired' };
  if (argsOf('EXPKEYSIG') !== undefined) return { kind: 'expired-key', fingerprint };
  if (argsOf('GOODSIG') !== undefined && valid !== undefined) return { kind: 'good', fingerprint };
  const missing = argsOf('NO_PUBKEY')?.[0];
  if (missing !== undefined) return { kind: 'unknown-signer', key: longest(argsOf('ERRSIG')?.[6], missing) };
  const error = argsOf('ERRSIG');
  return { kind: 'bad', why: error === undefined ? 'it cannot be read' : `it cannot be checked (code ${error[5]})` };
}

/** An old signature names no fingerprint, only an id. */
function longest(fingerprint: string | undefined, id: string): string {
  return fingerprint === undefined || fingerprint === '-' ? id : fingerprint;
}
