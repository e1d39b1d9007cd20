import type { FlowRow, FlowTable } from "../sink/flow_table.ts";
import { failureLines, flowLines, serviceLines, type ServiceRow } from "../sink/table_lines.ts";
import { daysOf, timeOfDay, timeTextOf } from "../sink/table_times.ts";
import type { Room } from "../sink/terminal_room.ts";
import { printable } from "../printable.ts";
import { type Filter, FilterError, filterText, parseFilter } from "../web/filter.ts";
import { cutToWidth, padToWidth, widthOf } from "./cut_to_width.ts";
import { HELP } from "./help.ts";
import type { Key } from "./keyboard.ts";
import { type LiveRows, liveRows, type RefusedRow, serviceRows } from "./live_rows.ts";
import { ROW_FLAGS, rowFilter, type RowKnowledge } from "./row_filter.ts";
import { orderBy, type RowOrder, type RowSort, sortRows } from "./row_order.ts";
import { type Styles, styles } from "./styles.ts";

/** What the status line says of the sensor. */
export interface LiveStatus {
  /** Interfaces. */
  readonly sources: readonly string[];
  /** `null` while it is not known yet. */
  readonly packetsPerSecond: number | null;
  readonly dropped: number;
  /** What waits to be written. */
  readonly pending: number;
  /** Rows for which there was no room. */
  readonly leftOut: number;
}

/** What a {@linkcode LiveView} is made with. */
export interface LiveViewOptions extends RowKnowledge {
  readonly hasColour: boolean;
  /** Ends the program. */
  readonly quit: () => void;
}

const TABS = ["flows", "services", "refused"] as const;
type Tab = typeof TABS[number];

const SORTS: Readonly<Record<Tab, readonly RowSort[]>> = {
  flows: [
    "last",
    "first",
    "client",
    "server",
    "port",
    "by",
    "bytes",
    "packets",
    "duration",
    "name",
  ],
  services: ["last", "first", "server", "port", "clients", "bytes", "packets", "name"],
  refused: ["last", "first", "client", "server", "port", "why"],
};

/** Of a picture that has room for them. */
const MOST_LOG_LINES = 2;
/** Lines beside the rows: status, tabs, titles, and the last one. */
const OTHER_LINES = 4;
/** The least that is left for rows, where the log has lines too. */
const LEAST_ROWS = 3;
const HINTS = "q quit  ? help  tab flows, services, refused  / filter  s sort  p pause";
const LOG_LABEL = /^flosensor: /;
/** What says that nothing but port numbers told who is the client. */
const GUESSED = / lower-port /;
const NOTHING: Readonly<Record<Tab, string>> = {
  flows: "No flow was seen yet.",
  services: "No service was used yet.",
  refused: "Nothing was refused, unreachable or not answered.",
};
const WARNING = /^(warning|error): /;

/** What one tab looks at. */
interface TabState {
  order: RowOrder;
  /** Rows above the first that is shown. */
  offset: number;
  /** Widths of columns, which grow only. */
  widest: number[];
}

/**
 * The picture of the live table, and what keys do to it. It touches no terminal: it takes keys, and
 * makes lines.
 */
export class LiveView {
  readonly #styles: Styles;
  readonly #options: LiveViewOptions;
  readonly #states: Readonly<Record<Tab, TabState>>;
  #tab: Tab = "flows";
  #filter: Filter = [];
  /** What is typed as a filter; `null` while nothing is. */
  #typed: string | null = null;
  #complaint = "";
  #isHelp = false;
  /** The rows that stay while it pauses. */
  #paused: LiveRows | null = null;
  #isPausing = false;
  /** Rows that the last picture had room for. */
  #page = 1;
  /** Rows that can be above the first that is shown. */
  #most = 0;
  #columns = 0;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#styles = styles(options.hasColour);
    const state = (): TabState => ({ order: orderBy("last"), offset: 0, widest: [] });
    this.#states = { flows: state(), services: state(), refused: state() };
  }

  /** Does what a key means. */
  takeKey(key: Key): void {
    this.#complaint = "";
    if (this.#typed !== null) {
      this.#edit(this.#typed, key);
      // Escape and a key soon after it are one to a terminal, as Alt and the key are.
      if (key.meta && key.name !== "escape") this.#command(key);
    } else if (this.#isHelp) this.#isHelp = false;
    else this.#command(key);
  }

  /**
   * The picture.
   *
   * @param log The last lines of the log, each with the time when it came, in seconds.
   * @param now In seconds since 1970-01-01 UTC.
   * @returns Lines, as many as there is room for at most, with control sequences for how text looks.
   */
  lines(
    table: FlowTable,
    status: LiveStatus,
    log: readonly (readonly [seconds: number, line: string])[],
    { columns, rows }: Room,
    now: number,
  ): string[] {
    if (columns !== this.#columns) {
      this.#columns = columns;
      for (const tab of TABS) this.#states[tab].widest = [];
    }
    const mostLog = Math.min(MOST_LOG_LINES, Math.max(0, rows - OTHER_LINES - LEAST_ROWS));
    const logLines = (mostLog === 0 ? [] : log.slice(-mostLog))
      .map(([seconds, line]) => this.#logLine(seconds, line, columns));
    const height = Math.max(0, rows - OTHER_LINES - logLines.length);
    const all = this.#rows(table);
    const state = this.#states[this.#tab];
    this.#most = Math.max(0, all[this.#tab].length - Math.min(height, this.#page));
    state.offset = Math.min(state.offset, this.#most);
    const body = this.#isHelp
      ? HELP.map((line) => cutToWidth(line, columns))
      : this.#body(all, height, columns);
    // Titles have a line of their own, which is not one of the rows.
    const shown = body.slice(0, height + 1);
    while (shown.length < height + 1) shown.push("");
    return [
      this.#statusLine(status, columns, now),
      this.#tabLine(all, columns),
      ...shown,
      ...logLines,
      this.#lastLine(columns),
    ].slice(0, rows);
  }

  #command({ name, sequence, shift, ctrl }: Key): void {
    if (ctrl) return;
    const state = this.#states[this.#tab];
    const step = TABS.length + (shift ? -1 : 1);
    switch (name ?? sequence) {
      case "q":
        return this.#options.quit();
      case "?":
      case "h":
        this.#isHelp = true;
        return;
      case "tab":
        this.#tab = TABS[(TABS.indexOf(this.#tab) + step) % TABS.length];
        return;
      case "/":
        this.#typed = filterText(this.#filter);
        return;
      case "p":
        this.#isPausing = !this.#isPausing;
        if (!this.#isPausing) this.#paused = null;
        return;
      case "s":
        return this.#sortNext(shift ? -1 : 1);
      case "left":
        return this.#sortNext(-1);
      case "right":
        return this.#sortNext(1);
      case "r":
        state.order = { ...state.order, isDescending: !state.order.isDescending };
        return;
      case "up":
      case "k":
        return this.#scroll(-1);
      case "down":
      case "j":
        return this.#scroll(1);
      case "pageup":
        return this.#scroll(-this.#page);
      case "pagedown":
      case "space":
        return this.#scroll(this.#page);
      case "home":
        return this.#scroll(-Infinity);
      case "end":
        return this.#scroll(Infinity);
    }
  }

  #scroll(rows: number): void {
    const state = this.#states[this.#tab];
    state.offset = Math.max(0, Math.min(state.offset + rows, this.#most));
  }

  #sortNext(step: number): void {
    const state = this.#states[this.#tab];
    const sorts = SORTS[this.#tab];
    const at = sorts.indexOf(state.order.by) + step + sorts.length;
    state.order = orderBy(sorts[at % sorts.length]);
    state.offset = 0;
  }

  /** Edits the filter that is typed. */
  #edit(typed: string, { name, sequence, ctrl, meta }: Key): void {
    if (name === "return" || name === "enter") return this.#apply(typed);
    if (name === "escape" || meta) this.#typed = null;
    else if (name === "backspace") this.#typed = typed.replace(/.$/u, "");
    else if (ctrl && name === "u") this.#typed = "";
    else if (ctrl && name === "w") this.#typed = typed.replace(/\S*\s*$/, "");
    else if (!ctrl && printable(sequence) === sequence) this.#typed = typed + sequence;
  }

  #apply(typed: string): void {
    try {
      const filter = parseFilter(typed, ROW_FLAGS);
      rowFilter(filter, this.#options, false);
      this.#filter = filter;
      this.#typed = null;
      for (const tab of TABS) Object.assign(this.#states[tab], { offset: 0, widest: [] });
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.#complaint = error.message;
    }
  }

  /** What there is of each tab. */
  #rows(table: FlowTable): Shown {
    const now = this.#paused ?? liveRows(table);
    if (this.#isPausing) this.#paused = now;
    const flows = now.flows.filter(rowFilter(this.#filter, this.#options, false));
    const refused = now.refused.filter(rowFilter(this.#filter, this.#options, true));
    return { flows, services: serviceRows(flows), refused };
  }

  /** The rows that there is room for, below their titles. */
  #body(all: Shown, height: number, columns: number): string[] {
    const { order, offset, widest } = this.#states[this.#tab];
    const timeText = timeTextOf(daysOf(all[this.#tab]));
    const part = <Row>(rows: readonly Row[]) => rows.slice(offset, offset + height);
    const lines = this.#tab === "flows"
      ? flowLines(part(sortRows(all.flows, order)), timeText, columns, { all: all.flows, widest })
      : this.#tab === "services"
      ? serviceLines(part(sortRows(all.services, order)), timeText, columns, {
        all: all.services,
        widest,
      })
      : failureLines(part(sortRows(all.refused, order)), timeText, columns, widest);
    if (lines.length === 0) {
      const why = this.#filter.length === 0 ? NOTHING[this.#tab] : "Nothing matches the filter.";
      return ["", cutToWidth(why, columns)];
    }
    const rows = Math.min(height, all[this.#tab].length - offset);
    // Rows that need two lines leave less room.
    const linesOfRow = (lines.length - 1) / Math.max(1, rows);
    this.#page = Math.max(1, Math.floor(height / Math.max(1, linesOfRow)));
    const [titles, ...others] = lines.map((line) => cutToWidth(line, columns));
    return [
      this.#styles.bold(titles),
      ...others.map((line) => line.replace(GUESSED, (text) => this.#styles.doubtful(text))),
    ];
  }

  #statusLine(status: LiveStatus, columns: number, now: number): string {
    const { sources, packetsPerSecond, dropped, pending, leftOut } = status;
    const rate = packetsPerSecond === null ? "–" : numberText(packetsPerSecond);
    const parts = [
      printable(sources.join(", ")),
      timeOfDay(now),
      `${rate} packets/s`,
      `${numberText(dropped)} dropped`,
      `queue ${numberText(pending)}`,
    ];
    if (leftOut > 0) parts.push(`${numberText(leftOut)} older rows left out`);
    if (this.#isPausing) parts.push("PAUSED");
    const text = padToWidth(` ${parts.join("   ")}`, columns);
    const line = this.#styles.reverse(text);
    if (dropped === 0) return line;
    const [before, after] = text.split(parts[3]);
    if (after === undefined) return line;
    return this.#styles.reverse(before) + this.#styles.bad(this.#styles.reverse(parts[3])) +
      this.#styles.reverse(after);
  }

  /** Tabs with what they have, the order, the filter, and where one is. */
  #tabLine(all: Shown, columns: number): string {
    const { order, offset } = this.#states[this.#tab];
    const total = all[this.#tab].length;
    const texts = [
      ...TABS.map((tab) => {
        const text = `${tab} ${all[tab].length}`;
        return tab === this.#tab ? `[${text}]` : ` ${text} `;
      }),
      ` sorted by ${order.by} ${order.isDescending ? "↓" : "↑"}`,
    ];
    if (total > this.#page) {
      texts.push(` ${offset + 1} to ${Math.min(total, offset + this.#page)}`);
    }
    if (this.#filter.length > 0) texts.push(` / ${filterText(this.#filter)}`);
    const line = cutToWidth(printable(texts.join(" ")), columns);
    const current = texts[TABS.indexOf(this.#tab)];
    return line.replace(current, () => this.#styles.bold(current));
  }

  #logLine(seconds: number, line: string, columns: number): string {
    const text = line.trimEnd().replace(LOG_LABEL, "");
    const shown = cutToWidth(`${timeOfDay(seconds)} ${text}`, columns);
    const [, kind] = WARNING.exec(text) ?? [];
    if (kind === undefined) return shown;
    return kind === "error" ? this.#styles.bad(shown) : this.#styles.doubtful(shown);
  }

  /** What is typed, or what was wrong with that, or which keys there are. */
  #lastLine(columns: number): string {
    if (this.#complaint !== "") return this.#styles.bad(cutToWidth(this.#complaint, columns));
    if (this.#typed === null) return this.#styles.dim(cutToWidth(HINTS, columns));
    // Of a long text the end is seen, where one types; and a cursor.
    let typed = this.#typed;
    while (widthOf(typed) > Math.max(0, columns - 2)) typed = typed.replace(/^./u, "");
    return `/${typed}${this.#styles.reverse(" ")}`;
  }
}

/** What each tab has after the filter. */
interface Shown {
  readonly flows: readonly FlowRow[];
  readonly services: readonly ServiceRow[];
  readonly refused: readonly RefusedRow[];
}

const NUMBERS = new Intl.NumberFormat("en");

function numberText(value: number): string {
  return NUMBERS.format(Math.round(value));
}
