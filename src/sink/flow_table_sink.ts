import type { TimeOrigin } from "../capture/time_origin.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { ObservationBatch } from "../flow/observation_batch.ts";
import type { FlowNames } from "./flow_names.ts";
import { FlowTable } from "./flow_table.ts";
import { renderFlowTable, type Room, wholeFlowTable } from "./render_flow_table.ts";
import type { Sink } from "./sink.ts";
import { type ByteWriter, TextOutput } from "./text_output.ts";

/** How a {@linkcode FlowTableSink} goes about its work. */
export interface FlowTableSinkOptions {
  /** Whether to show the table all the time, and not only at the end. For a capture. */
  isLive: boolean;
  /**
   * Size of the terminal, or `null` when standard output is none. There is no live view then.
   * @default {size of the terminal of standard output}
   */
  terminal?: () => Room | null;
  /**
   * How many flows are kept.
   * @default {10_000}
   */
  maxRows?: number;
  /** Where the names of servers come from. By default, there are none. */
  names?: FlowNames;
  /** From when on times are counted. By default, from 1970-01-01 UTC. */
  origin?: TimeOrigin;
  /**
   * Where the table goes.
   * @default {Deno.stdout}
   */
  output?: ByteWriter;
}

/** The live view is drawn anew this often, in milliseconds. */
const REDRAW_INTERVAL = 1_000;

/** Control sequences of xterm and its like: https://invisible-island.net/xterm/ctlseqs. */
const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l";
const LEAVE_SCREEN = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const ERASE_REST_OF_LINE = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/**
 * Shows the attributed flows as a table: once at the end, and for a capture on a terminal all the
 * time, on the terminal's second screen, so that what was on the first comes back.
 */
export class FlowTableSink implements Sink {
  readonly table: FlowTable;
  readonly #output: TextOutput;
  readonly #terminal: () => Room | null;
  #redrawTimer: ReturnType<typeof setInterval> | undefined;
  #isOnScreen = false;

  constructor(options: FlowTableSinkOptions) {
    this.table = new FlowTable(options.maxRows, options.names, options.origin);
    this.#output = new TextOutput(options.output);
    this.#terminal = options.terminal ?? terminalOfStandardOutput;
    if (options.isLive && this.#terminal() !== null) this.#enterScreen();
  }

  get pending(): number {
    return 0;
  }

  get pendingBytes(): number {
    return 0;
  }

  write(batch: ObservationBatch): void {
    this.table.add(batch);
  }

  /** Takes when flows were seen last whose keys are held back. */
  see(batch: ObservationBatch): void {
    this.table.see(batch);
  }

  /** Names are shown beside the flows that have them, and have no rows of their own. */
  writeNames(_writes: readonly NameWrite[]): void {}

  /** @throws {OutputClosedError} when there is nobody to show it to any more. */
  flush(): Promise<void> {
    return this.#output.error === null ? Promise.resolve() : Promise.reject(this.#output.error);
  }

  /**
   * Leaves the live view and writes the whole table.
   *
   * @throws {OutputClosedError} when nobody reads it.
   * @throws {UserError} when standard output can't be written to.
   */
  async close(): Promise<void> {
    this.leaveScreen();
    const room = this.#terminal();
    if (room === null) this.#putWhole();
    else {
      const { columns } = room;
      const lines = renderFlowTable(this.table, "by-client", { columns, rows: Infinity });
      this.#output.put(lines.join("\n") + "\n", 1);
    }
    await this.#output.written();
    if (this.#output.error !== null) throw this.#output.error;
  }

  /** Gives the terminal back as it was, also before a message about an error. */
  leaveScreen(): void {
    clearInterval(this.#redrawTimer);
    if (!this.#isOnScreen) return;
    this.#isOnScreen = false;
    this.#output.putAsIs(LEAVE_SCREEN, 0);
  }

  #putWhole(): void {
    for (const piece of wholeFlowTable(this.table)) {
      if (typeof piece === "string") this.#output.put(piece, 1);
      else this.#output.putBytes(piece.slice(), 1);
    }
  }

  #enterScreen(): void {
    this.#isOnScreen = true;
    this.#redraw(ENTER_SCREEN);
    this.#redrawTimer = setInterval(() => this.#redraw(), REDRAW_INTERVAL);
  }

  /** Overwrites line by line, so that nothing flickers. */
  #redraw(before = ""): void {
    const room = this.#terminal();
    // A terminal that was stopped (Ctrl-S) takes the next picture when it goes on.
    if (room === null || this.#output.queuedBytes > 0) return;
    const lines = renderFlowTable(this.table, "newest-first", room)
      // After a line's last column, erasing the rest would erase that column.
      .map((line) =>
        line.length < room.columns ? line + ERASE_REST_OF_LINE : line.slice(0, room.columns)
      );
    this.#output.putAsIs(before + HOME + lines.join("\r\n") + ERASE_BELOW, 0);
  }
}

function terminalOfStandardOutput(): Room | null {
  if (!Deno.stdout.isTerminal()) return null;
  try {
    return Deno.consoleSize();
  } catch {
    return null;
  }
}
