/**
 * `npm test`: installs what is missing, builds the nginx versions, runs every test and cleans up whatever happened.
 * Where whole hosts cannot boot, all the rest runs and one closing line says what was left out;
 * with NHU_REQUIRE_HOSTS=1 such a gap is a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { PACKAGES, ensureNodeModules, ensurePackages, node24, root, sudoWords } from './bootstrap.mjs';

const SUITES = ['unit', 'helper', 'integration', 'dist'];
/** Milliseconds for one test; a hanging one fails with its name. */
const TEST_TIMEOUT = 600_000;

ensureNodeModules();
const node = node24();
const unbuildable = ensurePackages([...PACKAGES.build, ...PACKAGES.shells, ...PACKAGES.tests]);
const noRoot = sudoWords() ? undefined : 'neither root nor sudo without a password';
const noHosts = unbuildable ?? prepare(noRoot ?? ensurePackages(PACKAGES.hosts));
const env = noHosts ? { ...process.env, NHU_NO_HOSTS: noHosts } : process.env;
const suites = unbuildable ? ['unit'] : SUITES;

const code = await runTests(suites).finally(cleanUp);
if (noHosts) {
  const left = unbuildable ? `all tests but test/unit (${unbuildable})` : `the tests on whole hosts (${noHosts})`;
  console.log(`Left out here: ${left.replaceAll('\n', ' ')}`);
}
process.exitCode = code || (noHosts && process.env.NHU_REQUIRE_HOSTS === '1' ? 1 : 0);

/** Builds every nginx and boots a first host. Returns why hosts cannot boot here (`known`, or found out), or undefined. */
function prepare(known) {
  console.log('Building nginx and a base system for test hosts where they are missing (three minutes the first time)');
  const { status, stdout } = spawnSync(node, ['test/support/prepare.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: known ? { ...process.env, NHU_NO_HOSTS: known } : process.env,
  });
  if (status !== 0) throw new Error('expected the nginx builds to succeed, found the error above');
  return stdout.trim() || undefined;
}

async function runTests(names) {
  const files = names.map((name) => `test/${name}/**/*.test.ts`);
  // One file after the other: hosts and load would disturb each other's measurements.
  const options = ['--test', '--test-reporter=spec', '--test-concurrency=1', `--test-timeout=${TEST_TIMEOUT}`];
  const runner = spawn(node, [...options, ...files], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => runner.kill(signal));
  const [status, signal] = await once(runner, 'close');
  return signal ? 1 : status;
}

function cleanUp() {
  spawnSync(node, ['test/support/sweep.ts'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env });
}
