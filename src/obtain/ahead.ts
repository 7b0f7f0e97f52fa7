import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../report/logger.ts';
import { openAgent } from '../target/agent.ts';
import { rulesOf } from '../host/inspect.ts';
import { judgeHost } from '../host/preflight/preflight.ts';
import { whoAmI } from '../host/staging.ts';
import { printArgs } from '../nginx/configure-args.ts';
import { parseBuildInfo } from '../nginx/build-info.ts';
import type { Supply } from './supply.ts';
import type { MasterFacts } from '../target/facts.ts';

interface AheadOptions {
  config: Config;
  log: Logger;
  cancel: AbortSignal;
  supply: Supply | undefined;
}

/**
 * Obtains what every target needs before the first one is touched; to build with the arguments of what runs, all are
 * asked for them first. Resolves to the targets for which nothing can be had, with the reason. A target that cannot be
 * asked, or is refused whatever comes, is none of them: its own turn will tell.
 */
export async function obtainAhead(options: AheadOptions): Promise<Map<string, unknown>> {
  const { config, log, supply } = options;
  const missing = new Map<string, unknown>();
  const { command, binary, targets } = config;
  if (supply === undefined || binary === undefined || binary.kind === 'file' || command === 'plan') return missing;
  const inherits = binary.kind === 'build' && binary.arguments === 'inherit';
  const masters = inherits ? await askAll(options) : new Map<string, MasterFacts>();
  if (masters.size > 1) log.info(grouped(masters));
  const anybody = targets.length > 0 ? targets.map(({ name }) => name) : ['local'];
  for (const name of inherits ? masters.keys() : anybody) {
    if (options.cancel.aborted) break;
    await supply.for(masters.get(name) ?? null).catch((error: unknown) => missing.set(name, error));
  }
  return missing;
}

/** The running masters, by target. */
async function askAll(options: AheadOptions): Promise<Map<string, MasterFacts>> {
  const { config, log, cancel } = options;
  const masters = new Map<string, MasterFacts>();
  for (const target of config.targets) {
    if (cancel.aborted) break;
    try {
      const agent = await openAgent(target, { config, identity: whoAmI(), cancel });
      try {
        const facts = await agent.facts();
        // What is refused anyway has nothing built for it: its own turn says why.
        if (facts.master !== null && judgeHost(facts, rulesOf({ config })).refusals.length === 0)
          masters.set(target.name, facts.master);
      } finally {
        agent.close();
      }
    } catch (error) {
      log.info(`${target.name} cannot be asked for its arguments: ${messageOf(error)}`);
    }
  }
  return masters;
}

/** How many builds serve how many targets. */
function grouped(masters: ReadonlyMap<string, MasterFacts>): string {
  const groups = new Map<string, string[]>();
  for (const [name, { build, modules }] of masters) {
    const key = [printArgs(parseBuildInfo(build).arguments), ...modules].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  const lists = [...groups.values()].map((names) => names.join(', '));
  return `${masters.size} targets run ${groups.size} different ${groups.size === 1 ? 'build' : 'builds'} of nginx: ${lists.join(' | ')}`;
}
