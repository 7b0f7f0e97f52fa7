/** Run by `npm test` first: every nginx is built and a host boots, or the reason why none can is printed. */
import { messageOf } from '../../src/errors.ts';
import { bootHost, noHosts } from './hosts.ts';
import { nginxBuild } from './nginx-builds.ts';
import { VARIANTS } from './nginx-variants.ts';

await nginxBuild('1.22.1');
await nginxBuild('1.26.3');
for (const variant of VARIANTS) await nginxBuild('1.26.3', variant);

console.log(noHosts() || (await bootFailure()));

async function bootFailure(): Promise<string> {
  try {
    await (await bootHost('trial')).stop();
    return '';
  } catch (error) {
    return messageOf(error).split('\n').slice(-2).join(' ');
  }
}
