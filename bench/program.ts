import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

/** The words that start our command line: the bundle, or (said loudly) the sources where it is not built. */
export function ourProgram(): string[] {
  const bundle = join(root, 'dist/cli.cjs');
  if (existsSync(bundle)) return [process.execPath, bundle];
  console.log('!! dist/cli.cjs is missing (npm run build makes it): this runs src/cli.ts, which starts more slowly');
  return [process.execPath, join(root, 'src/cli.ts')];
}
