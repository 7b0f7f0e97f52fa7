import { existsSync } from 'node:fs';

/** For `{ skip: notInstalled(shell) }`; a shell may have arguments. */
export function notInstalled(shell: string): string | false {
  const [name = ''] = shell.split(' ');
  const installed = ['/bin', '/usr/bin'].some((dir) => existsSync(`${dir}/${name}`));
  return installed ? false : `${name} is not installed`;
}
