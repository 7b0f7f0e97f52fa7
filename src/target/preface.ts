/*
 * Some logins run no command: their program reads its own program from standard input (`exec zsh` in a start file, a
 * forced command). What we send there must not be run by it, nor keep it waiting. So a preface goes ahead of all else:
 * to such a shell it is a program that says who reads it and ends; our own command takes it away unread.
 */

/** Said by our command before anything else: a POSIX shell runs it. */
export const WORD = 'nhu1';

/**
 * In csh `$?shell` is 1, elsewhere the last exit status comes before it. fish reads all that it is sent before it runs
 * any of it, and refuses `$?` and what follows with it.
 */
const ASKS = `test "$?shell" = 1 && echo "${WORD} read by $shell" || echo "${WORD} read by $0"; exit 64`;
/** For whoever did not understand the first line. */
const ENDS = 'exit 64';

export const PREFACE = `${ASKS}\n${ENDS}\n`;

/** `read` is part of every shell and takes no byte beyond the line's end. */
export const TAKE_PREFACE = 'read -r NHU;read -r NHU;';

/** What one line tells of who runs, or does not run, our command. `noise`: what of it is none of this. */
export interface Sign {
  noise: string;
  /** Our command is run. */
  word?: true;
  /** The shell that reads the preface instead. */
  reader?: string;
  /** The preface comes back as it was sent. */
  echoed?: true;
}

/** Tells line by line; a prompt or a profile may have written something before, without a newline. */
export function signs(): (line: string) => Sign {
  let asked = false;
  return (line) => {
    // A shell that tells the lines that it reads ends at the first one.
    if (asked && line.endsWith(ENDS) && !line.endsWith(ASKS)) return { noise: '', echoed: true };
    asked ||= line.endsWith(ASKS);
    const reader = new RegExp(`${WORD} read by ([^"'$]+)$`).exec(line)?.[1];
    if (reader !== undefined) return { noise: '', reader };
    if (line.endsWith(WORD)) return { noise: line.slice(0, -WORD.length), word: true };
    return { noise: line };
  };
}

/** The shell that names itself in its complaint about what it was sent: fish does. */
export function complaining(said: string): string | undefined {
  return /^(?:\S*\/)?-?([a-z]{0,4}sh): /m.exec(said)?.[1];
}
