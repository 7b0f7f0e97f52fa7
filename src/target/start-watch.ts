import { setTimeout as delay } from 'node:timers/promises';
import type { Millis } from '../config.ts';
import type { Channel } from '../connection/port.ts';
import { HelperRefused } from './helper-refused.ts';
import { complaining, signs } from './preface.ts';

export interface StartWatch {
  /** Takes a line of output; returns what of it is noise. */
  take(line: string): string;
  /** Rejects with HelperRefused where the login does not run our command; else it stays open. */
  readonly refused: Promise<never>;
  /** The input was ended to hear why nothing was said: the end of the command is told by `refused`. */
  readonly hungUp: boolean;
  /** Settled by the first record, or by what ended the wait for it. */
  stop(): void;
}

interface Circumstances {
  /** For the first record; the word may take as long, but never longer than SILENCE. */
  within: Millis;
  /** Whether sudo comes before the word: how long that takes is not the shell's to answer for. */
  afterSudo: boolean;
  noise: () => string;
}

const SILENCE: Millis = 15_000;
/** fish tells what it is at the end of its input only. */
const LAST_WORDS: Millis = 1_000;

/** Finds out whether a POSIX shell runs our command. Exits: the word; a shell that names itself; an echo; silence; `stop`. */
export function watchStart(channel: Channel, circumstances: Circumstances): StartWatch {
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => {});
  const over = new AbortController();
  const read = signs();
  let hungUp = false;
  const refuse = (message: string, mayPass = false): void =>
    refused.reject(new HelperRefused('shell-denied', message, { mayPass }));

  async function listen(limit: Millis): Promise<void> {
    await delay(limit, undefined, { signal: over.signal });
    hungUp = true;
    const before = circumstances.noise().length;
    channel.stdin.end();
    const ended = await Promise.race([channel.ended, delay(LAST_WORDS)]);
    // A lost link says nothing about the login; whoever waits for the end of the channel tells it.
    if (ended?.kind === 'lost') return;
    await delay(20);
    const noise = circumstances.noise();
    const shell = complaining(noise.slice(before));
    const said = noise.trim().slice(0, 300);
    const silence = `nothing that was sent was run within ${limit < 1000 ? `${limit} ms` : `${limit / 1000} s`}`;
    const instead = said === '' ? '' : `; it said instead: ${said}`;
    if (shell === undefined)
      refuse(
        `the login does not run the command: ${silence} (its program only waits, or its start files take longer)${instead}`,
        true,
      );
    else refuse(`${readBy(shell)}: ${silence}${instead}`);
  }

  if (!circumstances.afterSudo) listen(Math.min(SILENCE, circumstances.within)).catch(() => {});
  return {
    refused: refused.promise,
    get hungUp() {
      return hungUp;
    },
    take(line) {
      const { noise, word, reader, echoed } = read(line);
      if (word !== undefined) over.abort();
      if (reader !== undefined) refuse(readBy(reader.slice(0, 100)));
      if (echoed !== undefined)
        refuse("instead of running the command, the login's program sends back what it is sent");
      return noise;
    },
    stop: () => over.abort(),
  };
}

function readBy(shell: string): string {
  return `instead of running the command, the login runs ${shell}, which reads its standard input`;
}
