import { UserError } from "../src/user_error.ts";
import { lastErrno, openingErrorText } from "./errno.ts";
import { libc } from "./libc.ts";
import { allocate } from "./memory.ts";

/** `struct pollfd` of poll(2). */
const POLLFD = { fd: 0, events: 4, size: 8 };
/** There is something to read. */
const POLLIN = 1;
/** A descriptor that poll(2) passes over. */
const NO_DESCRIPTOR = -1;
/** `EFD_CLOEXEC | EFD_NONBLOCK`, eventfd(2). */
const EVENTFD_FLAGS = 0o2000000 | 0o4000;

/**
 * Waits until a descriptor is readable, on a thread of its own: the event loop stays free.
 * The wait can be ended from outside.
 */
export class Readiness {
  readonly #wakeFd: number;
  readonly #pollfds = allocate(2 * POLLFD.size);
  readonly #words = new DataView(this.#pollfds.buffer);
  #closed = false;

  /** @throws {UserError} when no descriptor can be had. */
  constructor() {
    this.#wakeFd = libc().eventfd(0, EVENTFD_FLAGS);
    if (this.#wakeFd < 0) {
      throw new UserError(`packets can't be waited for: ${openingErrorText(lastErrno())}`);
    }
    this.#words.setInt32(POLLFD.size + POLLFD.fd, this.#wakeFd, true);
    this.#words.setInt16(POLLFD.size + POLLFD.events, POLLIN, true);
    this.#words.setInt16(POLLFD.events, POLLIN, true);
  }

  /**
   * Resolves when `fd` is readable or in error, when the time is over, or after
   * {@linkcode Readiness.wake}. One wait at a time.
   *
   * @param fd The descriptor; `null` to wait for the time alone.
   */
  async wait(fd: number | null, milliseconds: number): Promise<void> {
    this.#words.setInt32(POLLFD.fd, fd ?? NO_DESCRIPTOR, true);
    await libc().poll(this.#pollfds, 2n, milliseconds);
  }

  /** Ends the present wait, and every later one, at once. */
  wake(): void {
    if (!this.#closed) libc().eventfd_write(this.#wakeFd, 1n);
  }

  /** Gives the descriptor back; when no wait is going on. Closing twice is harmless. */
  close(): void {
    if (!this.#closed) libc().close(this.#wakeFd);
    this.#closed = true;
  }
}
