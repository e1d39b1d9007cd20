import type { TimeOrigin } from "../capture/time_origin.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { ObservationBatch } from "../model/observation_batch.ts";
import type { RecordBatch } from "../model/record_batch.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import type { FlowNames } from "./flow_names.ts";
import { FlowTable } from "./flow_table.ts";
import type { LiveScreen } from "./live_screen.ts";
import { Losses } from "./losses.ts";
import { Patience } from "./patience.ts";
import { plural } from "./plural.ts";
import { renderFlowTable } from "./render_flow_table.ts";
import type { Sink } from "./sink.ts";
import { terminalRoom } from "./terminal_room.ts";
import { type ByteWriter, TextOutput } from "./text_output.ts";

/** How a {@linkcode FlowTableSink} goes about its work. */
export interface FlowTableSinkOptions {
  /** Whether packets come as they happen: then nobody waits long at the end. */
  isLive: boolean;
  /** What shows the table all the time, and not only at the end. By default, nothing. */
  screen?: LiveScreen | null;
  /**
   * Characters in a line of the table at the end.
   * @default {those of the terminal of standard output; without one, as many as are needed}
   */
  columns?: () => number;
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

/** Why rows are left out. */
const NO_ROOM = "there is room for the latest only";

/** Shows the attributed flows as a table at the end, and before that on a screen, if it has one. */
export class FlowTableSink implements Sink {
  readonly name = "table";
  readonly table: FlowTable;
  readonly #output: TextOutput;
  readonly #screen: LiveScreen | null;
  readonly #columns: () => number;
  readonly #isLive: boolean;
  readonly #losses: Losses;
  readonly #patience = new Patience();
  #taken = 0;

  constructor(options: FlowTableSinkOptions) {
    this.table = new FlowTable(options.maxRows, options.names, options.origin);
    this.#output = new TextOutput(options.output);
    this.#isLive = options.isLive;
    this.#losses = new Losses("the table", "rows", options.log ?? null);
    this.#columns = options.columns ?? (() => terminalRoom()?.columns ?? Infinity);
    this.#screen = options.screen ?? null;
    this.#screen?.enter(this.table);
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
    // The screen shows how many there are.
    if (!this.isOnScreen) this.#losses.add(this.lost - this.#losses.total, NO_ROOM);
  }

  /** Takes when flows were seen last whose keys are suppressed. */
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

  /** Whether there is a screen that the table is shown on. */
  get hasScreen(): boolean {
    return this.#screen !== null;
  }

  /** Whether it is shown there now. */
  get isOnScreen(): boolean {
    return this.#screen?.isShown ?? false;
  }

  hurry(): void {
    this.#patience.begin();
  }

  /**
   * Leaves the screen and writes the whole table; in a capture, or after `hurry()`, for a few seconds at
   * most. Rows that were left out are no error: the table says how many there are.
   *
   * @throws {OutputClosedError} when nobody reads it.
   * @throws {UserError} when standard output can't be written to, or its reader is too slow.
   */
  async close(): Promise<void> {
    this.#losses.close();
    if (this.#isLive) this.hurry();
    const isLeft = await this.#patience.wait(this.#screen?.leave() ?? Promise.resolve());
    this.#output.put(renderFlowTable(this.table, this.#columns()).join("\n") + "\n", 1);
    const isInTime = isLeft && await this.#patience.wait(this.#output.written());
    this.#patience.end();
    if (this.#output.error !== null) throw this.#output.error;
    if (!isInTime) throw this.#notWritten("its reader is too slow");
  }

  abandon(reason: string): UserError {
    this.#losses.close();
    this.#patience.end();
    this.#screen?.leaveAtOnce();
    return this.#notWritten(reason);
  }

  /**
   * Gives the terminal back for as long as `pause` takes.
   *
   * @param pause Stops the program, and returns when it goes on.
   */
  leaveScreenFor(pause: () => void): void {
    if (this.#screen === null) pause();
    else this.#screen.leaveFor(pause);
  }

  #notWritten(reason: string): UserError {
    const flows = plural(this.table.flows.length, "flow");
    return new UserError(`standard output: the table of ${flows} was not written (${reason})`);
  }
}
