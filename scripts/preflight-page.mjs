// Writes docs/preflight.md from the table of codes; with --check only says whether it is right.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { CODES } from '../src/host/preflight/codes.ts';

const PAGE = 'docs/preflight.md';

const SEVERITIES = { refuses: 'refuses', survivable: 'refuses, can be allowed', warns: 'warns' };

const HEAD = `# Preflight

Made from \`src/host/preflight/codes.ts\` by \`npm run docs\`.

Before a signal is sent, everything below is looked at: in one reading of the target that changes nothing, and in the new file. All
codes that apply are reported, not only the first, each with what was found, why it matters, and the fix for that very host.

- **refuses**: the outcome is \`refused\`, and nothing was touched.
- **refuses, can be allowed**: the same, unless \`allow\` names the code. Then it is a warning. A \`rollback\` of a committed upgrade allows
  all of these.
- **warns**: the upgrade goes on. What stands under *Worth knowing* is told in the log and the summary, without an annotation.

A path that the configuration or the command line overrides is no difference: the effective value counts. \`same-binary\` is no finding
but the outcome \`unchanged\`. Codes of obtaining the new nginx: [obtaining](obtaining.md#when-it-is-refused).
`;

/** @param {typeof CODES} codes */
export function preflightPage(codes) {
  const parts = Object.entries(codes).map(([group, list]) => `## ${group}\n\n${table(list)}\n`);
  return [HEAD, ...parts].join('\n');
}

/** @param {import('../src/host/preflight/codes.ts').Code[]} list */
function table(list) {
  const rows = list.map(({ code, severity, found, why, fix, source }) => [
    `\`${code}\``,
    SEVERITIES[severity],
    found,
    why + (source === undefined ? '' : ` (${source})`),
    fix,
  ]);
  return [['code', '', 'what is so', 'why it matters', 'the fix'], Array(5).fill('---'), ...rows].map(line).join('\n');
}

/** @param {string[]} cells */
function line(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const page = preflightPage(CODES);
  if (!process.argv.includes('--check')) writeFileSync(PAGE, page);
  else if (readFileSync(PAGE, 'utf8') !== page) {
    console.error(`${PAGE} is not what the table of codes says; run "npm run docs"`);
    process.exitCode = 1;
  }
}
