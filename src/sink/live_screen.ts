import type { FlowTable } from "./flow_table.ts";

/** What shows a table all the time, on a terminal. */
export interface LiveScreen {
  /** Whether it has the terminal. */
  readonly isShown: boolean;

  /** Takes the terminal, if that can be had. */
  enter(table: FlowTable): void;

  /** Gives the terminal back as it was. Resolves when that is done, as far as it can be. */
  leave(): Promise<void>;

  /** The same without waiting for anything. */
  leaveAtOnce(): void;

  /**
   * Gives the terminal back for as long as `pause` takes, if it has it.
   *
   * @param pause Stops the program, and returns when it goes on.
   */
  leaveFor(pause: () => void): void;
}
