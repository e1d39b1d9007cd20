import { FilteredSource } from "../capture/filtered_source.ts";
import type { PacketSource } from "../capture/packet_source.ts";
import { SavefileSource } from "../capture/savefile_source.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { partNamesAndNetworks } from "./names_and_networks.ts";
import { Progress } from "./progress.ts";
import { Run, type RunOptions } from "./run.ts";
import { EndSignals } from "./signals.ts";
import { statisticsLine } from "./statistics.ts";

const WRONG_USAGE = 2;

/**
 * The command `replay`: reads saved captures one after the other, on their own time.
 *
 * @param parameters Files and own networks.
 * @returns The exit status: 1 if one of the files could not be read to its end.
 * @throws {UserError} for all that concerns more than one file.
 */
export async function replay(
  parameters: readonly string[],
  options: RunOptions,
  log: Log,
): Promise<number> {
  const { names, networks } = partNamesAndNetworks(parameters);
  if (names.length === 0) {
    throw new UserError(
      `replay: ${parameters.join(" ")} names no file; give one, or - for standard input`,
      WRONG_USAGE,
    );
  }
  const noNetworks = () => {
    log.info(
      "no own network is named: there will be no rst and icmp keys, and nothing is suppressed",
    );
    return [];
  };
  const run = await Run.open("replay", options, networks, noNetworks, log);
  const signals = new EndSignals();
  const replayed = new Replay(run, options, log, signals);
  let status = 0;
  try {
    for (const name of names) {
      if (signals.status === 0 && !await replayed.file(name)) status = 1;
    }
  } finally {
    replayed.end();
    await run.close();
    signals.close();
  }
  return signals.status === 0 ? status : signals.status;
}

/** The files of one run, and what is counted over all of them. */
class Replay {
  readonly #run: Run;
  readonly #options: RunOptions;
  readonly #log: Log;
  readonly #signals: EndSignals;
  readonly #sources: PacketSource[] = [];
  readonly #statisticsTimer: ReturnType<typeof setInterval> | undefined;

  constructor(run: Run, options: RunOptions, log: Log, signals: EndSignals) {
    this.#run = run;
    this.#options = options;
    this.#log = log;
    this.#signals = signals;
    if (options.stats !== undefined) {
      this.#statisticsTimer = setInterval(() => log.info(this.#statistics()), options.stats * 1000);
    }
  }

  /** @returns Whether it could be read to its end. */
  async file(name: string): Promise<boolean> {
    let source: SavefileSource | undefined;
    const progress = new Progress();
    try {
      source = SavefileSource.open(name);
      await this.#read(source, progress);
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      progress.clear();
      this.#log.error(error.message);
      return false;
    } finally {
      progress.clear();
      source?.close();
    }
  }

  end(): void {
    clearInterval(this.#statisticsTimer);
    this.#run.meter.flush();
    this.#log.info(this.#statistics());
  }

  async #read(source: SavefileSource, progress: Progress): Promise<void> {
    const { meter } = this.#run;
    const { filter } = this.#options;
    const packets: PacketSource = filter === undefined
      ? source
      : new FilteredSource(source, filter);
    this.#sources.push(packets);
    const ended = this.#signals.received.then(() => null);
    while (this.#signals.status === 0) {
      // Standard input may have nothing for long: a signal must not wait for it.
      const batch = await Promise.race([packets.next(), ended]);
      if (batch === null) return;
      meter.take(batch);
      if (this.#run.isCongested) await this.#run.flushSinks();
      if (progress.isDue) {
        progress.show(source);
        // Timers and signals have their turn.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
  }

  #statistics(): string {
    const sources = this.#sources.map((source) => source.statistics());
    return statisticsLine(sources, this.#run.meter.statistics(), this.#run.pending);
  }
}
