import { libc } from "./libc.ts";
import { allocate, cString } from "./memory.ts";

/** open(2). Reading only is 0. */
const O_CLOEXEC = 0o2000000;
/** What the kernel gives of such a file at once is at most a page. */
const PIECE = 16_384;

/**
 * A file below /proc that the kernel writes while it is read. Deno itself opens none of these with
 * less than all permissions; the C library does, for whoever may call it.
 */
export class KernelText implements Disposable {
  readonly #fd: number;
  readonly #piece = allocate(PIECE);
  readonly #decoder = new TextDecoder();

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens one, or `null` where it is not there or may not be read. */
  static open(path: string): KernelText | null {
    const fd = libc().open(cString(path), O_CLOEXEC, 0);
    return fd < 0 ? null : new KernelText(fd);
  }

  /** The whole of a short one, or `null` where it can't be read. */
  static readShort(path: string): string | null {
    using text = KernelText.open(path);
    return text?.next() ?? null;
  }

  /** The next piece, or `null` at the end and when the rest can't be read. */
  next(): string | null {
    const read = Number(libc().read(this.#fd, this.#piece, BigInt(PIECE)));
    return read <= 0 ? null : this.#decoder.decode(this.#piece.subarray(0, read));
  }

  [Symbol.dispose](): void {
    libc().close(this.#fd);
  }
}
