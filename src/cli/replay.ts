import { filtered } from "../capture/filtered.ts";
import type { PacketBatch } from "../capture/packet_batch.ts";
import { isPipe } from "../capture/pipe.ts";
import type { PacketSource } from "../capture/packet_source.ts";
import { SavefileSource } from "../capture/savefile_source.ts";
import { TimeOrigin } from "../capture/time_origin.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import type { Log } from "../log.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { beforeEndingAtOnce } from "./ending.ts";
import { isFile } from "./is_file.ts";
import { partNamesAndNetworks, sayFilesAmong } from "./names_and_networks.ts";
import { Progress } from "./progress.ts";
import { refuseMistakenNames } from "./refuse_mistaken_names.ts";
import { Run, type RunOptions } from "./run.ts";
import { watchLoop } from "../workers/watch_loop.ts";
import { EndSignals } from "./signals.ts";
import { sensorCounts } from "./sensor_counts.ts";
import { statisticsLine } from "./statistics.ts";

/**
 * The command `replay`: reads saved captures one after the other, on their own time.
 *
 * @param parameters Files and own networks.
 * @returns The exit status: 1 if one of the files could not be read to its end, 128 and the number
 * of the signal if one ended it.
 * @throws {UserError} for what is wrong at the start, and when a sink can't be written to.
 */
export async function replay(
  parameters: readonly string[],
  options: RunOptions,
  log: Log,
): Promise<number> {
  const { names, networks } = partNamesAndNetworks(parameters);
  const ownNetworks = parseOwnNetworks(networks, log);
  if (names.length === 0) throw nothingToReplay(parameters);
  sayFilesAmong(networks, log);
  refuseMistakenNames(parameters, names, "files", options.filter);
  const origin = new TimeOrigin();
  origin.settle(...await tryFiles(names, options.filter));
  const defaultNetworks = () => {
    log.info(
      "no own network is named: there will be no rst and icmp keys, and nothing is suppressed",
    );
    return [];
  };
  const isLive = names.some(isPipe);
  const run = await Run.open(
    options,
    { mode: "replay", sources: names, isLive, ownNetworks, defaultNetworks, origin },
    log,
  );
  return await new Replay(run, options, origin, log).run(names);
}

function nothingToReplay(parameters: readonly string[]): UserError {
  const what = parameters.length === 0
    ? "no file is named"
    : `${parameters.join(" ")} names no file`;
  const file = parameters.find(isFile);
  const wayOut = file === undefined
    ? "give one, or - for standard input"
    : `for the file that is called like an own network write ./${file}`;
  return new UserError(`replay: ${what}; ${wayOut}`, WRONG_USAGE);
}

/**
 * Reads the beginning of each file, so that what was mistyped is said at once, and not when all that
 * comes before was replayed.
 *
 * @returns When they begin, in seconds since 1970-01-01 UTC.
 * @throws {UserError} when one can't be opened or is no capture, or when the filter is wrong.
 */
async function tryFiles(names: readonly string[], filter: string | undefined): Promise<number[]> {
  const times: number[] = [];
  for (const name of names) {
    // What comes out of a pipe can be read once only.
    if (isPipe(name)) continue;
    const source = SavefileSource.open(name);
    try {
      const batch = await (await filtered(source, filter)).next();
      if (batch !== null && batch.count > 0) times.push(batch.seconds[0] + source.origin.seconds);
    } finally {
      source.close();
    }
  }
  return times;
}

/** Says why a capture that was read to its end had no packets. */
async function whyEmpty(name: string, filter: string | undefined): Promise<string> {
  const capture = name === "-" ? "standard input" : name;
  if (filter === undefined) return `${capture}: has no packets`;
  if (isPipe(name)) return `${capture}: has no packets that --filter '${filter}' lets through`;
  const source = SavefileSource.open(name);
  try {
    const isEmpty = await source.next() === null;
    return isEmpty
      ? `${capture}: has no packets`
      : `${capture}: --filter '${filter}' lets none of its packets through`;
  } finally {
    source.close();
  }
}

/** How long, in milliseconds, a pipe is still read after the signal to end: its writer ends too. */
const DRAIN_PATIENCE = 1000;
/** How long, in milliseconds, a signal may be on its way to us. */
const SIGNAL_PATIENCE = 100;

/** The files of one run, and what is counted over all of them. */
class Replay {
  readonly #run: Run;
  readonly #options: RunOptions;
  readonly #origin: TimeOrigin;
  readonly #log: Log;
  readonly #signals: EndSignals;
  readonly #progress = new Progress();
  readonly #sources: Pick<PacketSource, "name" | "statistics">[] = [];
  /** What is being read. */
  #source: SavefileSource | null = null;
  /** Whether a pipe's next packets are waited for, and since the last flush there were none. */
  #isWaiting = false;
  #isIdle = false;
  /** What a flush threw between two batches. */
  #failure: { readonly error: unknown } | null = null;

  constructor(run: Run, options: RunOptions, origin: TimeOrigin, log: Log) {
    this.#run = run;
    this.#origin = origin;
    this.#options = options;
    this.#log = log;
    this.#signals = new EndSignals("end", log);
    this.#signals.begin();
    beforeEndingAtOnce(() => this.#progress.clear());
  }

  async run(names: readonly string[]): Promise<number> {
    const { stats, config } = this.#options;
    const { hasFunctions } = this.#run.configuration.mapping;
    const loopWatch = hasFunctions ? watchLoop(config, false) : null;
    const timers = [setInterval(() => this.#flush(), this.#run.flushInterval * 1000)];
    if (stats !== undefined) timers.push(setInterval(() => this.#sayStatistics(), stats * 1000));
    let drainTimer: ReturnType<typeof setTimeout> | undefined;
    this.#signals.received.then(() => {
      this.#run.hurry();
      const source = this.#source;
      if (source?.size === 0) drainTimer = setTimeout(() => source.close(), DRAIN_PATIENCE);
      else source?.close();
    });
    try {
      const isWhole = await this.#run.finish(() => this.#files(names));
      return this.#signals.status || (isWhole ? 0 : 1);
    } finally {
      loopWatch?.close();
      for (const timer of timers) clearInterval(timer);
      clearTimeout(drainTimer);
      this.#signals.close();
      this.#sayStatistics();
      const { flows } = this.#run.meters.statistics();
      for (const { text } of this.#run.whyNoFlows(flows)) this.#log.warn(text);
    }
  }

  /** @returns Whether all could be read to their end. */
  async #files(names: readonly string[]): Promise<boolean> {
    let isWhole = true;
    for (const name of names) {
      if (this.#signals.status !== 0) break;
      try {
        await this.#file(name);
      } catch (error) {
        if (!(error instanceof UserError) || this.#failure !== null) throw error;
        this.#log.error(error.message);
        isWhole = false;
      }
    }
    return isWhole;
  }

  async #file(name: string): Promise<void> {
    const { filter } = this.#options;
    try {
      const pipe = await this.#openPipe(name);
      if (this.#signals.status !== 0) return;
      const batch = this.#run.engine.newBatch();
      // A filter goes by the index.
      if (filter !== undefined) batch.taker = null;
      const source = SavefileSource.open(name, batch, this.#origin, pipe ?? undefined);
      this.#source = source;
      const packets = await filtered(source, filter);
      await this.#read(packets);
      const isEmpty = packets.statistics().received === 0 && this.#signals.status === 0;
      if (isEmpty) this.#log.warn(await whyEmpty(name, filter));
    } finally {
      this.#sayUntoldTimes(name);
      this.#source?.close();
      this.#source = null;
      this.#progress.clear();
    }
  }

  #sayUntoldTimes(name: string): void {
    const { untold } = this.#origin;
    if (untold === 0) return;
    this.#origin.untold = 0;
    this.#log.warn(
      `${name}: ${untold} packets have times outside of the 136 years from ` +
        `${
          new Date(this.#origin.seconds * 1000).toISOString().slice(0, -"T00:00:00.000Z".length)
        } ` +
        "on: they count as seen at its beginning or its end",
    );
  }

  /**
   * Opens a named pipe, which waits until somebody writes into it, or a signal comes: who opens it as a
   * file waits as well, and hears no signal meanwhile.
   *
   * @returns `null` for anything else, and for what can't be opened.
   */
  async #openPipe(name: string): Promise<Deno.FsFile | null> {
    if (name === "-" || !isPipe(name)) return null;
    // Why it can't be is said where it is opened as a file.
    const opening = Deno.open(name).catch(() => null);
    return await Promise.race([opening, this.#signals.received.then(() => null)]);
  }

  async #read(packets: PacketSource): Promise<void> {
    this.#sources.push(packets);
    for (let batch; (batch = await this.#next(packets)) !== null;) {
      this.#run.engine.take(batch);
      if (this.#run.isCongested) await this.#run.flushSinks().catch((error) => this.#fail(error));
      if (this.#progress.isDue) {
        this.#progress.show(this.#source!);
        // Timers and signals have their turn.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      if (this.#failure !== null) throw this.#failure.error;
    }
    if (this.#failure !== null) throw this.#failure.error;
  }

  async #next(packets: PacketSource): Promise<PacketBatch | null> {
    this.#isWaiting = true;
    try {
      return await packets.next();
    } catch (error) {
      if (!(error instanceof UserError) || this.#source?.size !== 0) throw error;
      // A pipe whose writer was ended as we were may well end within a packet, and be seen to end
      // before the signal is.
      await new Promise((resolve) => setTimeout(resolve, SIGNAL_PATIENCE));
      if (this.#signals.status !== 0) return null;
      throw error;
    } finally {
      this.#isWaiting = this.#isIdle = false;
    }
  }

  /** Also while a pipe has nothing: what came out of it before is not kept back until it has. */
  #flush(): void {
    if (this.#isWaiting && this.#isIdle) this.#run.engine.flush();
    this.#isIdle = true;
    this.#run.flushSinks().catch((error) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#source?.close();
  }

  #sayStatistics(): void {
    this.#progress.clear();
    const { engine, names, sinks, dnsStatistics, explainer, dnsUsers, deviceBook } = this.#run;
    const counts = sensorCounts({
      sources: this.#sources.map((source) => [source.name, source.statistics()]),
      engine: engine.statistics(),
      sinks,
      dns: dnsStatistics,
      forgottenNames: names.forgotten,
      explained: explainer.statistics(),
      dnsUsers,
      devices: deviceBook?.counts() ?? null,
    });
    this.#log.info(statisticsLine(counts));
  }
}
