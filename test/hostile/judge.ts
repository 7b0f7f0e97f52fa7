import { setTimeout as delay } from 'node:timers/promises';
import { mustRun } from '../support/command.ts';
import { ATTACKER, quoted } from '../support/hostile.ts';
import type { TestHost } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { type Finished, type Inputs, type Product, productFor, quick, type Running } from '../support/product.ts';
import { ownTempDir } from '../support/temp-dir.ts';
import { waitFor } from '../support/wait.ts';
import { putOn } from '../support/web-host.ts';
import { dirname, join } from 'node:path';
import type { Case, Move, Scenario } from './case.ts';
import { CLEAR, type Placed } from './place.ts';

/** No command may take longer, whatever somebody does: `nginx -t` alone is given a minute. */
const LIMIT_MS = 72_000;
const GUARD_MS = 45_000;

export interface Verdict {
  seed: number;
  /** What was done, and how it ended: `upgrade: refused unsafe-path`. */
  story: string[];
  violations: string[];
}

const [OLD, NEW] = ['1.22.1', '1.26.3'];
const newer = await nginxBuild('1.26.3');

/** A host for cases, and the program for who logs in there. */
export interface Stage {
  host: TestHost;
  products: Record<Placed['login'], Product>;
}

/** Puts on the host what every case needs; again after each `reset`. */
export async function prepareHostile(host: TestHost): Promise<Stage> {
  const dir = ownTempDir();
  const source = join(import.meta.dirname, 'canary.c');
  await mustRun(['gcc', '-static', '-o', join(dir, 'canary'), source]);
  await mustRun(['gcc', '-shared', '-fPIC', '-DLIBRARY', '-o', join(dir, 'canary.so'), source]);
  await putOn(host, [join(dir, 'canary'), join(dir, 'canary.so'), join(import.meta.dirname, 'watch.sh')]);
  await must(
    host,
    `${ATTACKER}
useradd --create-home web && cp -a /home/deploy/.ssh /home/web/ && chown -R web:web /home/web/.ssh && chmod 755 /home/web /home/mallory
mv /root/canary /root/canary.so /usr/local/lib/ && chmod 755 /usr/local/lib/canary*
install -d -m 700 /var/lib/canary && /usr/local/lib/canary && [ -n "$(ls /var/lib/canary)" ]
cp /usr/sbin/nginx /root/nginx.old && cp /usr/sbin/nginx /usr/sbin/nginx-b
for n in $(seq 500); do echo "2026/01/01 00:00:00 [error] 7#7: SECRET of root"; done >/root/secret && chmod 600 /root/secret`,
  );
  return { host, products: { deploy: productFor(host), web: productFor({ ...host, user: 'web' as 'deploy' }) } };
}

/** Carries out one case on a host that `prepareHostile` prepared, and holds what became of it against what may become. */
export async function judge(stage: Stage, of: Case): Promise<Verdict> {
  const { host } = stage;
  const { place, scenario } = of;
  await must(host, `${CLEAR}${place.script}`);
  const scene = sceneOf(stage, of);
  const { story, violations } = scene;
  await scene.hostile(of.before);
  await scene.look();
  const serves = await PLAYS[scenario](scene, of);
  await scene.compare(scenario);
  await scene.look();
  violations.push(...(await rest(host, place)));
  if (['expire', 'killed'].includes(scenario)) story.push(`guard: ${await outcomeOf(host, place)}`);
  await scene.compare('guard');
  if (story.some((line) => line.includes('workers that'))) await within(host, GO_ON);
  const answer = await serving(host, place);
  if (answer !== serves) violations.push(`expected ${serves} to serve, found ${answer}`);
  const canary = await must(host, 'ls /var/lib/canary; cat /home/mallory/signals');
  if (canary !== '') violations.push(`ran as root, or was signalled: ${canary}`);
  return { seed: of.seed, story, violations };
}

/** One case under way. */
interface Scene {
  host: TestHost;
  story: string[];
  violations: string[];
  hostile(moves: Move[]): Promise<void>;
  /** Everything on the host is from now on compared with what it is now. */
  look(): Promise<unknown>;
  compare(when: string, staged?: 'staged'): Promise<void>;
  upgrade(over?: Inputs): Running;
  /** Any command; `wanted` is how it ends where nobody hostile owns anything. */
  command(name: string, wanted: string): Promise<string>;
  /** Its outcome. */
  tell(what: string, ended: Finished, wanted: string): string;
}

function sceneOf({ host, products }: Stage, { place, stranger }: Case): Scene {
  const product = products[place.login];
  const story: string[] = [];
  const violations: string[] = [];
  // Root never acts on an nginx that a user started.
  const succeeds = stranger && !(place.kind === 'user' && place.login === 'deploy');
  const inputs = (over: Inputs = {}): string[] =>
    quick({ 'pid-file': place.pidFile, 'health-url': `http://127.0.0.1:${place.port}/`, ...FAST, ...over });
  const tell: Scene['tell'] = (what, ended, wanted) => {
    const { outcome, codes, faults } = heard(ended, succeeds ? wanted : undefined);
    story.push(`${what}: ${[outcome, ...codes].join(' ')} in ${ended.ms} ms`);
    violations.push(...faults.map((fault) => `${what}: ${fault}`));
    return outcome;
  };
  return {
    host,
    story,
    violations,
    tell,
    async hostile(moves) {
      for (const { trick, script } of moves) {
        story.push(`  ${trick}`);
        await within(host, script);
      }
      // Who pretends does so when its name is no interpreter's any more.
      await within(host, 'for n in $(seq 100); do pgrep -x perl >/dev/null || break; sleep 0.02; done');
    },
    look: () => must(host, 'sh /root/watch.sh look before'),
    async compare(when, staged) {
      const { stdout } = await host.run('sh /root/watch.sh since before');
      violations.push(...strange(stdout, { place, staged }).map((line) => `${when}: ${JSON.stringify(line)}`));
    },
    upgrade: (over) => product.start('upgrade', '--binary', newer, ...inputs(over)),
    command: async (name, wanted) => {
      const words =
        name === 'status'
          ? ['--pid-file', place.pidFile]
          : name === 'plan'
            ? ['--binary', newer, ...inputs()]
            : inputs();
      return tell(name, await product.run(name, ...words), wanted);
    },
  };
}

const FAST = { 'bake-time': '200ms', 'health-successes': '1', 'drain-timeout': '5s', 'hold-timeout': '1h' };

/** Each scenario, up to where only the guard is left; tells which version has to serve in the end. */
const PLAYS: Record<Scenario, (scene: Scene, of: Case) => Promise<string>> = {
  async look(scene) {
    await scene.command('status', 'reported');
    await scene.command('plan', 'planned');
    return OLD;
  },
  async upgrade(scene) {
    return afterwards(scene.tell('upgrade', await scene.upgrade().ended, 'upgraded'));
  },
  async killed(scene, { place, during }) {
    const run = scene.upgrade({ 'canary-time': '60s' });
    const ready = await Promise.race([isReady(scene.host, place), run.ended.then(() => false)]);
    if (!ready) return afterwards(scene.tell('upgrade', await run.ended, 'killed'));
    await meanwhile(scene, during);
    run.kill('SIGKILL');
    await run.ended;
    return OLD;
  },
  async expire(scene, of) {
    await held(scene, of);
    return OLD;
  },
  async rollback(scene, of) {
    if (await held(scene, of)) await scene.command('rollback', 'rolled-back');
    return OLD;
  },
  async commit(scene, of) {
    return (await held(scene, of)) ? afterwards(await scene.command('commit', 'upgraded')) : OLD;
  },
};

/** Whether an upgrade is held now; somebody hostile acts then. */
async function held(scene: Scene, { during }: Case): Promise<boolean> {
  const run = scene.upgrade({ 'auto-commit': 'false' });
  if (scene.tell('upgrade', await run.ended, 'held') !== 'held') return false;
  await meanwhile(scene, during);
  return true;
}

async function meanwhile(scene: Scene, moves: Move[]): Promise<void> {
  await scene.compare('upgrade', 'staged');
  await scene.hostile(moves);
  await scene.look();
}

function afterwards(outcome: string): string {
  return outcome === 'upgraded' ? NEW : OLD;
}

interface Heard {
  outcome: string;
  codes: string[];
  faults: string[];
}

/** How a command ended, and what is wrong with that; `wanted` where it has to be that outcome. */
function heard({ code, ms, output, ...ended }: Finished, wanted: string | undefined): Heard {
  if (code === null || ms > LIMIT_MS)
    return { outcome: 'no end', codes: [], faults: [`none within ${LIMIT_MS} ms: ${output}`] };
  const { outcome, hosts } = ended.report;
  const codes = hosts.flatMap(({ refusals, reason }) => [
    ...refusals.map((each) => each.code),
    ...(reason === null || reason === undefined || refusals.length > 0 ? [] : [reason.code]),
  ]);
  const found = `${[outcome, ...codes].join(' ')}: ${output}`;
  const faults = [];
  if (/SECRET|root:[*!$]/.test(output + JSON.stringify(ended.report))) faults.push('a file of root was told');
  // Who owns a pid file can always spoil it in the last moment: that is told.
  if (codes.includes('internal') || (outcome === 'failed' && !codes.includes('changed-by-others'))) faults.push(found);
  if (wanted !== undefined && outcome !== wanted) faults.push(`expected ${wanted}, found ${found}`);
  return { outcome, codes, faults };
}

/** What is not as it was, and is none of what an upgrade may touch. */
function strange(text: string, { place, staged }: { place: Placed; staged: 'staged' | undefined }): string[] {
  const room = `${dirname(place.binary)}/.nginx-hot-upgrade-`;
  const may = [place.binary, place.pidFile, `${place.logs}/`, place.books, ...MAY];
  return text
    .split('\0')
    .map((line) => line.replace(/^\t/, 'now: '))
    .filter((line) => {
      const path = /^(?:now: )?(?:dir|file) [^/]* (\/.*)$/s.exec(line)?.[1] ?? '';
      if (path.startsWith(room)) return line.startsWith('now: ') && staged === undefined;
      if (OWN_SOCKET.test(line)) return false;
      return line !== '' && !may.some((each) => path.startsWith(each));
    });
}

/** Where nginx keeps bodies, where books lie, and what nginx itself may be led to log to. */
const MAY = ['/var/lib/nginx/', '/home/web/t/', '/home/web/.local', '/var/lib/nginx-hot-upgrade', '/root/secret'];

/** Where a configuration that somebody leads has nginx listen: each generation of it makes one, as its own user. */
const OWN_SOCKET = /^(?:now: )?file \d+ 666 \d+:\d+ 0 \d+ [\d.]+ \/tmp\/[a-z]*$/;

/** The end of the upgrade under way, if there is one: its guard has to bring it, now that its time is over. */
async function rest(host: TestHost, { books }: Placed): Promise<string[]> {
  const over = `[ ! -e ${books}/upgrade ] || { echo 0 >${books}/deadline.new && chown --reference=${books}/upgrade ${books}/deadline.new && mv ${books}/deadline.new ${books}/deadline; }`;
  await must(host, over);
  const closed = async (): Promise<boolean> =>
    (await host.run(`[ ! -e ${books}/upgrade ] && [ ! -e ${books}/guard ]`)).code === 0;
  const end = performance.now() + GUARD_MS;
  while (!(await closed())) {
    if (performance.now() > end)
      return [`the guard did not bring the end: ${(await host.run(`tail -n 8 ${books}/journal.jsonl`)).stdout}`];
    await delay(100);
  }
  return [];
}

const GO_ON = `for p in /proc/[0-9]*; do case $(readlink "$p/exe") in */nginx* | */new) kill -CONT "\${p#/proc/}" ;; esac; done`;

async function outcomeOf(host: TestHost, { books }: Placed): Promise<string> {
  return (await host.run(`sed -n 's/^\\(outcome\\|why\\)=//p' ${books}/last | tr '\\n' ' '`)).stdout.trim();
}

async function isReady(host: TestHost, { books }: Placed): Promise<boolean> {
  const ready = async (): Promise<boolean> => (await host.run(`grep -q '^phase=ready' ${books}/upgrade`)).code === 0;
  return waitFor('the new version', ready, LIMIT_MS).then(
    () => true,
    () => false,
  );
}

async function serving(host: TestHost, { port }: Placed): Promise<string> {
  try {
    const answer = await fetch(`http://${host.address}:${port}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5000),
    });
    await answer.text();
    return answer.headers.get('x-nginx') ?? 'another one';
  } catch (error) {
    return `none (${String(error)})`;
  }
}

async function must(host: TestHost, script: string): Promise<string> {
  const { code, stdout, stderr } = await host.run(script);
  if (code !== 0) throw new Error(`expected exit 0, found ${code} of:\n${script}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** What a hostile user does may fail, and may not end. */
async function within(host: TestHost, script: string): Promise<void> {
  await host.run(`timeout -s KILL 20 sh -c ${quoted(script)}`);
}
