import { emitKeypressEvents } from "node:readline";
import { PassThrough } from "node:stream";
import { isInForeground, keepRunningInBackground, mayControlJob } from "../../ffi/job_control.ts";

/** A key that was pressed, as `node:readline` names it. */
export interface Key {
  /** Such as `up`, `pagedown` or `a`; none for most punctuation. */
  readonly name?: string;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
  /** What the terminal has sent. */
  readonly sequence: string;
}

const BUFFER_SIZE = 1024;

/**
 * Keys of the terminal that standard input is, one by one, without their echo. Ctrl-C and its like stay
 * signals.
 */
export class Keyboard {
  readonly #stream = new PassThrough();
  readonly #isThere: boolean;
  #isRaw = false;
  #isReading = false;
  #isAtEnd = false;

  /** @param take Takes each key. */
  constructor(take: (key: Key) => void) {
    // Where the job could not be told to be in the background, reading would stop it there.
    this.#isThere = Deno.stdin.isTerminal() && mayControlJob();
    if (this.#isThere) keepRunningInBackground();
    emitKeypressEvents(this.#stream);
    this.#stream.on("keypress", (_text: string | undefined, key: Key) => {
      if (this.#isRaw) take(key);
    });
  }

  /** Whether another job has the terminal, so that nothing is to be drawn on it. */
  get isInBackground(): boolean {
    return this.#isThere && !isInForeground();
  }

  /** Takes keys from now on, if there is a keyboard, and it is not another job's. */
  listen(): void {
    if (!this.#isThere || this.#isRaw || this.#isAtEnd || !isInForeground()) return;
    try {
      Deno.stdin.setRaw(true, { cbreak: true });
    } catch {
      // The terminal is gone.
      return;
    }
    this.#isRaw = true;
    if (!this.#isReading) this.#read();
  }

  /** Gives the terminal back as it was: lines, with echo. */
  release(): void {
    if (!this.#isRaw) return;
    this.#isRaw = false;
    try {
      // In the background, it is whatever the shell has made it.
      if (isInForeground()) Deno.stdin.setRaw(false);
    } catch {
      // The terminal is gone.
    }
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    const buffer = new Uint8Array(BUFFER_SIZE);
    try {
      for (;;) {
        const count = await Deno.stdin.read(buffer);
        if (count === null) break;
        this.#stream.write(buffer.slice(0, count));
      }
      this.#isAtEnd = true;
    } catch {
      // Another job has the terminal now (EIO), or it is gone: `listen()` tells.
      this.#isRaw = false;
    }
    this.#isReading = false;
  }
}
