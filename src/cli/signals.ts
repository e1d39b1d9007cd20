import { constants } from "node:os";
import type { Log } from "../log.ts";
import { endAtOnce } from "./ending.ts";
import { ignoreHangUps, takeHangUps } from "./hang_up.ts";
import { Launcher } from "./launcher.ts";
import { areHangUpsIgnored, StartTerminal } from "./start_terminal.ts";

/** Where a shell puts the number of the signal that ended a program (POSIX, "Exit Status"). */
const SIGNAL_STATUS = 128;
/**
 * Signals that come within so many milliseconds are one: at Ctrl-C the terminal sends SIGINT to
 * `deno task` and to us, and `deno task` passes its own on.
 */
const ONE_SIGNAL = 1_000;
/** How often it is looked, in milliseconds, whether what started us is still there. */
const LOOK = 1_000;

/**
 * Listens for the signals that end the program. Until there is something to be brought to an end, the
 * first one ends it at once; then the second one does, as does SIGQUIT.
 */
export class EndSignals {
  /** Resolves at the first such signal. */
  readonly received: Promise<void>;
  /** The exit status that says by which signal the program ended; 0 before one came. */
  status = 0;
  readonly #resolve: () => void;
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #terminal = new StartTerminal();
  readonly #log: Log;
  #launcher: Launcher | null = null;
  readonly #timer: ReturnType<typeof setInterval>;
  #hungUpAt = -Infinity;
  #first = 0;
  #hasBegun = false;
  #reload: (() => void) | null = null;
  #isReloadWanted = false;

  /**
   * @param atHangUp What SIGHUP does. That of a terminal that was closed ends the program in any case.
   * @param log Told why the program ends where that was no signal.
   */
  constructor(atHangUp: "reload" | "end", log: Log) {
    this.#log = log;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.received = promise;
    this.#resolve = resolve;
    this.#listen("SIGINT", () => this.#take("SIGINT"));
    this.#listen("SIGTERM", () => this.#take("SIGTERM"));
    this.#listen("SIGQUIT", () => endAtOnce(SIGNAL_STATUS + constants.signals.SIGQUIT));
    if (atHangUp === "reload") takeHangUps(() => this.#hangUp());
    else if (areHangUpsIgnored(this.#terminal)) takeHangUps(() => {});
    else takeHangUps(() => this.#take("SIGHUP"));
    // A replay may be over before that is worth its time.
    if (atHangUp === "reload") this.#launcher = Launcher.find();
    this.#timer = setInterval(() => this.#look(), LOOK);
    Deno.unrefTimer(this.#timer);
  }

  /** From now on there is something to be brought to an end. */
  begin(): void {
    this.#hasBegun = true;
  }

  /** What a wish for a reload does, also one that came before. */
  set onReload(reload: () => void) {
    this.#reload = reload;
    if (this.#isReloadWanted) reload();
  }

  /** Ends the program as Ctrl-C does. */
  interrupt(): void {
    this.#take("SIGINT");
  }

  /** Stops listening. */
  close(): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
    ignoreHangUps();
    clearInterval(this.#timer);
  }

  #listen(name: Deno.Signal, listener: () => void): void {
    Deno.addSignalListener(name, listener);
    this.#listeners.push([name, listener]);
  }

  #hangUp(): void {
    this.#hungUpAt = performance.now();
    if (this.#terminal.isGone) this.#take("SIGHUP");
    else if (this.#reload !== null) this.#reload();
    else this.#isReloadWanted = true;
  }

  #take(name: "SIGINT" | "SIGTERM" | "SIGHUP"): void {
    const now = performance.now();
    if (this.status === 0) {
      this.status = SIGNAL_STATUS + constants.signals[name];
      this.#first = now;
      if (!this.#hasBegun) endAtOnce(this.status);
      this.#resolve();
    } else if (now - this.#first > ONE_SIGNAL) {
      // Whoever asks a second time does not want to wait for what is pending.
      endAtOnce(this.status);
    }
  }

  #look(): void {
    this.#launcher ??= Launcher.find();
    if (this.#launcher !== null && !this.#launcher.isGone) return;
    clearInterval(this.#timer);
    if (this.#launcher === null || this.status !== 0) return;
    // npx ends at the SIGHUP of a terminal that was closed even where nohup(1) has started it, which
    // the job got as a whole.
    if (performance.now() - this.#hungUpAt < 2 * LOOK) return;
    this.#log.warn(`${this.#launcher.name}, which started this, has ended: so does this`);
    this.#take("SIGTERM");
  }
}
