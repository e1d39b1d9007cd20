import type { TimeOrigin } from "../capture/time_origin.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { ObservationBatch } from "../model/observation_batch.ts";
import type { RecordBatch } from "../model/record_batch.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import type { FlowNames } from "./flow_names.ts";
import { FlowTable } from "./flow_table.ts";
import { Losses } from "./losses.ts";
import { Patience } from "./patience.ts";
import { plural } from "./plural.ts";
import { renderFlowTable, type Room } from "./render_flow_table.ts";
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
  /** Where it is said that rows are left out, where no terminal shows it. */
  log?: Log;
}

/** The live view is drawn anew this often, in milliseconds. */
const REDRAW_INTERVAL = 1_000;

/** The size of a terminal that does not say its own. */
const DEFAULT_ROOM: Room = { columns: 80, rows: 24 };

/** Why rows are left out. */
const NO_ROOM = "there is room for the latest only";

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
  readonly name = "table";
  readonly table: FlowTable;
  readonly #output: TextOutput;
  readonly #terminal: () => Room | null;
  #redrawTimer: ReturnType<typeof setInterval> | undefined;
  #isOnScreen = false;
  readonly #writer: ByteWriter;
  readonly #isLive: boolean;
  readonly #losses: Losses;
  readonly #patience = new Patience();
  #taken = 0;

  constructor(options: FlowTableSinkOptions) {
    this.table = new FlowTable(options.maxRows, options.names, options.origin);
    this.#writer = options.output ?? Deno.stdout;
    this.#output = new TextOutput(this.#writer);
    this.#isLive = options.isLive;
    this.#losses = new Losses("the table", "rows", options.log ?? null);
    this.#terminal = options.terminal ?? terminalOfStandardOutput;
    if (options.isLive && this.#terminal() !== null) this.#enterScreen();
  }

  get pending(): number {
    return 0;
  }

  get pendingBytes(): number {
    return 0;
  }

  get written(): number {
    return this.#taken - this.lost;
  }

  /** Rows that were left out, the latest having taken their place. */
  get lost(): number {
    return this.table.leftOut;
  }

  write(batch: ObservationBatch): void {
    this.#taken += batch.count;
    this.table.add(batch);
    // The live view shows how many there are.
    if (!this.#isOnScreen) this.#losses.add(this.lost - this.#losses.total, NO_ROOM);
  }

  /** Takes when flows were seen last whose keys are held back. */
  see(batch: ObservationBatch): void {
    this.table.see(batch);
  }

  /** Takes the figures of conversations. */
  takeFigures(batch: RecordBatch): void {
    this.table.takeRecords(batch);
  }

  /** Names are shown beside the flows that have them, and have no rows of their own. */
  writeNames(_writes: readonly NameWrite[]): void {}

  /** @throws {OutputClosedError} when there is nobody to show it to any more. */
  flush(): Promise<void> {
    return this.#output.error === null ? Promise.resolve() : Promise.reject(this.#output.error);
  }

  /** Whether the live view is shown. */
  get isOnScreen(): boolean {
    return this.#isOnScreen;
  }

  hurry(): void {
    this.#patience.begin();
  }

  /**
   * Leaves the live view and writes the whole table; in a capture, or after `hurry()`, for a few
   * seconds at most. Rows that were left out are no error: the table says how many there are.
   *
   * @throws {OutputClosedError} when nobody reads it.
   * @throws {UserError} when standard output can't be written to, or its reader is too slow.
   */
  async close(): Promise<void> {
    this.#losses.close();
    this.leaveScreen();
    const columns = this.#terminal()?.columns ?? Infinity;
    const lines = renderFlowTable(this.table, "by-client", { columns, rows: Infinity });
    this.#output.put(lines.join("\n") + "\n", 1);
    if (this.#isLive) this.hurry();
    const isInTime = await this.#patience.wait(this.#output.written());
    this.#patience.end();
    if (this.#output.error !== null) throw this.#output.error;
    if (!isInTime) throw this.#notWritten("its reader is too slow");
  }

  abandon(reason: string): UserError {
    this.#losses.close();
    this.#patience.end();
    clearInterval(this.#redrawTimer);
    if (this.#isOnScreen) this.#writeNow(LEAVE_SCREEN);
    this.#isOnScreen = false;
    return this.#notWritten(reason);
  }

  /** Gives the terminal back as it was, also before a message about an error. */
  leaveScreen(): void {
    clearInterval(this.#redrawTimer);
    if (!this.#isOnScreen) return;
    this.#isOnScreen = false;
    this.#output.putAsIs(LEAVE_SCREEN, 0);
  }

  /**
   * Gives the terminal back for as long as `pause` takes, if there is a live view, and shows that
   * again then.
   *
   * @param pause Stops the program, and returns when it goes on.
   */
  leaveScreenFor(pause: () => void): void {
    const isShown = this.#isOnScreen;
    if (isShown) {
      clearInterval(this.#redrawTimer);
      this.#writeNow(LEAVE_SCREEN);
    }
    pause();
    if (isShown) this.#enterScreen();
  }

  /** Writes without waiting for what is written already, as far as that can be done. */
  #writeNow(text: string): void {
    const bytes = new TextEncoder().encode(text);
    try {
      if (this.#writer === Deno.stdout) Deno.stdout.writeSync(bytes);
      else this.#output.putAsIs(text, 0);
    } catch {
      // Standard output is being written to at the moment, or gone.
      writeToTerminal(Deno.stderr, bytes);
    }
  }

  #notWritten(reason: string): UserError {
    const flows = plural(this.table.flows.length, "flow");
    return new UserError(`standard output: the table of ${flows} was not written (${reason})`);
  }

  #enterScreen(): void {
    this.#isOnScreen = true;
    this.#draw(ENTER_SCREEN);
    this.#redrawTimer = setInterval(() => this.#redraw(), REDRAW_INTERVAL);
  }

  #redraw(): void {
    // A terminal that was stopped (Ctrl-S) takes the next picture when it goes on.
    if (this.#output.queuedBytes === 0) this.#draw("");
  }

  /** Overwrites line by line, so that nothing flickers. */
  #draw(before: string): void {
    const room = this.#terminal();
    if (room === null) return;
    const lines = renderFlowTable(this.table, "newest-first", room)
      // After a line's last column, erasing the rest would erase that column.
      .map((line) =>
        line.length < room.columns ? line + ERASE_REST_OF_LINE : line.slice(0, room.columns)
      );
    this.#output.putAsIs(before + HOME + lines.join("\r\n") + ERASE_BELOW, 0);
  }
}

function writeToTerminal(output: typeof Deno.stderr, bytes: Uint8Array): void {
  try {
    if (output.isTerminal()) output.writeSync(bytes);
  } catch {
    // The terminal is gone.
  }
}

function terminalOfStandardOutput(): Room | null {
  if (!Deno.stdout.isTerminal()) return null;
  try {
    const { columns, rows } = Deno.consoleSize();
    // Those over which nobody said what size they have, such as serial lines, have 0.
    return { columns: columns || DEFAULT_ROOM.columns, rows: rows || DEFAULT_ROOM.rows };
  } catch {
    return null;
  }
}
