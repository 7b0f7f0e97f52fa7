/** `npm run demo`: installs what is missing, then runs demo/main.ts on Node 24. Leaves nothing behind but the files that it names. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PACKAGES, ensureNodeModules, ensurePackages, node24, root } from './bootstrap.mjs';

ensureNodeModules();
// What builds nginx, and setpriv and flock.
const gap = ensurePackages([...PACKAGES.build, 'util-linux', 'procps']);
if (gap) throw new Error(`expected to find or install what building nginx needs, found ${gap}`);
const demo = spawn(node24(), ['demo/main.ts'], { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => demo.kill(signal));
const [status] = await once(demo, 'close');
process.exitCode = status ?? 1;
