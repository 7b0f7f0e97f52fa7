import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Runs `body` while no other process holds `file`. The kernel frees the lock if we die. */
export async function withLock<T>(file: string, body: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  const locked = once(holder.stdout, 'data');
  await Promise.race([locked, ended.then(() => Promise.reject(new Error(`cannot lock ${file}`)))]);
  try {
    return await body();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
