import { readFile } from 'node:fs/promises';
import { mustRun } from './command.ts';

export interface MachineRelease {
  /** `debian`, `ubuntu`, … */
  id: string;
  /** `bookworm`, … */
  codename: string;
  /** The mirror that this machine's apt is configured to use; no mirror's name belongs into the repository. */
  mirror: string;
}

/** What this machine runs and where its packages come from. */
export async function machineRelease(): Promise<MachineRelease> {
  const release = await readFile('/etc/os-release', 'utf8');
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? '';
  const codename = field('VERSION_CODENAME');
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = await mustRun(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages']);
  const line = targets.split('\n').find((target) => target.endsWith(` ${codename} main`));
  const mirror = line?.split(' ')[0];
  if (!mirror) throw new Error(`expected a mirror of ${codename} in this machine's apt sources, found none`);
  return { id: field('ID'), codename, mirror };
}
