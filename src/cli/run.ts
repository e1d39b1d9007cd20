import { loadConfig } from "../config/load.ts";
import { Mapping } from "../config/mapping.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import { FlowMeter } from "../flow/flow_meter.ts";
import type { Log, LogLevel } from "../log.ts";
import type { Sink } from "../sink/sink.ts";
import { UserError } from "../user_error.ts";
import { openSinks, type Sinks } from "./open_sinks.ts";

/** Options of the command line that capture and replay have in common. */
export interface RunOptions {
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

/** Observations that may wait in a sink before a replay waits for it. */
const MOST_PENDING = 100_000;

/** What capture and replay are made of: the configuration, a meter, and the sinks behind it. */
export class Run {
  readonly meter: FlowMeter;
  readonly sinks: readonly Sink[];
  readonly #log: Log;
  readonly #options: RunOptions;
  readonly #ownNetworks: readonly string[];
  readonly #defaultNetworks: () => readonly string[];
  #mapping: Mapping;
  #flushing: Promise<void> | null = null;

  private constructor(parts: {
    mapping: Mapping;
    sinks: Sinks;
    mode: "capture" | "replay";
    options: RunOptions;
    ownNetworks: readonly string[];
    defaultNetworks: () => readonly string[];
    log: Log;
  }) {
    const { sinks, mode, options } = parts;
    this.#mapping = parts.mapping;
    this.#options = options;
    this.#ownNetworks = parts.ownNetworks;
    this.#defaultNetworks = parts.defaultNetworks;
    this.#log = parts.log;
    this.sinks = sinks.all;
    this.meter = new FlowMeter({
      mapping: parts.mapping,
      emit: (batch) => {
        for (const sink of this.sinks) sink.write(batch);
      },
      clock: mode === "capture" ? () => Math.floor(Date.now() / 1000) : undefined,
      maxConversations: options.maxConversations,
      ownConnections: sinks.redis?.sockets,
    });
    if (sinks.redis !== null) {
      // A port that was ours may belong to another program next.
      sinks.redis.sockets.onEndpointsChanged = () => this.meter.judgeAnew();
    }
  }

  /**
   * Loads the configuration and opens the sinks.
   *
   * @param ownNetworks As the command line names them.
   * @param defaultNetworks What they are where neither it nor the configuration names any.
   * @throws {UserError} for what is wrong with either.
   */
  static async open(
    mode: "capture" | "replay",
    options: RunOptions,
    ownNetworks: readonly string[],
    defaultNetworks: () => readonly string[],
    log: Log,
  ): Promise<Run> {
    const mapping = await loadMapping(options, ownNetworks, defaultNetworks, log);
    const sinks = await openSinks(mode, options, mapping, log);
    return new Run({ mapping, sinks, mode, options, ownNetworks, defaultNetworks, log });
  }

  /** Seconds between flushes. */
  get flushInterval(): number {
    return this.#mapping.flushInterval;
  }

  /** Observations that no sink has written yet. */
  get pending(): number {
    return this.sinks.reduce((sum, sink) => sum + sink.pending, 0);
  }

  /** Whether so much is pending that packets should wait for the sinks. */
  get isCongested(): boolean {
    return this.pending > MOST_PENDING;
  }

  /** Has the sinks write what they have; if they are at it already, waits for that. */
  flushSinks(): Promise<void> {
    this.#flushing ??= Promise.all(this.sinks.map((sink) => sink.flush()))
      .then(() => {})
      .finally(() => this.#flushing = null);
    return this.#flushing;
  }

  /** Loads the configuration again. If something is wrong with it, the present one stays. */
  async reload(): Promise<void> {
    try {
      const mapping = await loadMapping(
        this.#options,
        this.#ownNetworks,
        this.#defaultNetworks,
        this.#log,
      );
      const isSameStore = mapping.redis === this.#mapping.redis &&
        mapping.ttl === this.#mapping.ttl;
      if (!isSameStore) this.#log.warn("redis and ttl stay as they were until the next start");
      this.#mapping = mapping;
      this.meter.setMapping(mapping);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#log.error(`${error.message}; the configuration that was loaded before stays in place`);
    }
  }

  /**
   * Brings everything that was seen to its place.
   *
   * @throws {UserError} when a sink could not write all it had; the others have by then.
   */
  async close(): Promise<void> {
    this.meter.flush();
    const results = await Promise.allSettled(this.sinks.map((sink) => sink.close()));
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }
}

async function loadMapping(
  options: RunOptions,
  ownNetworks: readonly string[],
  defaultNetworks: () => readonly string[],
  log: Log,
): Promise<Mapping> {
  const { config, description } = await loadConfig(options.config);
  log.info(`configuration: ${description}`);
  const named = parseOwnNetworks(ownNetworks, log);
  if (named.length > 0) return new Mapping(config, named, log);
  if (config.ourNets.length > 0) return new Mapping(config, config.ourNets, log);
  return new Mapping(config, parseOwnNetworks(defaultNetworks(), log), log);
}
