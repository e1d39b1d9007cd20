import { printable } from "../printable.ts";

/** A file of which a part was read. */
export interface PartlyRead {
  readonly name: string;
  /** Bytes that were used up to now. */
  readonly position: number;
  /** Bytes of the whole, or 0 where that can't be known. */
  readonly size: number;
}

const INTERVAL_MILLISECONDS = 250;
const MEBIBYTE = 1024 * 1024;
const CLEAR_LINE = "\r\x1b[K";

/** How far a long file was read, on one line of a terminal; nowhere if there is none. */
export class Progress {
  readonly #terminal: boolean = Deno.stderr.isTerminal();
  #next = performance.now() + INTERVAL_MILLISECONDS;
  #isShown = false;

  /** Whether it is time to show it again. */
  get isDue(): boolean {
    return performance.now() >= this.#next;
  }

  show(source: PartlyRead): void {
    this.#next = performance.now() + INTERVAL_MILLISECONDS;
    if (!this.#terminal) return;
    const { name, position, size } = source;
    const read = `${Math.floor(position / MEBIBYTE)} MiB`;
    const part = size === 0
      ? ""
      : ` of ${Math.ceil(size / MEBIBYTE)} MiB, ${percent(position, size)}`;
    this.#write(`${CLEAR_LINE}${printable(name)}: ${read}${part}`);
    this.#isShown = true;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown) this.#write(CLEAR_LINE);
    this.#isShown = false;
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}

function percent(part: number, whole: number): string {
  return `${Math.floor(100 * part / whole)} %`;
}
