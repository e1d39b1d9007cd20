/** Where a shell puts the number of the signal that ended a program (POSIX, "Exit Status"). */
const SIGNAL_STATUS = 128;
const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Listens for the signals that end the program. */
export class EndSignals {
  /** Resolves at the first such signal. */
  readonly received: Promise<void>;
  /** The exit status that says by which signal the program ended; 0 before one came. */
  status = 0;
  readonly #listeners: [Deno.Signal, () => void][] = [];

  constructor() {
    this.received = new Promise((resolve) => {
      for (const name of ["SIGINT", "SIGTERM"] as const) {
        const listener = () => {
          const status = SIGNAL_STATUS + NUMBERS[name];
          // Whoever asks a second time does not want to wait for what is pending.
          if (this.status !== 0) Deno.exit(status);
          this.status = status;
          resolve();
        };
        Deno.addSignalListener(name, listener);
        this.#listeners.push([name, listener]);
      }
    });
  }

  /** Stops listening. */
  close(): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }
}
