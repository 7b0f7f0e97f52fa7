// src → dist: three entries and what they share, CommonJS, readable, no native add-ons. The same bytes on every machine.
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { helperText } from '../src/target/helper-text.ts';

/** ssh2 tries these and goes on in plain JavaScript without them; a bundle must not depend on a build host's binaries. */
const withoutAddOns = {
  name: 'without-add-ons',
  resolveId: (id) => (/(^cpu-features$|\.node$)/.test(id) ? { id: `\0absent:${id}` } : null),
  load: (id) => (id.startsWith('\0absent:') ? 'throw new Error("native add-ons are left out of the bundle");' : null),
};

/** node-ssh sends whole directories with these; we never do, and loading them takes its time. */
const withoutDirectories = {
  name: 'without-directories',
  resolveId: (id) => (/^(make-dir|sb-scandir|sb-promise-queue|shell-escape)$/.test(id) ? `\0unused:${id}` : null),
  load: (id) => {
    if (!id.startsWith('\0unused:')) return null;
    return 'const unused = () => { throw new Error("left out of the bundle"); };\nexport default unused;\nexport { unused as PromiseQueue };';
  },
};

/**
 * Parts of packages that are loaded with the rest, and that we never use: an SSH server, HTTP over SSH, SFTP, the
 * WebAssembly of a cipher that is not offered, HTTP/2.
 */
const UNUSED_PART =
  /[\\/](ssh2[\\/]lib[\\/](server|http-agents|protocol[\\/]SFTP|protocol[\\/]crypto[\\/]poly1305)|undici[\\/]lib[\\/]dispatcher[\\/]client-h2)\.js$/;

const withoutUnusedParts = {
  name: 'without-unused-parts',
  load: (id) => {
    if (!UNUSED_PART.test(id)) return null;
    // ssh2 asks for memory and functions of the module while it is loaded; neither is used without the cipher.
    if (id.endsWith('poly1305.js'))
      return 'module.exports = async () => ({ _malloc: () => 0, cwrap: () => unused });' + UNUSED;
    return `module.exports = unused;${UNUSED}`;
  },
};

/** The rooms of the helper lie in the bundle as one file. */
const withHelperInOnePiece = {
  name: 'with-helper-in-one-piece',
  load: (id) => {
    if (!/[\\/]src[\\/]target[\\/]helper-text\.ts$/.test(id)) return null;
    return `import { readFileSync } from 'node:fs';
export const helperText = () => readFileSync(new URL('./helper.sh', import.meta.url), 'utf8');`;
  },
};

const UNUSED = 'function unused() { throw new Error("left out of the bundle"); }';

/** One plain sentence instead of a syntax error from the first file that an older Node cannot read. */
const NODE_CHECK = `if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write('nginx-hot-upgrade needs Node 24 or later; this is ' + process.version + '\\n');
  process.exit(1);
}`;

/** Half of the command line's start is compiling; what was compiled once is kept in the user's own cache directory. */
const COMPILE_CACHE = `{
  const home = process.env.XDG_CACHE_HOME || (process.env.HOME && process.env.HOME + '/.cache');
  if (home) require('node:module').enableCompileCache(home + '/nginx-hot-upgrade');
}`;

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');
const bundle = await rolldown({
  input: { action: 'src/action.ts', post: 'src/post.ts', cli: 'src/cli.ts' },
  platform: 'node',
  plugins: [withoutAddOns, withoutDirectories, withoutUnusedParts, withHelperInOnePiece],
});
const { output } = await bundle.write({
  dir: 'dist',
  format: 'cjs',
  minify: false,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  banner: ({ name }) => (name === 'cli' ? `${NODE_CHECK}\n${COMPILE_CACHE}` : ''),
});
await bundle.close();
copyFileSync('src/target/gate.sh', 'dist/gate.sh');
writeFileSync('dist/helper.sh', helperText());
cpSync('src/source/keys', 'dist/keys', { recursive: true });
writeFileSync('dist/licenses.txt', licenses(output.flatMap(({ moduleIds = [] }) => moduleIds)));
console.log(readdirSync('dist', { recursive: true }).sort().join('\n'));

/** The notices of every package that went into the bundle. */
function licenses(moduleIds) {
  const inside = /^(?:.*[\\/])?node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;
  const folders = new Set(moduleIds.map((id) => inside.exec(id)?.[0]).filter(Boolean));
  const texts = [...folders].map((folder) => {
    const {
      name,
      version,
      license,
      licenses: several,
    } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const notice = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
    return `${name} ${version} (${license ?? several?.map(({ type }) => type).join(', ')})\n\n${notice}\n`;
  });
  return texts.sort().join(`\n${'-'.repeat(80)}\n\n`);
}
