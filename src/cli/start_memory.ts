import { releaseUnusedMemory } from "../../ffi/unused_memory.ts";

/** How long, in milliseconds, until all was used that is used only at the start. */
const START_DURATION = 3_000;

/** V8's function, where it was told to have it: src/cli/v8_options.txt. */
type CollectGarbage = (
  options: { type: "major"; execution: "sync"; flavor: "last-resort" },
) => void;

/** The memory that a program needs only to start, given back once it runs. */
export class StartMemory implements Disposable {
  readonly #timer = setTimeout(() => {
    // By itself V8 waits for half a minute until it is sure. With this flavor it frees what it can.
    const { gc } = globalThis as { gc?: CollectGarbage };
    gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    releaseUnusedMemory();
  }, START_DURATION);

  /** Keeps what was not given back yet. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
