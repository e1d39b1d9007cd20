import type { TimeOrigin } from "../capture/time_origin.ts";
import { type Cidr, cidrText } from "../config/cidr.ts";
import { type LoadedConfig, readConfig } from "../config/load.ts";
import { Mapping } from "../config/mapping.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import type { DnsStatistics } from "../dns/dns_meter.ts";
import { lookupPorts, responsePorts } from "../model/dns_ports.ts";
import { hostName } from "./host_name.ts";
import { KnownNames } from "../dns/known_names.ts";
import { CarriedNameNumbers } from "../names/carried_name_numbers.ts";
import type { FlowExplainer } from "../names/flow_explainer.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { Engine, EngineStatistics } from "../engine/engine.ts";
import type { EngineMemory } from "../engine/engine_memory.ts";
import type { HttpAddress } from "../model/http_address.ts";
import type { LocalServices } from "../model/local_services.ts";
import type { ObservationBatch } from "../model/observation_batch.ts";
import { RECORD_WORDS, type RecordBatch } from "../model/record_batch.ts";
import type { ExportFormatName } from "../export/export_format_names.ts";
import type { IpfixAddress } from "../model/ipfix_address.ts";
import type { Log, LogLevel } from "../log.ts";
import { DeviceBook } from "../names/devices/device_book.ts";
import { DnsServices } from "../names/encrypted_dns/dns_services.ts";
import { DnsUsers } from "../names/encrypted_dns/dns_users.ts";
import type { FlushMeter } from "../metrics/flush_meter.ts";
import type { MetricsPlace } from "../metrics/metrics_server.ts";
import type { OwnSockets } from "../sink/own_sockets.ts";
import type { FlowTableSink } from "../sink/flow_table_sink.ts";
import type { LiveScreen } from "../sink/live_screen.ts";
import { OutputClosedError } from "../sink/output_closed_error.ts";
import type { PasswordFile } from "../sink/password_file.ts";
import { recordOf } from "../sink/record_of.ts";
import type { Heartbeat } from "../sink/heartbeat.ts";
import type { Sink } from "../sink/sink.ts";
import { UserError } from "../user_error.ts";
import { VERSION } from "../version.ts";
import { correctionText } from "../engine/correction_text.ts";
import { Meters } from "../workers/meters.ts";
import { complain } from "./complain.ts";
import { dnsOptionsOf } from "./dns_options_of.ts";
import { localAddressesOf } from "./local_addresses_of.ts";
import { beforeEndingAtOnce, endingWithUncaught } from "./ending.ts";
import { explainerOf } from "./explainer_of.ts";
import { openSinks, type Sinks } from "./open_sinks.ts";
import { clickHouseOf, type ClickHouseOptions, type ClickHousePlace } from "./clickhouse_place.ts";
import { type Store, storeOf } from "./store.ts";
import { type StoreFile, storeFileOf, type StoreFileOptions } from "./store_file.ts";
import { type NoFlowReason, whyNoFlows } from "./why_no_flows.ts";

/** Options of the command line that capture and replay have in common. */
export interface RunOptions extends StoreFileOptions, ClickHouseOptions {
  config?: string;
  /** A URL; `false` for no Redis at all. */
  redis?: string | false;
  redisPasswordFile?: PasswordFile;
  json?: boolean;
  /** The format of another program in which conversations are written in the place of lines of JSON. */
  format?: ExportFormatName;
  /** A collector of IPFIX. */
  ipfix?: IpfixAddress;
  filter?: string;
  /** Interval in seconds. */
  stats?: number;
  /** Where metrics are served, whatever the configuration says. */
  metrics?: HttpAddress;
  maxConversations: number;
  logLevel: LogLevel;
}

/** What a run is made for. */
export interface RunPurpose {
  readonly mode: "capture" | "replay";
  /** Names of the interfaces by their number, from 1, where packets come from such. */
  readonly interfaces?: readonly string[];
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
  /** The thread of a page, which keeps what it shows where there is no store. */
  readonly page?: Worker;
  /** What shows the table, if that is what shows flows. */
  readonly screen?: LiveScreen | null;
  /** The engine's memory, where sources put packets into it already. */
  readonly memory?: EngineMemory;
  /** Of the packets' times. By default, they are seconds since 1970-01-01 UTC. */
  readonly origin?: TimeOrigin;
}

/** A configuration as a run uses it. */
interface Loaded {
  readonly mapping: Mapping;
  readonly store: Store | null;
  readonly file: StoreFile | null;
  readonly clickHouse: ClickHousePlace | null;
  readonly source: LoadedConfig;
}

/** How a configuration that was read is run. */
type RunConfig = () => Promise<LoadedConfig>;

/** Observations that may wait in a sink before a replay waits for it. */
const MOST_PENDING = 100_000;
/** How often there is a record of a conversation that goes on, in seconds: for the table, for others. */
const TABLE_INTERVAL = 1;
const RECORD_INTERVAL = 60;
/** Only when they are over. */
const NEVER = 0xffff;
/** Bytes of theirs. What comes of the next packets must have room beside them. */
const MOST_PENDING_BYTES = 4 * 1024 * 1024;

/** What capture and replay are made of: the configuration, a meter, and the sinks behind it. */
export class Run {
  readonly meters: Meters;
  /** What clients looked up. */
  readonly names: KnownNames;
  /** The names that conversations carry. */
  readonly carried: CarriedNameNumbers;
  /** Which names flows have, and whether a lookup explains them. */
  readonly explainer: FlowExplainer;
  /** Which services are DNS that the name servers of the network don't see. */
  readonly #dnsServices: DnsServices;
  /** Who asks them. */
  readonly dnsUsers: DnsUsers;
  /** Who the hosts on the own networks are; `null` where that is not wanted. */
  readonly deviceBook: DeviceBook | null;
  /** Called when another configuration was loaded. */
  onReload: () => void = () => {};
  #isHurried = false;
  /** Whether the configuration was loaded when that was tried last. */
  isLoaded = true;
  /** Told of what comes, and of flushes. */
  flushMeter: FlushMeter | null = null;
  readonly #sinks: Sinks;
  readonly #log: Log;
  readonly #options: RunOptions;
  readonly #purpose: RunPurpose;
  readonly #flushing = new Map<Sink, Promise<void>>();
  #loaded: Loaded;
  #reloading: Promise<void> | null = null;
  /** The reload after that, for whatever changed meanwhile. */
  #nextReload: Promise<void> | null = null;
  readonly #forgetAbandoning: () => void;

  private constructor(
    loaded: Loaded,
    sinks: Sinks,
    explainer: FlowExplainer,
    names: KnownNames,
    carried: CarriedNameNumbers,
    dnsServices: DnsServices,
    deviceBook: DeviceBook | null,
    options: RunOptions,
    purpose: RunPurpose,
    log: Log,
  ) {
    this.#loaded = loaded;
    this.#sinks = sinks;
    this.#options = options;
    this.#purpose = purpose;
    this.#log = log;
    this.explainer = explainer;
    this.names = names;
    this.carried = carried;
    this.#dnsServices = dnsServices;
    this.dnsUsers = new DnsUsers({ services: dnsServices, names, carried });
    this.deviceBook = deviceBook;
    this.meters = new Meters({
      mapping: loaded.mapping,
      emit: (batch) => this.write(batch),
      emitNames: (writes, seconds) => this.writeNames(writes, seconds),
      onRecords: this.recordInterval === null ? undefined : (batch) => this.takeRecords(batch),
      recordInterval: this.recordInterval ?? undefined,
      hasFlowRecords: this.hasFlowRecords,
      onSeen: this.wantsSeen ? (batch) => this.see(batch) : undefined,
      names,
      carried: this.hasCarriedNames ? carried : undefined,
      onDesignated: (resolver) => dnsServices.learn(resolver),
      onAnnouncement: deviceBook === null
        ? undefined
        : (announcement, seconds) => deviceBook.learn(announcement, seconds),
      clock: purpose.mode === "capture" ? () => Date.now() / 1000 : undefined,
      maxConversations: options.maxConversations,
      memory: purpose.memory,
      ownConnections: this.sockets ?? undefined,
      localServices: purpose.localServices,
      onCorrection: log.isDebug
        ? (facts, before, after) => log.debug(correctionText(facts, before, after))
        : undefined,
    });
    this.#forgetAbandoning = beforeEndingAtOnce(() => this.#abandon());
    // A port that was ours may belong to another program next.
    if (this.sockets !== null) this.sockets.onEndpointsChanged = () => this.engine.declassify();
  }

  /**
   * Loads the configuration and opens the sinks.
   *
   * @param runConfig Runs the configuration, where it was read already.
   * @throws {UserError} for what is wrong with either.
   */
  static async open(
    options: RunOptions,
    purpose: RunPurpose,
    log: Log,
    runConfig?: RunConfig,
  ): Promise<Run> {
    const loaded = await load(runConfig ?? await readConfig(options.config), options, purpose, log);
    const { store, file, clickHouse, mapping } = loaded;
    const known = new KnownNames();
    const carried = new CarriedNameNumbers();
    const dnsServices = new DnsServices(dnsOptionsOf(mapping));
    const { mode, sources, origin, interfaces } = purpose;
    const start = mode === "capture" ? Math.floor(Date.now() / 1000) : undefined;
    const deviceBook = mapping.devices
      ? new DeviceBook({
        local: localAddressesOf(mapping),
        origin: () => origin?.seconds ?? 0,
      })
      : null;
    const { maxConversations } = options;
    const names = explainerOf(mapping, {
      ...{ known, carried, dnsServices, deviceBook, maxConversations, start },
    });
    const localNetworks = mapping.ourNets.map(cidrText);
    const { expected, onAlert, sensor, ipfix } = loaded.source.config;
    const run = {
      ...{ mode, sources, localNetworks, version: VERSION, hasRecords: true },
      sensor: sensor ?? hostName(),
    };
    if (expected !== null && localNetworks.length === 0) {
      log.warn(
        "expected: no own network is known, so nothing is an alert: name yours, or set ourNets",
      );
    }
    const { page, screen } = purpose;
    const settings = {
      ttl: mapping.ttl,
      // What is replayed may be from anywhere.
      sensor: sensor ?? (mode === "capture" ? run.sensor : undefined),
      ipfix: options.ipfix ?? ipfix,
      names,
      dnsServices,
      interfaces,
      origin,
      file,
      clickHouse,
      run,
      expected,
      onAlert,
      page,
      screen,
    };
    const sinks = await openSinks(mode, options, store, settings, log);
    const parts = [known, carried, dnsServices, deviceBook] as const;
    return new Run(loaded, sinks, names, ...parts, options, purpose, log);
  }

  /** Paths of all files that the configuration is made of. */
  get configFiles(): readonly string[] {
    return this.#loaded.source.files;
  }

  /** What the sensor is called. */
  get sensorName(): string {
    return this.#loaded.source.config.sensor ?? hostName();
  }

  /** Has Redis, if there is one, told how the sensor does. */
  setHeartbeat(make: (isOver: boolean) => Heartbeat): void {
    this.#sinks.redis?.setHeartbeat(this.sensorName, make);
  }

  /** The mapping, and where it comes from, in words. */
  get configuration(): { readonly mapping: Mapping; readonly description: string } {
    return { mapping: this.#loaded.mapping, description: this.#loaded.source.description };
  }

  /** Path of the store's file; `null` where there is none. */
  get storePath(): string | null {
    return this.#loaded.file === null ? null : this.#sinks.store?.path ?? null;
  }

  /** Whether files are written while it goes on: a store's, or what waits for a ClickHouse. */
  get writesFiles(): boolean {
    return this.storePath !== null || (this.#sinks.clickHouse?.hasSpool ?? false);
  }

  /** Seconds between flushes. */
  get flushInterval(): number {
    return this.#loaded.mapping.flushInterval;
  }

  /** What takes packets. */
  get engine(): Engine {
    return this.meters.engine;
  }

  /** What was counted of DNS; `null` where it is not read. */
  get dnsStatistics(): DnsStatistics | null {
    return this.meters.statistics().dns;
  }

  /** Which services are DNS that the name servers of the network don't see. */
  get dnsServices(): DnsServices {
    return this.#dnsServices;
  }

  /** The own networks, wherever they are named. */
  get ownNetworks(): readonly Cidr[] {
    return this.#loaded.mapping.ourNets;
  }

  /** The sensor's own connections; `null` when there are none, or none that can be seen. */
  get sockets(): OwnSockets | null {
    const { redis, clickHouse } = this.#sinks;
    // That of Redis is used by both.
    return this.#purpose.isLive ? (redis ?? clickHouse)?.sockets ?? null : null;
  }

  /** The table, where that is what shows flows. */
  get table(): FlowTableSink | null {
    return this.#sinks.table;
  }

  /** Why most of what a meter has counted gave no flow, if that is so. */
  whyNoFlows(flows: EngineStatistics): NoFlowReason[] {
    const { config } = this.#options;
    return whyNoFlows(flows, this.#loaded.mapping, [
      ...this.#purpose.ownNetworks.map(cidrText),
      ...(config === undefined ? [] : [`-c ${config}`]),
    ]);
  }

  /** Has the sinks take observations. The batch may be used again when this returns. */
  write(batch: ObservationBatch): void {
    this.flushMeter?.take();
    this.dnsUsers.take(batch);
    for (const sink of this.#sinks.all) sink.write(batch);
  }

  /** Whether it is shown when refusals were seen last, also those whose keys are suppressed. */
  get wantsSeen(): boolean {
    return this.#sinks.table !== null;
  }

  /** Has that shown. The batch may be used again when this returns. */
  see(batch: ObservationBatch): void {
    this.#sinks.table?.see(batch);
  }

  /**
   * How often records of conversations that go on are wanted, in seconds; `null` where no records are.
   */
  get recordInterval(): number | null {
    const { table, all } = this.#sinks;
    // A replay shows the table when all is over.
    if (table !== null) return this.#purpose.mode === "capture" ? TABLE_INTERVAL : NEVER;
    // Statistics say how many flows are explained.
    const isWanted = this.#options.stats !== undefined ||
      all.some((sink) => sink.takeRecords ?? sink.takeFigures);
    return isWanted ? RECORD_INTERVAL : null;
  }

  /** Whether observations are to come with records of their conversations. */
  get hasFlowRecords(): boolean {
    return this.#sinks.json || this.#sinks.table !== null;
  }

  /** Whether names that conversations carry are looked for: where nobody is told of them, they are not. */
  get hasCarriedNames(): boolean {
    return this.recordInterval !== null;
  }

  /** Has the sinks take records of conversations. The batch may be used again when this returns. */
  takeRecords(batch: RecordBatch): void {
    this.flushMeter?.take();
    const { all } = this.#sinks;
    this.explainer.count(batch);
    this.dnsUsers.takeRecords(batch);
    for (const sink of all) sink.takeFigures?.(batch);
    const sinks = all.filter((sink) => sink.takeRecords !== undefined);
    if (sinks.length === 0) return;
    const { interfaces, origin } = this.#purpose;
    const words = { names: this.explainer, dnsServices: this.#dnsServices, interfaces, origin };
    const records = Array.from(
      { length: batch.count },
      (_, i) => recordOf(batch.words, i * RECORD_WORDS, words),
    );
    for (const sink of sinks) sink.takeRecords!(records);
  }

  /** Has the sinks take writes of keys with names, which were seen in a second since 1970-01-01 UTC. */
  writeNames(writes: readonly NameWrite[], seconds: number): void {
    this.flushMeter?.take();
    for (const sink of this.#sinks.all) sink.writeNames(writes, seconds);
  }

  /** Observations that no sink has written yet. */
  get pending(): number {
    return this.#sinks.all.reduce((sum, sink) => sum + sink.pending, 0);
  }

  /** Where observations go. */
  get sinks(): readonly Sink[] {
    return this.#sinks.all;
  }

  /** Where metrics are to be served; `null` for nowhere. */
  get metricsPlace(): MetricsPlace | null {
    const { metrics } = this.#options;
    if (metrics !== undefined) return { address: metrics, place: "--metrics" };
    const { metrics: address, placeOf } = this.#loaded.source.config;
    return address === null ? null : { address, place: `${placeOf(["metrics"])}: metrics` };
  }

  /** Says that the end is near: nothing waits for a sink any more, but for a few seconds at the end. */
  hurry(): void {
    this.#isHurried = true;
    for (const sink of this.#sinks.all) sink.hurry();
  }

  /** Whether so much is pending that packets should wait for the sinks. */
  get isCongested(): boolean {
    return this.pending > MOST_PENDING ||
      this.#sinks.all.some(({ pendingBytes }) => pendingBytes > MOST_PENDING_BYTES);
  }

  /**
   * Has each sink write what it has; of one that is at it already, the end of that is waited for.
   *
   * @throws {UserError} when one can't write now or later.
   * @throws {OutputClosedError} when nobody reads standard output any more.
   */
  async flushSinks(): Promise<void> {
    await this.#emitDevices();
    await Promise.all(this.#sinks.all.map((sink) => this.#flush(sink)));
  }

  /**
   * Loads the configuration again, after a reload that is under way. If something is wrong with it,
   * the present one stays.
   */
  reload(): Promise<void> {
    if (this.#reloading === null) {
      return this.#reloading = this.#reload().finally(() => this.#reloading = null);
    }
    // One that was asked for meanwhile is enough, however often it was.
    return this.#nextReload ??= this.#reloading.then(() => {
      this.#nextReload = null;
      return this.reload();
    });
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
      result = await endingWithUncaught(work);
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
    const [flushed] = await Promise.allSettled([this.#end()]);
    const [devices] = await Promise.allSettled([this.#emitDevices(true)]);
    const closed = await Promise.allSettled(this.#sinks.all.map((sink) => sink.close()));
    const results = [flushed, devices, ...closed];
    this.#forgetAbandoning();
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  /** Has the sinks take all that is still to come, no faster than they can. */
  async #end(): Promise<void> {
    this.engine.end();
    for (const _ of this.engine.endingRecords()) {
      // A capture never waits, nor does who was told to end.
      if (this.#isHurried || this.#purpose.mode === "capture" || !this.isCongested) continue;
      // What one of them can't write it says when it is closed; the others take the rest.
      await Promise.allSettled(this.#sinks.all.map((sink) => this.#flush(sink)));
    }
  }

  /** Has the sinks take what is new of devices. */
  async #emitDevices(isLast = false): Promise<void> {
    const sinks = this.#sinks.all.filter(({ takeDevices }) => takeDevices !== undefined);
    if (this.deviceBook === null || sinks.length === 0) return;
    const records = await this.deviceBook.takeRecords(isLast);
    if (records.length === 0) return;
    for (const sink of sinks) sink.takeDevices!(records);
  }

  /** What is done where nothing can be waited for: the terminal is given back, and losses are said. */
  #abandon(): void {
    try {
      this.engine.flush();
    } finally {
      for (const sink of this.#sinks.all) {
        const error = sink.abandon("the program was ended at once");
        if (error !== null) complain(error.message);
      }
    }
  }

  #flush(sink: Sink): Promise<void> {
    let flushing = this.#flushing.get(sink);
    if (flushing === undefined) {
      const end = this.flushMeter?.begin(sink);
      flushing = sink.flush().finally(() => {
        this.#flushing.delete(sink);
        end?.();
      });
      this.#flushing.set(sink, flushing);
    }
    return flushing;
  }

  async #reload(): Promise<void> {
    try {
      const runConfig = await readConfig(this.#options.config, this.#loaded.source);
      const loaded = await load(runConfig, this.#options, this.#purpose, this.#log);
      const [after, before] = [loaded.store, this.#loaded.store];
      if (after?.url !== before?.url || after?.passwordFile?.path !== before?.passwordFile?.path) {
        this.#log.warn("redis of the configuration stays as it was until the next start");
      }
      if (loaded.source.config.sensor !== this.#loaded.source.config.sensor) {
        this.#log.warn("sensor of the configuration stays as it was until the next start");
      }
      if (responsePorts(loaded.mapping).join() !== this.meters.dnsPorts.join()) {
        this.#log.warn("dnsPorts and multicastDns stay as they were until the next start");
      }
      const { store, file, clickHouse, source } = this.#loaded;
      const places = [loaded.source, source].map(({ config }) => JSON.stringify(config.metrics));
      if (places[0] !== places[1] && this.#options.metrics === undefined) {
        this.#log.warn("metrics of the configuration stays as it was until the next start");
      }
      this.#loaded = { ...loaded, store, file, clickHouse };
      if (clickHouseText(loaded.clickHouse) !== clickHouseText(clickHouse)) {
        this.#log.warn("clickhouse of the configuration stays as it was until the next start");
      }
      if (loaded.file?.path !== file?.path) {
        this.#log.warn("store of the configuration stays as it was until the next start");
      }
      const localNetworks = loaded.mapping.ourNets.map(cidrText);
      this.#sinks.store?.setLocalNetworks(localNetworks);
      this.explainer.use(loaded.mapping.ourNets, lookupPorts(loaded.mapping));
      const { expected, onAlert } = loaded.source.config;
      this.#sinks.alerts?.expectations.set(expected, localNetworks);
      if (this.#sinks.alerts === null && expected !== null) {
        this.#log.warn(
          "expected was not in the configuration before; it counts from the next start",
        );
      }
      if (JSON.stringify(onAlert) !== JSON.stringify(source.config.onAlert)) {
        this.#log.warn("onAlert of the configuration stays as it was until the next start");
      }
      if (this.#sinks.redis !== null) this.#sinks.redis.ttl = loaded.mapping.ttl;
      this.meters.setMapping(loaded.mapping);
      this.isLoaded = true;
      this.#dnsServices.set(dnsOptionsOf(loaded.mapping));
      if (this.deviceBook !== null) this.deviceBook.local = localAddressesOf(loaded.mapping);
      if (loaded.mapping.devices !== (this.deviceBook !== null)) {
        this.#log.warn("devices of the configuration stays as it was until the next start");
      }
      this.onReload();
    } catch (error) {
      this.isLoaded = false;
      const message = error instanceof Error ? error.message : String(error);
      this.#log.error(`${message}; the configuration that was loaded before stays in place`);
      if (!(error instanceof UserError)) this.#log.debug(String((error as Error).stack));
    }
  }
}

/** What of it can't be changed while it is written to. */
function clickHouseText(place: ClickHousePlace | null): string | undefined {
  return JSON.stringify(
    place && [place.url, place.passwordFile?.path, place.spool, place.spoolSize],
  );
}

async function load(
  runConfig: RunConfig,
  options: RunOptions,
  purpose: RunPurpose,
  log: Log,
): Promise<Loaded> {
  const source = await runConfig();
  const { config, description } = source;
  log.info(`configuration: ${description}`);
  const store = storeOf(options, config);
  const file = storeFileOf(options, config);
  const clickHouse = clickHouseOf(options, config);
  const loaded = (networks: readonly Cidr[]) => {
    return { mapping: new Mapping(config, networks, log), store, file, clickHouse, source };
  };
  if (purpose.ownNetworks.length > 0) return loaded(purpose.ownNetworks);
  if (config.ourNets.length > 0) return loaded(config.ourNets);
  return loaded(parseOwnNetworks(purpose.defaultNetworks(), log));
}
