import { releaseUnusedMemory } from "../../ffi/unused_memory.ts";

/** How long, in milliseconds, until all was used that is used only for once. */
const USED_FOR = 3_000;

/** V8's function, where it was told to have it: src/cli/v8_options.txt. */
type CollectGarbage = (
  options: { type: "major"; execution: "sync"; flavor: "last-resort" | "regular" },
) => void;

/** The memory that a program needs only to start, or to answer something, given back soon after it. */
export class SpareMemory implements Disposable {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The program starts. */
  constructor() {
    // By itself V8 waits for half a minute until it is sure. With this flavor it frees what it can.
    this.#giveBackLater("last-resort");
  }

  /** Something was answered, which may have needed much. */
  used(): void {
    if (this.#timer === undefined) this.#giveBackLater("regular");
  }

  /** Keeps what was not given back yet. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #giveBackLater(flavor: "last-resort" | "regular"): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const { gc } = globalThis as { gc?: CollectGarbage };
      gc?.({ type: "major", execution: "sync", flavor });
      releaseUnusedMemory();
    }, USED_FOR);
  }
}
