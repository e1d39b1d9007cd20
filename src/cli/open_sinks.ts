import type { AlertPlace } from "../config/alert_place.ts";
import { AlertSink } from "../alert/alert_sink.ts";
import { Expectations } from "../alert/expectations.ts";
import type { ExpectedService } from "../config/expected_service.ts";
import type { TimeOrigin } from "../capture/time_origin.ts";
import type { Log } from "../log.ts";
import type { DnsServices } from "../names/encrypted_dns/dns_services.ts";
import type { FlowNames } from "../sink/flow_names.ts";
import type { ExportFormatName } from "../export/export_format_names.ts";
import type { FormatSinkOptions } from "../export/format_sink.ts";
import type { IpfixAddress } from "../model/ipfix_address.ts";
import { FlowTableSink } from "../sink/flow_table_sink.ts";
import { JsonSink } from "../sink/json_sink.ts";
import type { LiveScreen } from "../sink/live_screen.ts";
import type { ClickHouseSink } from "../clickhouse/clickhouse_sink.ts";
import type { RedisSink } from "../sink/redis_sink.ts";
import type { SqliteStore } from "../store/sqlite_store.ts";
import type { StoreRun } from "../store/store_options.ts";
import type { Sink } from "../sink/sink.ts";
import type { ClickHousePlace } from "./clickhouse_place.ts";
import { openClickHouse } from "./open_clickhouse.ts";
import type { RunOptions } from "./run.ts";
import type { Store } from "./store.ts";
import type { StoreFile } from "./store_file.ts";

/** The sinks of a run. */
export interface Sinks {
  readonly all: readonly Sink[];
  readonly redis: RedisSink | null;
  readonly store: SqliteStore | null;
  readonly clickHouse: ClickHouseSink | null;
  readonly table: FlowTableSink | null;
  /** Whether observations become lines of JSON. */
  readonly json: boolean;
  readonly alerts: AlertSink | null;
}

/** What sinks are opened with. */
export interface SinkSettings {
  /** Seconds that a key lives in Redis. */
  readonly ttl: number;
  /** What the sensor is called in lines of JSON. */
  readonly sensor?: string;
  /** A collector of IPFIX. */
  readonly ipfix: IpfixAddress | null;
  /** Where the names of servers come from. */
  readonly names?: FlowNames;
  readonly dnsServices?: DnsServices;
  /** Names of interfaces by their number, from 1. */
  readonly interfaces?: readonly string[];
  /** From when on times are counted. */
  readonly origin?: TimeOrigin;
  /** That of the store. */
  readonly file: StoreFile | null;
  readonly clickHouse: ClickHousePlace | null;
  readonly run: StoreRun;
  readonly expected: readonly ExpectedService[] | null;
  readonly onAlert: readonly AlertPlace[];
  /** The thread of a page, which keeps what it shows itself where there is no store. */
  readonly page?: Worker;
  /** What shows the table while a capture goes on. */
  readonly screen?: LiveScreen | null;
}

/**
 * Opens Redis, the store and a ClickHouse if there are such to write to, and JSON lines if they are asked for; with
 * none of these the table on the terminal.
 *
 * @throws {UserError} when Redis refuses us, and in a replay also when it can't be reached.
 */
export async function openSinks(
  mode: "capture" | "replay",
  options: RunOptions,
  store: Store | null,
  {
    ttl,
    sensor,
    ipfix,
    names,
    dnsServices,
    interfaces,
    origin,
    file,
    clickHouse: place,
    run,
    expected,
    onAlert,
    page,
    screen,
  }: SinkSettings,
  log: Log,
): Promise<Sinks> {
  const redis = store === null ? null : await openRedis(mode, store, ttl, log);
  const all: Sink[] = [];
  if (redis !== null) all.push(redis);
  const sqlite = file === null ? null : await openStore(file, { names, run, origin }, log);
  if (sqlite !== null) all.push(sqlite);
  const clickHouse = place === null
    ? null
    : await openClickHouse(place, { names, run, origin, sockets: redis?.sockets }, log);
  if (clickHouse !== null) all.push(clickHouse);
  if (ipfix !== null) all.push(await openIpfix(ipfix, mode, log));
  const format = options.format === undefined
    ? null
    : await openFormat(options.format, { mode, origin, log }, run);
  if (format !== null) all.push(format);
  const json = options.json && format === null
    ? new JsonSink({ mode, sensor, names, dnsServices, interfaces, origin, log })
    : null;
  if (json !== null) all.push(json);
  const isLive = mode === "capture";
  const table = all.length > 0 ? null : new FlowTableSink({ isLive, screen, names, origin, log });
  if (table !== null) all.push(table);
  const memory = page === undefined || sqlite !== null
    ? null
    : await openMemory(page, { names, run, origin }, log);
  if (memory !== null) all.push(memory);
  const alerts = expected === null ? null : new AlertSink({
    expectations: new Expectations(expected, run.localNetworks),
    places: onAlert,
    origin,
    // Both write whole lines, which must not get into each other.
    printer: json ??
      (table === null && format === null ? new JsonSink({ mode, sensor, log }) : null),
    isPrinterShared: json !== null,
  }, log);
  if (alerts !== null) all.push(alerts);
  const isJson = json !== null;
  return { all, redis, table, json: isJson, store: sqlite ?? memory, clickHouse, alerts };
}

async function openStore(
  { path, place, retention }: StoreFile,
  options: { names?: FlowNames; run: StoreRun; origin?: TimeOrigin },
  log: Log,
): Promise<SqliteStore> {
  const { SqliteStore } = await import("../store/sqlite_store.ts");
  return await SqliteStore.open(path, { ...options, place, retention }, log);
}

async function openIpfix(
  address: IpfixAddress,
  mode: "capture" | "replay",
  log: Log,
): Promise<Sink> {
  const { IpfixSink } = await import("../export/ipfix/ipfix_sink.ts");
  return await IpfixSink.open(address, { mode }, log);
}

/** Lines in the format of another program, on standard output. */
async function openFormat(
  name: ExportFormatName,
  options: Omit<FormatSinkOptions, "format">,
  { localNetworks, sensor }: StoreRun,
): Promise<Sink> {
  const [{ EXPORT_FORMATS }, { FormatSink }, { LocalAddresses }] = await Promise.all([
    import("../export/export_formats.ts"),
    import("../export/format_sink.ts"),
    import("../store/local_addresses.ts"),
  ]);
  const local = localNetworks.length === 0 ? null : new LocalAddresses(localNetworks);
  const isLocal = local === null ? null : (address: string) => local.has(address);
  const format = EXPORT_FORMATS[name]({ isLocal, sensor: sensor ?? "" });
  return new FormatSink({ ...options, format });
}

/** What a page shows of a capture that has no store: conversations of the last hour. */
async function openMemory(
  memory: Worker,
  options: { names?: FlowNames; run: StoreRun; origin?: TimeOrigin },
  log: Log,
): Promise<SqliteStore> {
  const { SqliteStore } = await import("../store/sqlite_store.ts");
  const retention = { milliseconds: 3_600_000, bytes: 64 * 1024 * 1024 };
  return await SqliteStore.open("in memory", { ...options, memory, retention }, log);
}

async function openRedis(
  mode: "capture" | "replay",
  { url, ...login }: Store,
  ttl: number,
  log: Log,
): Promise<RedisSink> {
  // Whoever writes to no Redis does not pay for loading its client.
  const { RedisSink } = await import("../sink/redis_sink.ts");
  return await RedisSink.connect(url, { ttl, mode, ...login }, log);
}
