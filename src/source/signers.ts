import { readFileSync } from 'node:fs';
import { readPublicKeys, type PublicKey } from './public-key.ts';

/** Somebody who signs releases of nginx. */
export interface Signer {
  /** Also the name of the key's file in a key directory. */
  name: string;
  /** Of the primary key. This, not the key, is what is trusted. */
  fingerprint: string;
}

/**
 * Who may sign a tarball (nginx.org/en/pgp_keys.html; mdounin until 2024). The keys of package repositories
 * (nginx_signing.key) are not among them: they sign no tarballs.
 */
export const NGINX_SIGNERS: readonly Signer[] = [
  { name: 'arut', fingerprint: '43387825DDB1BB97EC36BA5D007C8D7C15D87369' },
  { name: 'pluknet', fingerprint: 'D6786CE303D9A9022998DC6CC8464D549AF75C0A' },
  { name: 'thresh', fingerprint: '13C82A63B603576156E30A4EA0EA981B66B0D967' },
  { name: 'mdounin', fingerprint: 'B0F4253373F8F6F510D42178520A9993A1C052F8' },
];

/** Keys of nginx's package repositories: told apart from unknown ones where a tarball comes with their signature. */
export const REPOSITORY_KEYS: readonly string[] = [
  '573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62',
  '8540A6F18833A80E9C1653A42FD21310B49F6B46',
  '9E9BE90EACBCDE69FE9B204CBCDCD8A38D88A2B3',
];

/** The key of a signer as it came with us. One that has expired since may be had anew under the same fingerprint. */
export function keyOnBoard({ name, fingerprint }: Signer): PublicKey {
  // In the bundle these files lie beside it, too: the build copies them.
  const keys = readPublicKeys(readFileSync(new URL(`./keys/${name}.asc`, import.meta.url), 'utf8'));
  const key = typeof keys === 'string' ? undefined : keys.find((each) => each.fingerprint === fingerprint);
  if (key === undefined) throw new Error(`expected the key ${fingerprint} in keys/${name}.asc, found another`);
  return key;
}
