import { join } from 'node:path';
import { sourceFile, type Suite } from './debian-archive.ts';

/** Which Debian release carries which upstream tarball in its source package. */
const SUITES = { '1.22.1': 'bookworm', '1.26.3': 'trixie' } as const satisfies Record<string, Suite>;
export type NginxVersion = keyof typeof SUITES;

/** Path of nginx's own tarball, as Debian keeps it. */
export function nginxTarball(version: NginxVersion): Promise<string> {
  return sourceFile(`nginx_${version}.orig.tar.gz`, { package: 'nginx', suite: SUITES[version] });
}

/** The detached signature that nginx published with 1.26.3; Debian keeps none with its copy of the tarball. */
export const SIGNATURE = join(import.meta.dirname, 'signatures/nginx-1.26.3.tar.gz.asc');
