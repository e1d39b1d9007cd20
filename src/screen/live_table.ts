import { type Cidr, cidrText } from "../config/cidr.ts";
import { divertLog } from "../log.ts";
import type { DnsKinds } from "../model/dns_kinds.ts";
import type { FlowTable } from "../sink/flow_table.ts";
import type { LiveScreen } from "../sink/live_screen.ts";
import { type Room, terminalRoom } from "../sink/terminal_room.ts";
import { type ByteWriter, TextOutput } from "../sink/text_output.ts";
import { LocalAddresses } from "../store/local_addresses.ts";
import type { SensorFigures } from "../web/sensor_figures.ts";
import { Keyboard } from "./keyboard.ts";
import { LiveView } from "./live_view.ts";

/** What a {@linkcode LiveTable} is made with. */
export interface LiveTableOptions {
  /** Interfaces, as the status line names them. */
  readonly sources: readonly string[];
  /** Ends the program, as Ctrl-C does. */
  readonly quit: () => void;
  /**
   * Whether to use colours.
   * @default {unless NO_COLOR is set}
   */
  readonly hasColour?: boolean;
  /**
   * Size of the terminal, or `null` when there is none.
   * @default {that of standard output}
   */
  readonly terminal?: () => Room | null;
  /**
   * Where the picture goes.
   * @default {Deno.stdout}
   */
  readonly output?: ByteWriter;
}

/** What a {@linkcode LiveTable} asks of what captures. */
export interface LiveSensor {
  figures(): SensorFigures;
  /** The own networks. They may be others after a reload. */
  ownNetworks(): readonly Cidr[];
  /** Which services are DNS that the name servers of the network don't see. */
  readonly dnsKinds: DnsKinds;
}

/** The picture is drawn again this often, in milliseconds. */
const REDRAW_INTERVAL = 1_000;
/** Lines of the log that are kept for whoever leaves the picture. */
const MOST_LOG_LINES = 1_000;

/*
 * Control sequences of xterm and its like (https://invisible-island.net/xterm/ctlseqs): the second
 * screen, so that what was on the first comes back; no cursor; lines that are too long don't wrap.
 */
const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE_SCREEN = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const ERASE_REST_OF_LINE = "\x1b[K";

/** Shows the table on the terminal all the time, and takes keys. */
export class LiveTable implements LiveScreen {
  /** What captures, once that is there. */
  sensor: LiveSensor | null = null;
  readonly #options: LiveTableOptions;
  readonly #terminal: () => Room | null;
  readonly #writer: ByteWriter;
  readonly #output: TextOutput;
  readonly #view: LiveView;
  readonly #local = new OwnAddresses();
  #keyboard: Keyboard | null = null;
  readonly #resized = () => this.#redraw();
  #table: FlowTable | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isShown = false;
  #isRedrawing = false;
  /** Lines that wait until the picture is left, and how many had to be left out before them. */
  #log: [seconds: number, line: string][] = [];
  #logLeftOut = 0;
  #packets = 0;
  #packetsAt = 0;
  #packetsPerSecond: number | null = null;

  constructor(options: LiveTableOptions) {
    this.#options = options;
    this.#terminal = options.terminal ?? terminalRoom;
    this.#writer = options.output ?? Deno.stdout;
    this.#output = new TextOutput(this.#writer);
    const { quit, hasColour = !Deno.noColor } = options;
    const isLocal = (address: string) => this.#local.has(address, this.sensor?.ownNetworks() ?? []);
    const dnsKinds = () => this.sensor?.dnsKinds ?? null;
    this.#view = new LiveView({ hasColour, isLocal, dnsKinds, quit });
  }

  /**
   * A live table, or `null` where there is no terminal that it could be shown on: standard output is
   * none, or its size is not known, or it can't move its cursor.
   */
  static on(options: LiveTableOptions): LiveTable | null {
    const terminal = options.terminal ?? (isDumb() ? () => null : terminalRoom);
    return terminal() === null ? null : new LiveTable(options);
  }

  get isShown(): boolean {
    return this.#isShown;
  }

  enter(table: FlowTable): void {
    this.#table = table;
    if (this.#writer === Deno.stdout) {
      this.#keyboard = new Keyboard((key) => {
        this.#view.takeKey(key);
        this.#redraw();
      });
    }
    this.#timer = setInterval(() => this.#tick(), REDRAW_INTERVAL);
    Deno.addSignalListener("SIGWINCH", this.#resized);
    this.#show();
  }

  async leave(): Promise<void> {
    this.#stop();
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#keyboard?.release();
    this.#output.putAsIs(LEAVE_SCREEN, 0);
    await this.#output.written();
    this.#sayLog();
  }

  leaveAtOnce(): void {
    this.#stop();
    this.#hide();
  }

  leaveFor(pause: () => void): void {
    this.#hide();
    pause();
    // Whoever has it go on in the background gets the picture with `fg`.
    if (this.#table !== null) this.#show();
  }

  #stop(): void {
    this.#table = null;
    clearInterval(this.#timer);
    Deno.removeSignalListener("SIGWINCH", this.#resized);
  }

  #show(): void {
    if (this.#keyboard?.isInBackground) return;
    this.#isShown = true;
    // What goes to standard error would be in the midst of the picture, if that is the terminal too.
    if (Deno.stderr.isTerminal()) divertLog((line) => this.#takeLog(line));
    this.#keyboard?.listen();
    this.#draw(ENTER_SCREEN);
  }

  /** Gives the terminal back without waiting for anything. */
  #hide(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#keyboard?.release();
    this.#writeNow(LEAVE_SCREEN);
    this.#sayLog();
  }

  #tick(): void {
    this.#measure();
    if (!this.#isShown) this.#show();
    else if (this.#keyboard?.isInBackground) {
      // The terminal is another job's, which has made of it what it needs.
      this.#isShown = false;
      this.#keyboard?.release();
      this.#sayLog();
    } else {
      this.#keyboard?.listen();
      this.#redraw();
    }
  }

  #measure(): void {
    if (this.sensor === null) return;
    const { packets } = this.sensor.figures();
    const now = performance.now();
    if (this.#packetsAt > 0) {
      this.#packetsPerSecond = (packets - this.#packets) * 1000 / (now - this.#packetsAt);
    }
    this.#packets = packets;
    this.#packetsAt = now;
  }

  #takeLog(line: string): void {
    this.#log.push([Date.now() / 1000, line]);
    if (this.#log.length > MOST_LOG_LINES) {
      this.#log.shift();
      this.#logLeftOut++;
    }
    this.#redraw();
  }

  /** Brings the lines of the log to where they are without a picture. */
  #sayLog(): void {
    divertLog(null);
    if (this.#logLeftOut > 0) {
      writeNow(Deno.stderr, `flosensor: ${this.#logLeftOut} older messages are left out\n`);
    }
    writeNow(Deno.stderr, this.#log.map(([, line]) => line).join(""));
    this.#log = [];
    this.#logLeftOut = 0;
  }

  #redraw(): void {
    if (!this.#isShown || this.#isRedrawing) return;
    if (this.#output.queuedBytes === 0) return this.#draw("");
    // A terminal that was stopped (Ctrl-S) takes the next picture when it goes on.
    this.#isRedrawing = true;
    this.#output.written().then(() => {
      this.#isRedrawing = false;
      if (this.#isShown && this.#output.error === null) this.#draw("");
    });
  }

  /** Overwrites line by line, so that nothing flickers. */
  #draw(before: string): void {
    const room = this.#terminal();
    if (room === null || this.#table === null) return;
    const { dropped = 0, pending = 0 } = this.sensor?.figures() ?? {};
    const status = {
      sources: this.#options.sources,
      packetsPerSecond: this.#packetsPerSecond,
      dropped,
      pending,
      leftOut: this.#table.leftOut,
    };
    const lines = this.#view.lines(this.#table, status, this.#log, room, Date.now() / 1000)
      // Erased before: after a line's last column, that column would be.
      .map((line) => ERASE_REST_OF_LINE + line);
    this.#output.putAsIs(before + HOME + lines.join("\r\n"), 0);
  }

  /** Writes without waiting for what is written already, as far as that can be done. */
  #writeNow(text: string): void {
    if (this.#writer !== Deno.stdout) this.#output.putAsIs(text, 0);
    // Standard output may be being written to at the moment, or gone.
    else if (!writeNow(Deno.stdout, text) && Deno.stderr.isTerminal()) writeNow(Deno.stderr, text);
  }
}

/** Knows which addresses are in networks that are seldom others. */
class OwnAddresses {
  #networks: readonly Cidr[] | null = null;
  #addresses = new LocalAddresses([]);

  has(address: string, networks: readonly Cidr[]): boolean {
    if (networks !== this.#networks) {
      this.#networks = networks;
      this.#addresses = new LocalAddresses(networks.map(cidrText));
    }
    return this.#addresses.has(address);
  }
}

function isDumb(): boolean {
  try {
    return Deno.env.get("TERM") === "dumb";
  } catch {
    // It may not be read.
    return false;
  }
}

function writeNow(output: typeof Deno.stdout | typeof Deno.stderr, text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += output.writeSync(bytes.subarray(done));
    return true;
  } catch {
    return false;
  }
}
