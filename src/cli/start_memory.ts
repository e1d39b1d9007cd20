import { releaseUnusedMemory } from "../../ffi/unused_memory.ts";

/** How long, in milliseconds, until all was used that is used only at the start. */
const START_DURATION = 3_000;
/** How long, in milliseconds, V8 keeps pages that it could give back: a second, see compile.ts. */
const POOL_DURATION = 2_000;

/** The memory that a program needs only to start, given back once it runs. */
export class StartMemory {
  #timer: ReturnType<typeof setTimeout>;

  constructor() {
    this.#timer = setTimeout(() => {
      // V8 has this where it is told to, as in the compiled file; by itself it waits for long.
      (globalThis as { gc?: () => void }).gc?.();
      this.#timer = setTimeout(releaseUnusedMemory, POOL_DURATION);
    }, START_DURATION);
  }

  /** Keeps what was not given back yet. */
  close(): void {
    clearTimeout(this.#timer);
  }
}
