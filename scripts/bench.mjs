/**
 * `npm run bench`: installs what is missing, then runs bench/main.ts on Node 24.
 * `npm run bench -- upgrade|upload|cold-start|build|drops [--count N] [--rate N]`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PACKAGES, ensureNodeModules, ensurePackages, node24, root } from './bootstrap.mjs';

ensureNodeModules();
const gap = ensurePackages([...PACKAGES.build, ...PACKAGES.tests, ...PACKAGES.hosts]);
if (gap) throw new Error(`expected to find or install what the benchmark needs, found ${gap}`);
const bench = spawn(node24(), ['bench/main.ts', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
// A Ctrl-C reaches the child by itself; it cleans up, we wait.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => bench.kill(signal));
const [status] = await once(bench, 'close');
process.exitCode = status ?? 1;
