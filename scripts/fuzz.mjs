/**
 * `npm run fuzz -- COUNT [FIRST]`: installs what is missing, then has hostile users do what they can around runs on test hosts: the cases
 * FIRST, FIRST + 1 and so on (test/hostile/run.ts), on Node 24, with the built program.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PACKAGES, ensureNodeModules, ensurePackages, node24, root } from './bootstrap.mjs';

ensureNodeModules();
const gap = ensurePackages([...PACKAGES.build, ...PACKAGES.tests, ...PACKAGES.hosts]);
if (gap) throw new Error(`expected to find or install what the fuzz needs, found ${gap}`);
const env = { ...process.env, NHU_ENTRY: 'dist' };
const fuzz = spawn(node24(), ['test/hostile/run.ts', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit', env });
// A Ctrl-C reaches the child by itself; it cleans up, we wait.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => fuzz.kill(signal));
const [status] = await once(fuzz, 'close');
process.exitCode = status ?? 1;
