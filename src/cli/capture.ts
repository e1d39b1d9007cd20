import type { Direction } from "../../ffi/pcap_handle.ts";
import { giveUpPrivileges } from "../../ffi/privileges.ts";
import type { InterfaceSource } from "../capture/interface_source.ts";
import { ListeningSockets } from "../capture/listening_sockets.ts";
import { openInterfaces } from "../capture/open_interfaces.ts";
import { ownPrefixes } from "../capture/own_prefixes.ts";
import type { SourceChoice } from "../capture/source_choices.ts";
import { sourceKind } from "../capture/source_kind.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { partNamesAndNetworks } from "./names_and_networks.ts";
import { Run, type RunOptions } from "./run.ts";
import { ServiceManager } from "./service_manager.ts";
import { EndSignals } from "./signals.ts";
import { StartMemory } from "./start_memory.ts";
import { statisticsLine } from "./statistics.ts";

/** Options of the command line. */
export interface CaptureOptions extends RunOptions {
  snaplen: number;
  /** MiB. */
  buffer: number;
  promisc: boolean;
  direction: Direction;
  source: SourceChoice;
  /** The user to become once capture is open. */
  user?: string;
}

const WRONG_USAGE = 2;

/**
 * The command `capture`: takes packets from interfaces until a signal ends it.
 *
 * @param parameters Interfaces and own networks.
 * @returns The exit status.
 * @throws {UserError} for what is wrong at the start, and when no packets can be taken any more.
 */
export async function capture(
  parameters: readonly string[],
  options: CaptureOptions,
  log: Log,
): Promise<number> {
  const { names, networks } = partNamesAndNetworks(parameters);
  const ownNetworks = parseOwnNetworks(networks, log);
  if (names.length === 0) {
    throw new UserError(
      `capture: ${parameters.join(" ")} names no interface; "flosensor interfaces" lists them`,
      WRONG_USAGE,
    );
  }
  // Sources first: what they complain about is nearer to what was typed than a store that is away.
  const sources = openSources(names, options, log);
  const signals = new EndSignals();
  const localServices = new ListeningSockets(log);
  try {
    if (options.user !== undefined) {
      // What is loaded later may lie where only root may read.
      if (options.redis !== false) await import("../sink/redis_library.ts");
      // Before the configuration, whose code is not ours, is run.
      giveUpPrivileges(options.user);
      log.info(`privileges are given up: the user is ${options.user} now`);
    }
    const defaultNetworks = () => {
      const found = [...new Set(names.flatMap((name) => ownPrefixes(name)))];
      log.info(`own networks: ${found.join(", ") || "none"}, from the interfaces`);
      return found;
    };
    await localServices.start();
    const run = await Run.open(
      options,
      { mode: "capture", isLive: true, ownNetworks, defaultNetworks, localServices },
      log,
    );
    if (run.dnsPorts.length > 0) {
      for (const source of sources) source.takeMoreFrom(run.dnsPorts);
    }
    await new Capture(run, sources, options, log).run(signals);
    return 0;
  } finally {
    localServices.close();
    for (const source of sources) source.close();
    signals.close();
  }
}

function openSources(
  names: readonly string[],
  options: CaptureOptions,
  log: Log,
): InterfaceSource[] {
  const live = {
    snaplen: options.snaplen,
    bufferMebibytes: options.buffer,
    promiscuous: options.promisc,
    direction: options.direction,
    filter: options.filter ?? null,
    fanoutGroup: null,
  };
  return openInterfaces(sourceKind(options.source, log), names, () => live, log);
}

/** How long, in milliseconds, what the kernel still has is read after the signal to end. */
const DRAIN_PATIENCE = 1000;
/**
 * How long, in milliseconds, there must be no packet before all of it was read. The kernel keeps
 * packets back until a block is full, or libpcap's time-out of 100 ms has passed, once or twice.
 */
const DRAIN_QUIET = 300;

/** A capture that goes on. */
class Capture {
  readonly #run: Run;
  readonly #sources: readonly InterfaceSource[];
  readonly #options: CaptureOptions;
  readonly #log: Log;
  readonly #serviceManager = new ServiceManager();
  readonly #failure = Promise.withResolvers<never>();
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  /** Packets that were dropped, and how often an interface was away, at the last flush. */
  #gaps = 0;
  /** Until when packets are read, once a signal came. */
  #deadline = Infinity;

  constructor(run: Run, sources: readonly InterfaceSource[], options: CaptureOptions, log: Log) {
    this.#run = run;
    this.#sources = sources;
    this.#options = options;
    this.#log = log;
  }

  async run(signals: EndSignals): Promise<void> {
    const status = `capturing on ${this.#sources.map(({ name }) => name).join(", ")}`;
    this.#log.info(status);
    const reload = async () => {
      this.#serviceManager.reloading();
      await this.#run.reload();
      this.#serviceManager.ready(status);
    };
    const startMemory = new StartMemory();
    Deno.addSignalListener("SIGHUP", reload);
    const { stats } = this.#options;
    const statisticsTimer = stats === undefined
      ? undefined
      : setInterval(() => this.#log.info(this.#statistics()), stats * 1000);
    this.#serviceManager.ready(status);
    try {
      await this.#run.finish(() => this.#capture(signals));
    } finally {
      startMemory.close();
      Deno.removeSignalListener("SIGHUP", reload);
      clearInterval(statisticsTimer);
      this.#log.info(this.#statistics());
    }
  }

  async #capture(signals: EndSignals): Promise<void> {
    this.#flushAfterInterval();
    try {
      const reading = Promise.all(this.#sources.map((source) => this.#read(source)));
      await Promise.race([signals.received, this.#failure.promise, reading]);
      this.#serviceManager.stopping();
      this.#deadline = performance.now() + DRAIN_PATIENCE;
      await Promise.race([this.#failure.promise, reading]);
    } finally {
      clearTimeout(this.#flushTimer);
      // Reading has ended, or goes on in the sources that did not fail.
      for (const source of this.#sources) source.close();
    }
  }

  async #read(source: InterfaceSource): Promise<void> {
    let quietSince = Infinity;
    for (let batch; (batch = await source.next()) !== null;) {
      this.#run.meter.take(batch);
      if (this.#deadline === Infinity) continue;
      const now = performance.now();
      quietSince = batch.count > 0 ? now : Math.min(quietSince, now);
      if (now > this.#deadline || now - quietSince > DRAIN_QUIET) return;
    }
  }

  /** The interval may be another after each reload. */
  #flushAfterInterval(): void {
    this.#flushTimer = setTimeout(() => {
      this.#flushAfterInterval();
      this.#noteGaps();
      this.#run.meter.flush();
      this.#run.flushSinks().catch((error) => this.#failure.reject(error));
    }, this.#run.flushInterval * 1000);
  }

  /** What the sensor has not seen may have been the first packets of what it sees now. */
  #noteGaps(): void {
    let gaps = 0;
    for (const source of this.#sources) {
      const { droppedByKernel, droppedByInterface } = source.statistics();
      gaps += droppedByKernel + droppedByInterface + source.returns;
    }
    if (gaps !== this.#gaps) this.#run.meter.noteGap();
    this.#gaps = gaps;
  }

  #statistics(): string {
    const sources = this.#sources.map((source) => source.statistics());
    const { meter, pending, dnsStatistics } = this.#run;
    return statisticsLine(sources, meter.statistics(), pending, dnsStatistics);
  }
}
