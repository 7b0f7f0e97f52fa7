import { basename } from 'node:path';
import { type ConfigureArgs, nameOf, valueOf } from '../nginx/configure-args.ts';
import { moduleCore } from '../nginx/modules.ts';
import type { Finding } from '../report/result.ts';
import { type ArgsPlan, placeOf } from './arguments.ts';

/**
 * Of the modules that a configuration loads, those that a build would not give: another version refuses the old files
 * (ngx_add_module), and the configuration with them. Undefined where there are none, or where a source's name does not
 * tell what comes of it.
 */
export function sourcesMissing(loaded: readonly string[], plan: ArgsPlan): Finding | undefined {
  const own = ownModules(plan.args);
  const foreign = loaded.filter((path) => !own.has(basename(path)));
  const sources = [...plan.placed, ...plan.unplaced];
  const fits = (path: string, source: string): boolean => moduleCore(source) === moduleCore(path);
  const missing = foreign.filter((path) => !sources.some(({ name }) => fits(path, name)));
  // What was linked in makes no file.
  const linked = new Set(plan.args.filter((arg) => nameOf(arg) === '--add-module').map(valueOf));
  const enigmatic = sources.some(
    (source) => !linked.has(placeOf(source)) && !foreign.some((path) => fits(path, source.name)),
  );
  if (missing.length === 0 || enigmatic) return undefined;
  const lines = missing.map((path) => `\`${moduleCore(path) || basename(path, '.so')}=/path/to/sources\``);
  return {
    code: 'module-source-missing',
    message: `the configuration loads ${missing.join(', ')}; the new version refuses a module of the old one, and nothing says where its sources are`,
    fix: `Say it with \`add-modules\`: ${lines.join(', ')}; or take its \`load_module\` out of the configuration.`,
  };
}

/** `--with-stream=dynamic` makes ngx_stream_module.so, `--with-http_xslt_module=dynamic` ngx_http_xslt_filter_module.so. */
function ownModules(args: ConfigureArgs): Set<string> {
  const dynamic = args.filter((arg) => valueOf(arg) === 'dynamic').map(nameOf);
  const cores = dynamic.map((name) => name.replace(/^--with-/, '').replace(/_module$/, ''));
  return new Set(cores.flatMap((core) => [`ngx_${core}_module.so`, `ngx_${core}_filter_module.so`]));
}
