/**
 * How long, in milliseconds, what is pending may hold up the end of the program: it has ended within
 * five seconds of the signal, with what else there is to do.
 */
const PATIENCE = 4_500;

/** The time that a sink has to write what is pending, once it was told that the end is near. */
export class Patience {
  readonly #end = Promise.withResolvers<void>();
  /** Resolves when it is over. */
  readonly over: Promise<void> = this.#end.promise;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** Whether the time runs. */
  get hasBegun(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether it is over. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Has it run from now on, unless it does already. */
  begin(): void {
    this.#timer ??= setTimeout(() => {
      this.#isOver = true;
      this.#end.resolve();
    }, PATIENCE);
  }

  /**
   * Waits for something that does not fail, until the time is over if it runs or begins to.
   *
   * @returns Whether it came in time.
   */
  async wait(something: Promise<unknown>): Promise<boolean> {
    return await Promise.race([something.then(() => true), this.over.then(() => false)]);
  }

  /** Has it run no more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
