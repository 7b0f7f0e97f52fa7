// src → dist: three entries and what they share, CommonJS, readable, no native add-ons. The same bytes on every machine.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rolldown } from 'rolldown';

/** ssh2 tries these and goes on in plain JavaScript without them; a bundle must not depend on a build host's binaries. */
const withoutAddOns = {
  name: 'without-add-ons',
  resolveId: (id) => (/(^cpu-features$|\.node$)/.test(id) ? { id: `\0absent:${id}` } : null),
  load: (id) => (id.startsWith('\0absent:') ? 'throw new Error("native add-ons are left out of the bundle");' : null),
};

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');
const bundle = await rolldown({
  input: { action: 'src/action.ts', post: 'src/post.ts', cli: 'src/cli.ts' },
  platform: 'node',
  plugins: [withoutAddOns],
});
await bundle.write({
  dir: 'dist',
  format: 'cjs',
  minify: false,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
});
await bundle.close();
copyFileSync('src/target/helper.sh', 'dist/helper.sh');
console.log(readdirSync('dist', { recursive: true }).sort().join('\n'));
