import { X509Certificate } from 'node:crypto';
import { all, bad, good, andThen, type Checked } from './checked.ts';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** One or more PEM certificates, as given. */
export function parseCertificates(text: string): Checked<string> {
  if (text.includes('PRIVATE KEY')) return bad('holds a private key; expected only the certificate of the authority');
  const blocks = text.match(BLOCK) ?? [];
  const started = text.split('-----BEGIN ').length - 1;
  if (started === 0) return bad(`expected the PEM text of a certificate, found ${withoutBlocks(text)}`);
  if (blocks.length !== started) return bad('expected only whole "BEGIN CERTIFICATE" blocks: was one cut off?');
  const numbered = blocks.map((pem, index) => ({ pem, number: index + 1 }));
  return andThen(all(numbered, parseCertificate), () => good(text));
}

function parseCertificate({ pem, number }: { pem: string; number: number }): Checked<X509Certificate> {
  try {
    const certificate = new X509Certificate(pem);
    const expired = new Date(certificate.validTo).getTime() < Date.now();
    return good(certificate, expired ? [`certificate ${number} has expired on ${certificate.validTo}`] : []);
  } catch {
    return bad(`certificate ${number} cannot be read: its base64 text is damaged`);
  }
}

function withoutBlocks(text: string): string {
  return /^[~./][^\n]*$/.test(text)
    ? 'what looks like a path: give the text of the file'
    : 'no "BEGIN CERTIFICATE" line';
}
