import type { Mask } from './mask.ts';

/** Bytes of UTF-8 that reach the log. */
export interface RelayLimits {
  line: number;
  command: number;
  host: number;
}

export const RELAY_LIMITS: RelayLimits = { line: 2_000, command: 64_000, host: 256_000 };

export interface HostRelay {
  /** One command's share: call it with each piece of whole lines, get the lines to print. */
  command(): (text: string) => string[];
}

const BREAK = /\r\n|[\r\n]/;

// Built from character codes: a control character written out in a pattern looks like a slip to readers and linters.
const [ESC, BEL, CSI] = ['\u{1B}', '\u{7}', '\u{9B}'];
const ESCAPE_SEQUENCES = new RegExp(
  [
    String.raw`${ESC}[\]PX^_][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\)`,
    String.raw`(?:${ESC}\[|${CSI})[0-?]*[ -\/]*[@-~]?`,
    String.raw`${ESC}[ -\/]*[0-~]?`,
  ].join('|'),
  'g',
);

// The runner compares with .NET's culture rules, which skip characters without weight: what cannot be seen must go
// (bidi controls are among them), or `#<soft hyphen>#[` would still be a command.
const UNSEEN = /[[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]--\t]/gv;
const OLD_COMMAND = /#([\p{M}\p{C}]*)#([\p{M}\p{C}]*)\[/gu;
const NEW_COMMAND = /^([\s\p{M}\p{C}]*:)([\p{M}\p{C}]*:)/u;

/** Lines of a target's or tool's text that no CI log takes for a command, prefixed with the host's label. */
export function createHostRelay(label: string, options: { mask?: Mask; limits?: RelayLimits } = {}): HostRelay {
  const limits = options.limits ?? RELAY_LIMITS;
  const prefix = `[${harmless(label)}] `;
  const host = createBudget(
    limits.host,
    `${prefix}… more than ${limits.host} bytes from this host, the rest is left out`,
  );
  return {
    command() {
      const command = createBudget(
        limits.command,
        `${prefix}… more than ${limits.command} bytes, the rest is left out`,
      );
      return (text) => {
        const lines = harmlessLines(text, { ...options, maxBytes: limits.line });
        return host(command(lines.map((line) => prefix + line)));
      };
    },
  };
}

/** `text` as single harmless lines, each at most `maxBytes` long (default 2,000); a final line break adds no line. */
export function harmlessLines(text: string, options: { mask?: Mask; maxBytes?: number } = {}): string[] {
  const mask = options.mask ?? ((unmasked: string) => unmasked);
  const lines = mask(text).split(BREAK);
  if (lines.at(-1) === '') lines.pop();
  // Masked again once stripped: a secret with an ESC sequence inside shows only now.
  return lines.map((line) => clip(defuse(mask(strip(line))), options.maxBytes ?? RELAY_LIMITS.line));
}

/** `text` on one harmless line, line breaks turned into spaces; not shortened. */
export function harmless(text: string): string {
  return defuse(strip(text.split(BREAK).join(' ')));
}

/** At most `maxBytes` of UTF-8, plus a word on how much was cut; never half a character. */
export function clip(text: string, maxBytes: number): string {
  const size = Buffer.byteLength(text);
  if (size <= maxBytes) return text;
  // Decoding drops a character cut in half, which `stream` keeps back instead of replacing.
  const kept = new TextDecoder().decode(Buffer.from(text).subarray(0, maxBytes), { stream: true });
  return `${kept} … [${size - Buffer.byteLength(kept)} bytes left out]`;
}

function strip(line: string): string {
  return line.replace(ESCAPE_SEQUENCES, '').replace(UNSEEN, '').toWellFormed();
}

function defuse(line: string): string {
  return line.replace(OLD_COMMAND, '#$1 #$2[').replace(NEW_COMMAND, '$1 $2');
}

function createBudget(bytes: number, notice: string): (lines: string[]) => string[] {
  let left = bytes;
  let open = true;
  return (lines) => {
    const passed: string[] = [];
    for (const line of lines) {
      if (!open) break;
      left -= Buffer.byteLength(line) + 1;
      open = left >= 0;
      passed.push(open ? line : notice);
    }
    return passed;
  };
}
