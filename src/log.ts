import { isJournal } from "./journal.ts";
import { printable } from "./printable.ts";

/** How urgent a message is, least first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** What each is for systemd's journal, sd-daemon(3): as for syslog(3). */
const PRIORITIES = [7, 6, 4, 3];

/** Where messages for the person who runs the program go. Standard output is never used. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** Whether `debug` messages are shown: ask before building a costly one. */
  readonly isDebug: boolean;
}

/**
 * A log that writes one line a message with `write`, leaving out what is below `level`. Whatever is in
 * a message, it can't end its line or reach the terminal; only `debug` messages may have several lines.
 */
export class LineLog implements Log {
  readonly #least: number;
  readonly #write: (line: string, level: number) => void;

  /**
   * @param level The least urgent level that is shown.
   * @param write Takes whole lines, each with its line feed. By default, standard error; the journal is
   * told how urgent they are.
   */
  constructor(level: LogLevel, write: (line: string) => void = writeToStandardError) {
    this.#least = LOG_LEVELS.indexOf(level);
    this.#write = write;
  }

  get isDebug(): boolean {
    return this.#least === 0;
  }

  debug(message: string): void {
    this.#line(0, "debug: ", message, "\n    ");
  }

  info(message: string): void {
    this.#line(1, "", message);
  }

  warn(message: string): void {
    this.#line(2, "warning: ", message);
  }

  error(message: string): void {
    this.#line(3, "error: ", message);
  }

  /** @param lineEnd What a line's end in the message becomes. None can be taken for another message. */
  #line(level: number, label: string, message: string, lineEnd = " "): void {
    if (level < this.#least) return;
    // Cut before, so that this takes no time, and after, where no URL is cut in two.
    const shown = cut(withoutSecrets(cut(message, 2 * MOST_CHARACTERS)), MOST_CHARACTERS);
    const lines = shown.split(/\s*\n\s*/).map(printable);
    this.#write(`flosensor: ${label}${lines.join(lineEnd)}\n`, level);
  }
}

/** What a peer says in an error may be of any length. */
const MOST_CHARACTERS = 8_192;

/** The name of a module that is made of text, such as config.ts: it has all of that text. */
const TEXT_MODULE = /\bdata:[a-z]+\/[a-z]+;base64,[A-Za-z0-9+/=]{21,}/g;
/** What stands before the host of a URL, unless that was done already, or it is how one is written. */
const LOGIN = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)(?!\[\[|\S*\*\*\*@)\S*@/gi;

/**
 * Whoever makes a message leaves out what is secret. Others' errors repeat what they were given: an
 * option that there is not, the name of a module.
 */
function withoutSecrets(message: string): string {
  return message.replaceAll(TEXT_MODULE, "data:…").replaceAll(LOGIN, "$1***@");
}

function cut(text: string, most: number): string {
  return text.length > most ? text.slice(0, most) + "…" : text;
}

const encoder = new TextEncoder();
let taker: ((line: string) => void) | null = null;

/**
 * Has something else take the lines that go to standard error, each with its line feed, such as a
 * picture on the terminal that they would destroy.
 *
 * @param take `null` for standard error again.
 */
export function divertLog(take: ((line: string) => void) | null): void {
  taker = take;
}

/** Whether standard error is the journal, once that was asked. */
let hasJournal: boolean | null = null;

function writeToStandardError(line: string, level = 1): void {
  if (taker !== null) return taker(line);
  hasJournal ??= isJournal();
  const told = hasJournal ? line.replaceAll(/^(?=.)/gm, `<${PRIORITIES[level]}>`) : line;
  const bytes = encoder.encode(told);
  try {
    for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
  } catch {
    // Whoever read our standard error has gone. There is nobody left to tell.
  }
}
