// Writes the tables of inputs and outputs in README.md from action.yml; with --check only says whether they are right.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const BLOCKS = ['inputs', 'outputs'];

/**
 * Reads the inputs and outputs of an action.yml: two levels of keys; values plain, quoted or folded (`>-`).
 * @param {string} text
 * @returns {Record<'inputs' | 'outputs', Map<string, Record<string, string>>>}
 */
export function readAction(text) {
  const action = { inputs: new Map(), outputs: new Map() };
  let block;
  let entry;
  let folded;
  for (const line of text.split('\n')) {
    const [, indent = '', key, value = ''] = /^( *)([A-Za-z0-9_-]+):(?: (.*))?$/.exec(line) ?? [];
    if (folded !== undefined && (line.trim() === '' || /^ {6}/.test(line))) {
      entry[folded] = `${entry[folded]} ${line.trim()}`.trim();
      continue;
    }
    folded = undefined;
    if (key === undefined) continue;
    if (indent.length === 0) block = BLOCKS.includes(key) ? action[key] : undefined;
    else if (indent.length === 2 && block !== undefined) block.set(key, (entry = {}));
    else if (indent.length === 4 && block !== undefined) {
      folded = value === '>-' ? key : undefined;
      entry[key] = folded === undefined ? unquote(value) : '';
    }
  }
  return action;
}

/** @param {string} value */
function unquote(value) {
  if (/^'.*'$/.test(value)) return value.slice(1, -1).replaceAll("''", "'");
  return /^".*"$/.test(value) ? JSON.parse(value) : value;
}

/** @param {ReturnType<typeof readAction>} action */
function missingDescriptions(action) {
  return BLOCKS.flatMap((block) =>
    [...action[block]]
      .filter(([, { description }]) => !description)
      .map(([name]) => `${block}: ${name} has no description`),
  );
}

/** @param {ReturnType<typeof readAction>} action */
function tables({ inputs, outputs }) {
  const inputRows = [...inputs].map(([name, { default: value, description }]) => [
    `\`${name}\``,
    value ? `\`${value}\`` : '',
    description,
  ]);
  const outputRows = [...outputs].map(([name, { description }]) => [`\`${name}\``, description]);
  return {
    inputs: table(['input', 'default', 'meaning'], inputRows),
    outputs: table(['output', 'meaning'], outputRows),
  };
}

/** @param {string[]} head @param {string[][]} rows */
function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map(tableLine).join('\n');
}

/** @param {string[]} cells */
function tableLine(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The README with its tables renewed. Throws where a marker is missing. */
function renew(readme, action) {
  return Object.entries(tables(action)).reduce((text, [block, rows]) => {
    const [open, close] = [`<!-- ${block} -->`, `<!-- /${block} -->`];
    const [start, end] = [text.indexOf(open), text.indexOf(close)];
    if (start < 0 || end < start) throw new Error(`README.md: expected ${open} and ${close}, found no such pair`);
    return `${text.slice(0, start + open.length)}\n\n${rows}\n\n${text.slice(end)}`;
  }, readme);
}

function main() {
  const action = readAction(readFileSync('action.yml', 'utf8'));
  const missing = missingDescriptions(action);
  if (missing.length > 0) throw new Error(`action.yml: ${missing.join('; ')}`);
  const readme = readFileSync('README.md', 'utf8');
  const renewed = renew(readme, action);
  if (readme === renewed) return;
  if (process.argv.includes('--check')) {
    throw new Error('README.md: its tables are not what action.yml says; run "npm run docs"');
  }
  writeFileSync('README.md', renewed);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
