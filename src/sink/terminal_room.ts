/** How much room a terminal has. */
export interface Room {
  /** Characters in a line. */
  readonly columns: number;
  /** Lines. */
  readonly rows: number;
}

/**
 * The size of the terminal that standard output is. `null` where it is none, or nobody said its size, as
 * of a serial line, which then has 0 by 0.
 */
export function terminalRoom(): Room | null {
  if (!Deno.stdout.isTerminal()) return null;
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { columns, rows } : null;
  } catch {
    return null;
  }
}
