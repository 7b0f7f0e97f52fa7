import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { type Instance, NEW, OLD, okay, startInstance } from '../support/helper-instance.ts';
import type { Helper } from '../support/helper-session.ts';
import { signal } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

/** As many as this process may open. */
const MANY = Math.min(20_000, Math.floor((openFilesAllowed() - 500) / 500) * 500);
const ROUNDS = 9;

test('facts are cheap: median over nine of a helper that is warm', async (t) => {
  await using instance = await startInstance();
  const helper = await instance.helper();
  t.diagnostic(`2 workers: facts ${await medianOf(() => facts(instance, helper))} ms`);
  await instance.assertRest(OLD);
});

test(`an upgrade with ${MANY} idle connections open looks at few of them`, async (t) => {
  await using instance = await startInstance({ main: `worker_rlimit_nofile ${2 * MANY};` });
  await allowConnections(instance);
  await using crowd = await idleConnections(instance.nginx.port, MANY);
  const helper = await instance.helper();
  t.diagnostic(`${crowd.size} connections: facts ${await medianOf(() => facts(instance, helper))} ms`);
  await instance.stage(helper, { fields: { drain: 10 } });
  const took: string[] = [];
  for (const verb of ['begin', 'retire', 'look', 'commit']) {
    const start = performance.now();
    okay(await helper.ask(verb));
    took.push(`${verb} ${Math.round(performance.now() - start)} ms`);
  }
  t.diagnostic(took.join(', '));
  assert.equal(await instance.answers(), NEW);
});

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket.destroy(), 'close');
}

function openFilesAllowed(): number {
  const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Number(soft ?? 1024);
}

async function facts(instance: Instance, helper: Helper): Promise<void> {
  okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
}

async function medianOf(action: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await action();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return Math.round(times[ROUNDS >> 1] ?? 0);
}

async function allowConnections({ nginx }: Instance): Promise<void> {
  const text = readFileSync(nginx.configFile, 'utf8');
  writeFileSync(nginx.configFile, text.replace('worker_connections 1024;', `worker_connections ${2 * MANY};`));
  const notices = () => readFileSync(nginx.errorLog, 'utf8').split('exited with code 0').length - 1;
  signal(await nginx.masterPid(), 'SIGHUP');
  await waitFor('the end of the first workers', () => notices() >= 2);
}

/** Open connections on which nothing was asked yet, from several addresses: one has too few ports. */
async function idleConnections(port: number, count: number) {
  const sockets: Socket[] = [];
  for (let opened = 0; opened < count; opened += 500) {
    const batch = Array.from({ length: 500 }, (_, index) =>
      connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${2 + ((opened + index) % 4)}` }),
    );
    for (const socket of batch) socket.on('error', () => {}); // The old generation may be cut off at the end.
    sockets.push(...batch);
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
  }
  return {
    size: sockets.length,
    async [Symbol.asyncDispose]() {
      await Promise.all(sockets.map(closed));
    },
  };
}
