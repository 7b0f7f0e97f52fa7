import type { Facts, MasterFacts } from '../target/facts.ts';

/** ngx_set_worker_processes: a number, or `auto` for one a processor; one without the directive. */
export function wantedWorkers(master: MasterFacts, { cpus }: Pick<Facts, 'cpus'>): number {
  if (master.workerProcesses === 'auto') return cpus;
  return Number.parseInt(master.workerProcesses, 10) || 1;
}
