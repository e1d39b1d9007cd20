import { type Cidr, cidrText } from "../config/cidr.ts";
import { loadConfig } from "../config/load.ts";
import { Mapping } from "../config/mapping.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import type { DnsStatistics } from "../dns/dns_meter.ts";
import { responsePorts } from "../dns/dns_ports.ts";
import { KnownNames } from "../dns/known_names.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { FlowMeter } from "../flow/flow_meter.ts";
import type { LocalServices } from "../flow/local_services.ts";
import type { ObservationBatch } from "../flow/observation_batch.ts";
import type { Log, LogLevel } from "../log.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import type { OwnSockets } from "../sink/own_sockets.ts";
import { OutputClosedError } from "../sink/output_closed_error.ts";
import { parseRedisUrl } from "../sink/redis_url.ts";
import type { Sink } from "../sink/sink.ts";
import { UserError } from "../user_error.ts";
import { VERSION } from "../version.ts";
import { correctionText } from "./correction_text.ts";
import { Meters } from "./meters.ts";
import { openSinks, type Sinks } from "./open_sinks.ts";
import { type StoreFile, storeFileOf, type StoreFileOptions } from "./store_file.ts";

/** Options of the command line that capture and replay have in common. */
export interface RunOptions extends StoreFileOptions {
  config?: string;
  /** A URL; `false` for no Redis at all. */
  redis?: string | false;
  json?: boolean;
  filter?: string;
  /** Interval in seconds. */
  stats?: number;
  maxConversations: number;
  logLevel: LogLevel;
}

/** What a run is made for. */
export interface RunPurpose {
  readonly mode: "capture" | "replay";
  /** Interfaces or files. */
  readonly sources: readonly string[];
  /** Whether packets come as they happen, so that the sensor's own may be among them. */
  readonly isLive: boolean;
  /** Own networks that the command line names. */
  readonly ownNetworks: readonly Cidr[];
  /** Own networks where neither it nor the configuration names any. */
  readonly defaultNetworks: () => readonly string[];
  /** What the host listens on, where packets are its own. */
  readonly localServices?: LocalServices;
}

/** The Redis that is written to. */
export interface Store {
  readonly url: string;
  /** Where the user wrote it, for messages. */
  readonly place: string;
}

/** A configuration as a run uses it. */
interface Loaded {
  readonly mapping: Mapping;
  readonly store: Store | null;
  readonly file: StoreFile | null;
}

/** Observations that may wait in a sink before a replay waits for it. */
const MOST_PENDING = 100_000;

/** What capture and replay are made of: the configuration, a meter, and the sinks behind it. */
export class Run {
  readonly meters: Meters;
  /** What clients looked up last. */
  readonly names: KnownNames;
  /** Called when another configuration was loaded. */
  onReload: () => void = () => {};
  readonly #sinks: Sinks;
  readonly #log: Log;
  readonly #options: RunOptions;
  readonly #purpose: RunPurpose;
  readonly #flushing = new Map<Sink, Promise<void>>();
  #loaded: Loaded;
  #reloading: Promise<void> = Promise.resolve();

  private constructor(
    loaded: Loaded,
    sinks: Sinks,
    names: KnownNames,
    options: RunOptions,
    purpose: RunPurpose,
    log: Log,
  ) {
    this.#loaded = loaded;
    this.#sinks = sinks;
    this.#options = options;
    this.#purpose = purpose;
    this.#log = log;
    this.names = names;
    this.meters = new Meters({
      mapping: loaded.mapping,
      emit: (batch) => this.write(batch),
      emitNames: (writes) => this.writeNames(writes),
      names,
      clock: purpose.mode === "capture" ? () => Math.floor(Date.now() / 1000) : undefined,
      maxConversations: options.maxConversations,
      ownConnections: this.sockets ?? undefined,
      localServices: purpose.localServices,
      onCorrection: log.isDebug
        ? (facts, before, after) => log.debug(correctionText(facts, before, after))
        : undefined,
    });
    // A port that was ours may belong to another program next.
    if (this.sockets !== null) this.sockets.onEndpointsChanged = () => this.meter.judgeAnew();
  }

  /**
   * Loads the configuration and opens the sinks.
   *
   * @throws {UserError} for what is wrong with either.
   */
  static async open(options: RunOptions, purpose: RunPurpose, log: Log): Promise<Run> {
    const loaded = await load(options, purpose, log);
    const { store, file, mapping } = loaded;
    const names = new KnownNames();
    const { mode, sources } = purpose;
    const localNetworks = mapping.ourNets.map(cidrText);
    const run = { mode, sources, localNetworks, version: VERSION, hasRecords: false };
    const settings = { ttl: mapping.ttl, names, file, run };
    const sinks = await openSinks(mode, options, store, settings, log);
    return new Run(loaded, sinks, names, options, purpose, log);
  }

  /** Seconds between flushes. */
  get flushInterval(): number {
    return this.#loaded.mapping.flushInterval;
  }

  /** The meter of flows. */
  get meter(): FlowMeter {
    return this.meters.flows;
  }

  /** What was counted of DNS; `null` where it is not read. */
  get dnsStatistics(): DnsStatistics | null {
    return this.meters.statistics().dns;
  }

  /** The own networks, wherever they are named. */
  get ownNetworks(): readonly Cidr[] {
    return this.#loaded.mapping.ourNets;
  }

  /** The sensor's own connections; `null` when there are none, or none that can be seen. */
  get sockets(): OwnSockets | null {
    return this.#purpose.isLive ? this.#sinks.redis?.sockets ?? null : null;
  }

  /** Has the sinks take observations. The batch may be used again when this returns. */
  write(batch: ObservationBatch): void {
    for (const sink of this.#sinks.all) sink.write(batch);
  }

  /** Has the sinks take writes of keys with names. */
  writeNames(writes: readonly NameWrite[]): void {
    for (const sink of this.#sinks.all) sink.writeNames(writes);
  }

  /** Has the sinks take records of conversations. */
  writeRecords(records: readonly ConversationRecord[]): void {
    for (const sink of this.#sinks.all) sink.takeRecords?.(records);
  }

  /** Observations that no sink has written yet. */
  get pending(): number {
    return this.#sinks.all.reduce((sum, sink) => sum + sink.pending, 0);
  }

  /** Whether so much is pending that packets should wait for the sinks. */
  get isCongested(): boolean {
    return this.pending > MOST_PENDING;
  }

  /**
   * Has each sink write what it has; of one that is at it already, the end of that is waited for.
   *
   * @throws {UserError} when one can't write now or later.
   * @throws {OutputClosedError} when nobody reads standard output any more.
   */
  async flushSinks(): Promise<void> {
    await Promise.all(this.#sinks.all.map((sink) => this.#flush(sink)));
  }

  /**
   * Loads the configuration again, after a reload that is under way. If something is wrong with it,
   * the present one stays.
   */
  reload(): Promise<void> {
    return this.#reloading = this.#reloading.then(() => this.#reload());
  }

  /**
   * Does the work of the run, then brings everything that was seen to its place, also when the work
   * ended with an error.
   *
   * @throws {UserError} when a sink could not write all it had; the others have by then.
   */
  async finish<Result>(work: () => Promise<Result>): Promise<Result> {
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      // That what was lost is told only where it is not what is told already.
      if (error instanceof OutputClosedError) await this.#close();
      else await this.#close().catch((second) => this.#log.debug(String(second.message)));
      throw error;
    }
    await this.#close();
    return result;
  }

  async #close(): Promise<void> {
    const work = [() => this.meter.flush(), ...this.#sinks.all.map((sink) => () => sink.close())];
    const results = await Promise.allSettled(work.map(async (close) => await close()));
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  #flush(sink: Sink): Promise<void> {
    let flushing = this.#flushing.get(sink);
    if (flushing === undefined) {
      flushing = sink.flush().finally(() => this.#flushing.delete(sink));
      this.#flushing.set(sink, flushing);
    }
    return flushing;
  }

  async #reload(): Promise<void> {
    try {
      const loaded = await load(this.#options, this.#purpose, this.#log);
      if (loaded.store?.url !== this.#loaded.store?.url) {
        this.#log.warn("redis of the configuration stays as it was until the next start");
      }
      if (responsePorts(loaded.mapping).join() !== this.meters.dnsPorts.join()) {
        this.#log.warn("dnsPorts and multicastDns stay as they were until the next start");
      }
      const before = this.#loaded;
      this.#loaded = { ...loaded, store: before.store, file: before.file };
      if (loaded.file?.path !== before.file?.path) {
        this.#log.warn("store of the configuration stays as it was until the next start");
      }
      this.#sinks.store?.setLocalNetworks(loaded.mapping.ourNets.map(cidrText));
      if (this.#sinks.redis !== null) this.#sinks.redis.ttl = loaded.mapping.ttl;
      this.meters.setMapping(loaded.mapping);
      this.onReload();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#log.error(`${message}; the configuration that was loaded before stays in place`);
      if (!(error instanceof UserError)) this.#log.debug(String((error as Error).stack));
    }
  }
}

async function load(options: RunOptions, purpose: RunPurpose, log: Log): Promise<Loaded> {
  const { config, description } = await loadConfig(options.config);
  log.info(`configuration: ${description}`);
  const store = storeOf(options, config.redis, config.placeOf(["redis"]));
  const file = storeFileOf(options, config);
  const networks = purpose.ownNetworks.length > 0
    ? purpose.ownNetworks
    : config.ourNets.length > 0
    ? config.ourNets
    : parseOwnNetworks(purpose.defaultNetworks(), log);
  return { mapping: new Mapping(config, networks, log), store, file };
}

function storeOf(options: RunOptions, configured: string | null, place: string): Store | null {
  if (options.redis === false) return null;
  if (options.redis !== undefined) return { url: options.redis, place: "--redis" };
  if (configured === null) return null;
  // Also when it is not used before the next start: what is wrong is said when it is loaded.
  parseRedisUrl(configured, place);
  return { url: configured, place };
}
