/** Bytes that a worker may have sent and the main thread not yet taken. */
const MOST_BYTES = 4 * 1024 * 1024;
/** How long, in milliseconds, until it is looked again whether there is room. */
const PAUSE = 5;

/**
 * What a worker has sent to the main thread and that has not yet taken, in bytes. A worker that is too
 * far ahead reads no packets: then the kernel keeps them, and counts what it drops.
 */
export class Backlog {
  /** What the worker gives to its main thread, and that to the worker. */
  readonly shared: SharedArrayBuffer;
  readonly #bytes: Int32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.shared = shared;
    this.#bytes = new Int32Array(shared);
  }

  /** Notes that so many bytes were sent. */
  add(bytes: number): void {
    Atomics.add(this.#bytes, 0, bytes);
  }

  /** Notes that so many bytes were taken. */
  take(bytes: number): void {
    Atomics.sub(this.#bytes, 0, bytes);
  }

  /** Resolves when there is room; at once where there is. */
  async room(): Promise<void> {
    while (Atomics.load(this.#bytes, 0) > MOST_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
