/** One job of `strategy.matrix`. `targets` is the input of that name. */
export interface Shard {
  name: string;
  targets: string;
}

/** GitHub starts at most so many jobs from one matrix. */
const MAX_JOBS = 256;

/** Few enough that one job stays well inside its time, one host after the other. */
const HOSTS_PER_JOB = 50;

/** Cuts the fleet, in its own order, into parts of nearly equal size. */
export function shards(hosts: readonly { target: string }[], hostsPerJob: number = HOSTS_PER_JOB): Shard[] {
  const jobs = Math.min(MAX_JOBS, Math.ceil(hosts.length / hostsPerJob));
  return Array.from({ length: jobs }, (_, job) => {
    const from = Math.floor((job * hosts.length) / jobs);
    const to = Math.floor(((job + 1) * hosts.length) / jobs);
    const targets = hosts.slice(from, to).map((host) => host.target);
    return { name: to - from === 1 ? (targets[0] ?? '') : `hosts ${from + 1}-${to}`, targets: targets.join(',') };
  });
}
