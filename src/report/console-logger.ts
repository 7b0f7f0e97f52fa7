import type { Logger } from './logger.ts';
import type { Mask } from './mask.ts';
import { harmlessLines } from './relay.ts';

/** What the logger needs of `process.stdout` and `process.stderr`. */
export interface OutputStream {
  isTTY?: boolean;
  write(text: string): unknown;
}

export interface ConsoleLoggerOptions {
  mask: Mask;
  stdout?: OutputStream;
  stderr?: OutputStream;
  env?: NodeJS.ProcessEnv;
}

type Paint = (style: 'bold' | 'yellow', text: string) => string;

const SGR = { bold: '1', yellow: '33' };

/** The command line's log: progress on stdout, warnings on stderr. */
export function createConsoleLogger(options: ConsoleLoggerOptions): Logger {
  const { mask, stdout = process.stdout, stderr = process.stderr, env = process.env } = options;
  const coloured = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '';
  const say = printer(stdout, { mask, paint: paintIf(coloured) });
  const warn = printer(stderr, { mask, paint: paintIf(coloured && stderr.isTTY === true) });
  return {
    info: (message) => say(message),
    detail: () => {},
    warning: (message) => warn(`warning: ${message}`, 'yellow'),
    group(title, body) {
      say(title, 'bold');
      return body();
    },
  };
}

function printer(stream: OutputStream, { mask, paint }: { mask: Mask; paint: Paint }) {
  return (message: string, style?: 'bold' | 'yellow') => {
    const lines = harmlessLines(message, { mask }).map((line) => (style === undefined ? line : paint(style, line)));
    stream.write(`${lines.join('\n')}\n`);
  };
}

function paintIf(coloured: boolean): Paint {
  return (style, text) => (coloured ? `\u{1B}[${SGR[style]}m${text}\u{1B}[0m` : text);
}
