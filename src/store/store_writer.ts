import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ConversationRecord } from "../model/conversation_record.ts";
import { isGroupText } from "../model/group_address.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import { OBSERVATION_WORDS } from "../model/observation_batch.ts";
import type { DnsKind } from "../model/dns_kind.ts";
import { DnsServices } from "../names/encrypted_dns/dns_services.ts";
import { ConversationStates } from "./conversation_states.ts";
import { LatestValues } from "../model/latest_values.ts";
import { LocalAddresses } from "./local_addresses.ts";
import { CountedRows } from "./counted_rows.ts";
import { rollBack } from "./open_database.ts";
import { readName } from "./read_name.ts";
import { readObservations } from "./read_observations.ts";
import { spread } from "./spread.ts";
import { stepStart, USAGE_STEPS, VOLUME_STEPS } from "./steps.ts";
import type { FlowObservations, Refusals, StoreBatch } from "./store_batch.ts";
import type { RowCounts } from "../sink/row_counts.ts";
import type { StoreRun } from "./store_options.ts";
import { Totals, TOTALS_COLUMNS } from "./totals.ts";
import { withoutDot } from "./without_dot.ts";

/** Ids of services and usages that are remembered. */
const REMEMBERED_IDS = 16_384;
/** What is not written for an hour has ended, though its last record was lost. */
const FORGET_AFTER = 3_600_000;
/** States of conversations to which the server did not say a thing, or only no. */
const IN_VAIN: ReadonlySet<string> = new Set(["refused", "unreachable", "unanswered"]);

const SUM = TOTALS_COLUMNS.map((name) => `${name} = ${name} + excluded.${name}`).join(", ");
const TOTALS = TOTALS_COLUMNS.join(", ");
const MARKS = TOTALS_COLUMNS.map(() => "?").join(", ");

/** A service that a transaction writes. */
interface ServiceChange {
  readonly id: number;
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  isAnswered: boolean;
  first: number;
  last: number;
}

/** A usage that a transaction writes. */
interface UsageChange {
  readonly id: number;
  readonly client: string;
  readonly service: ServiceChange;
  by: string;
  name: string | null;
  origin: string | null;
  dns: DnsKind | null;
  first: number;
  last: number;
  answered: number;
  readonly totals: Totals;
  /** What is added to each step of time, by its begin. */
  readonly steps: Map<number, Totals>;
}

/** A row of `slice` that counts for another usage now. */
interface SliceRow {
  readonly first: number;
  readonly last: number;
  readonly packets_client: number;
  readonly packets_server: number;
  readonly bytes_client: number;
  readonly bytes_server: number;
}

/** Writes batches to a store, each in one transaction, and knows of conversations what is written. */
export class StoreWriter {
  readonly #database: DatabaseSync;
  #run: StoreRun;
  readonly #states = new ConversationStates();
  readonly #serviceIds = new LatestValues<number>(REMEMBERED_IDS);
  readonly #usageIds = new LatestValues<number>(REMEMBERED_IDS);
  readonly #statements: Statements;
  readonly #dns = new DnsServices();
  #local: LocalAddresses;
  #runId = 0;
  #nextService = 0;
  #nextUsage = 0;
  /** SQLite's `data_version`, which changes when another process has written. */
  #dataVersion = -1;
  #newest = 0;

  #services = new Map<number, ServiceChange>();
  #usages = new Map<number, UsageChange>();
  #names = new CountedRows();
  #aliases = new CountedRows();
  #refusals = new CountedRows();
  #volume = new Map<string, { time: number; direction: string; totals: Totals }>();

  /**
   * @param database Open for writing, see `openDatabase`.
   * @throws {Error} SQLite's.
   */
  constructor(database: DatabaseSync, run: StoreRun) {
    this.#database = database;
    this.#run = run;
    this.#local = new LocalAddresses(run.localNetworks);
    this.#dns.set({ local: this.#local });
    this.#statements = new Statements(database);
  }

  /** How many records of conversations that go on were left out; the last ones have their figures. */
  get deferred(): number {
    return this.#states.deferred;
  }

  /** The latest time of what was written, in milliseconds; 0 for none. */
  get newest(): number {
    return this.#newest;
  }

  /** Another set of own networks. What was written before stays as it is. */
  setLocalNetworks(networks: readonly string[]): void {
    this.#local = new LocalAddresses(networks);
  }

  /**
   * Has records of conversations say which services answered, from now on: what was written as keys before
   * the first of them did not.
   */
  expectRecords(): void {
    if (this.#run.hasRecords) return;
    this.#run = { ...this.#run, hasRecords: true };
    this.#database.exec("UPDATE service SET answered = 0");
  }

  /**
   * Writes a batch.
   *
   * @param losses What was given up of this run, up to now.
   * @throws {Error} SQLite's; nothing of the batch is written then.
   */
  write(batch: StoreBatch, losses: RowCounts, isLast = false): void {
    this.#clearChanges();
    this.#states.begin();
    const runBefore = this.#runId;
    try {
      // It waits for other writers, and fails where nothing can be written.
      this.#database.exec("BEGIN IMMEDIATE");
      this.#lookForOthers();
      const now = Date.now();
      if (this.#runId === 0) this.#runId = this.#statements.beginRun(this.#run, now);
      for (const record of batch.records) this.#takeRecord(record);
      readObservations(
        batch.words,
        batch.words.length / OBSERVATION_WORDS,
        (offset) => batch.flowNames[offset / OBSERVATION_WORDS] ?? null,
        batch.origin ?? 0,
        this,
      );
      for (const name of batch.names) readName(name, this);
      for (const flow of batch.observations ?? []) this.takeFlow(flow);
      for (const refusals of batch.refusals ?? []) this.takeRefusals(refusals);
      for (const device of batch.devices ?? []) this.#statements.putDevice(device);
      this.#writeChanges();
      this.#statements.flushRun(this.#runId, now, losses, isLast);
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#states.undo();
      this.#runId = runBefore;
      this.#dataVersion = -1;
      rollBack(this.#database);
      throw error;
    }
    this.#states.forgetOlder(Date.now() - FORGET_AFTER);
    this.#clearChanges();
  }

  #lookForOthers(): void {
    const version = this.#statements.dataVersion();
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.#serviceIds.clear();
    this.#usageIds.clear();
    this.#nextService = this.#statements.nextId("service");
    this.#nextUsage = this.#statements.nextId("usage");
  }

  #takeRecord(record: ConversationRecord): void {
    const before = this.#states.get(record.id);
    if (before === undefined && !record.isOver && this.#states.isFull) {
      this.#states.deferred++;
      return;
    }
    const service = this.#service(record.server, record.port, record.protocol, record.first);
    const usage = this.#usage(record.client, service, record.first);
    const isAnswered = !IN_VAIN.has(record.state);
    const isUnexplained = record.isExplained === false;
    if (before !== undefined && before.usage !== usage.id) {
      this.#correct(record, before.usage, before.client === record.server, usage);
      if (before.isAnswered) usage.answered++;
    }
    const last = this.#states.lastFigures(record, before);
    const slice = new Totals();
    slice.conversations = before === undefined ? 1 : 0;
    slice.unexplained = Number(isUnexplained) - Number(before?.isUnexplained ?? false);
    slice.packetsClient = record.packets[0] - last.packetsClient;
    slice.packetsServer = record.packets[1] - last.packetsServer;
    slice.bytesClient = record.bytes[0] - last.bytesClient;
    slice.bytesServer = record.bytes[1] - last.bytesServer;
    const first = before === undefined ? record.first : Math.min(before.last, record.last);

    const [name, ...others] = record.names;
    this.#statements.insertSlice(
      this.#runId,
      usage.id,
      first,
      record,
      slice,
      others.length === 0 ? null : others.map((it) => `${it.from}:${it.name}`).join(" "),
    );
    usage.answered += Number(isAnswered) - Number(before?.isAnswered ?? false);
    service.isAnswered ||= isAnswered;
    usage.by = record.by;
    usage.dns = record.dns ?? usage.dns;
    if (name !== undefined) {
      usage.name = name.name;
      usage.origin = name.from;
    }
    this.#add(usage, slice, first, record.last);
    const names = record.names.map((it) => `${it.from}:${it.name}`).join(" ");
    if (names !== before?.names) {
      for (const it of record.names) {
        this.#names.add([record.client, it.name, record.server, it.from], record.last);
      }
    }
    // Nobody answers as a group: whoever announces itself to one has not tried anything in vain.
    if (record.isOver && !isAnswered && !isGroupText(record.server)) {
      this.#refusals.add(
        [record.state, record.client, record.server, record.port, ""],
        record.last,
      );
    }
    this.#states.put(record, { usage: usage.id, isAnswered, isUnexplained, names });
  }

  /** Another evidence says who is the client: what is written of the conversation is made the new one's. */
  #correct(
    record: ConversationRecord,
    usageBefore: number,
    isTurned: boolean,
    usage: UsageChange,
  ): void {
    const rows = this.#statements.slicesOf(this.#runId, record.id);
    const before = this.#usageById(usageBefore);
    const state = this.#states.get(record.id)!;
    if (state.isAnswered) before.answered--;
    rows.forEach((row, i) => {
      const totals = new Totals();
      totals.conversations = i === 0 ? 1 : 0;
      totals.unexplained = i === 0 && state.isUnexplained ? 1 : 0;
      totals.packetsClient = row.packets_client;
      totals.packetsServer = row.packets_server;
      totals.bytesClient = row.bytes_client;
      totals.bytesServer = row.bytes_server;
      this.#add(before, totals, row.first, row.last, -1);
      const turned = new Totals();
      turned.add(totals);
      if (isTurned) {
        turned.packetsClient = totals.packetsServer;
        turned.packetsServer = totals.packetsClient;
        turned.bytesClient = totals.bytesServer;
        turned.bytesServer = totals.bytesClient;
      }
      this.#add(usage, turned, row.first, row.last);
    });
    this.#statements.moveSlices(this.#runId, record.id, usage.id, record.clientPort, isTurned);
    if (isTurned) this.#states.turn(record.id);
  }

  takeFlow(it: FlowObservations): void {
    const service = this.#service(it.server, it.port, it.protocol, it.time);
    const usage = this.#usage(it.client, service, it.time);
    service.isAnswered ||= !this.#run.hasRecords;
    usage.by = it.by;
    // Where there are records, they know better where a name comes from.
    if (it.name !== null && (usage.name === null || !this.#run.hasRecords)) {
      usage.name = withoutDot(it.name);
      usage.origin = it.nameOrigin ?? "lookup";
    }
    const totals = new Totals();
    totals.observations = it.count;
    this.#add(usage, totals, it.time, it.time);
  }

  takeRefusals({ kind, prober, target, port, reason, time, count }: Refusals): void {
    const values = [kind, prober, kind === "nx" ? withoutDot(target) : target, port, reason];
    this.#refusals.add(values, time, count);
  }

  takeAddress(client: string, name: string, address: string, time: number, count: number): void {
    this.#names.add([client, name, address, "lookup"], time, count);
  }

  takeAlias(client: string, name: string, target: string, time: number, count: number): void {
    this.#aliases.add([client, name, target], time, count);
  }

  #service(server: string, port: number, protocol: string, time: number): ServiceChange {
    const key = `${server} ${port} ${protocol}`;
    let id = this.#serviceIds.get(key) ?? this.#statements.serviceId(server, port, protocol);
    if (id === undefined) id = this.#nextService++;
    this.#serviceIds.set(key, id);
    let service = this.#services.get(id);
    if (service === undefined) {
      service = { id, server, port, protocol, isAnswered: false, first: time, last: time };
      this.#services.set(id, service);
    }
    return service;
  }

  #usage(client: string, service: ServiceChange, time: number): UsageChange {
    const key = `${client} ${service.id}`;
    let id = this.#usageIds.get(key) ?? this.#statements.usageId(client, service.id);
    if (id === undefined) id = this.#nextUsage++;
    this.#usageIds.set(key, id);
    return this.#usages.get(id) ?? this.#newUsage(id, client, service, time);
  }

  #usageById(id: number): UsageChange {
    const known = this.#usages.get(id);
    if (known !== undefined) return known;
    const row = this.#statements.usageRow(id);
    const service = this.#service(row.server, row.port, row.protocol, row.last);
    const usage = this.#newUsage(id, row.client, service, row.last);
    usage.by = row.by;
    return usage;
  }

  #newUsage(id: number, client: string, service: ServiceChange, time: number): UsageChange {
    const usage: UsageChange = {
      id,
      client,
      service,
      by: "none",
      name: null,
      origin: null,
      dns: null,
      first: time,
      last: time,
      answered: 0,
      totals: new Totals(),
      steps: new Map(),
    };
    this.#usages.set(id, usage);
    return usage;
  }

  /** Adds to a usage and to the traffic over time, or takes it away again. */
  #add(usage: UsageChange, totals: Totals, first: number, last: number, sign: 1 | -1 = 1): void {
    usage.totals.add(totals, sign);
    const { service } = usage;
    for (const one of [usage, service]) {
      one.first = Math.min(one.first, first);
      one.last = Math.max(one.last, last);
    }
    this.#newest = Math.max(this.#newest, last);
    const start = stepStart(last, USAGE_STEPS[0].seconds);
    let step = usage.steps.get(start);
    if (step === undefined) usage.steps.set(start, step = new Totals());
    step.add(totals, sign);
    const direction = this.#direction(usage.client, service.server);
    spread(totals, first, last, VOLUME_STEPS[0].seconds, (time, part) => {
      const key = `${time} ${direction}`;
      let volume = this.#volume.get(key);
      if (volume === undefined) {
        this.#volume.set(key, volume = { time, direction, totals: new Totals() });
      }
      volume.totals.add(part, sign);
    });
  }

  #direction(client: string, server: string): string {
    const isClientLocal = this.#local.has(client);
    const isServerLocal = this.#local.has(server);
    if (isClientLocal) return isServerLocal ? "local" : "out";
    return isServerLocal ? "in" : "other";
  }

  #writeChanges(): void {
    for (const service of this.#services.values()) {
      this.#statements.putService(service, this.#local.has(service.server));
    }
    for (const usage of this.#usages.values()) {
      this.#statements.putUsage(usage, usage.dns ?? this.#kindOf(usage));
    }
    for (const { values, first, last, count } of this.#names.values()) {
      this.#statements.putName.run(...values, first, last, count);
    }
    for (const { values, first, last, count } of this.#aliases.values()) {
      this.#statements.putAlias.run(...values, first, last, count);
    }
    for (const { values, first, last, count } of this.#refusals.values()) {
      this.#statements.putRefusal.run(...values, first, last, count);
    }
    for (const { time, direction, totals } of this.#volume.values()) {
      this.#statements.putVolume.run(VOLUME_STEPS[0].seconds, time, direction, ...totals.values());
    }
  }

  #kindOf({ client, name, service }: UsageChange): DnsKind | null {
    const { server, port, protocol } = service;
    if (!this.#dns.mayBe(port)) return null;
    return this.#dns.kindOf({ client, server, port, protocol, names: [name] });
  }

  #clearChanges(): void {
    this.#services = new Map();
    this.#usages = new Map();
    this.#names = new CountedRows();
    this.#aliases = new CountedRows();
    this.#refusals = new CountedRows();
    this.#volume = new Map();
  }
}

/** The store's statements, prepared. */
class Statements {
  readonly putName: StatementSync;
  readonly putAlias: StatementSync;
  readonly putRefusal: StatementSync;
  readonly putVolume: StatementSync;
  readonly #database: DatabaseSync;
  readonly #dataVersion: StatementSync;
  readonly #serviceId: StatementSync;
  readonly #usageId: StatementSync;
  readonly #usageRow: StatementSync;
  readonly #putService: StatementSync;
  readonly #putUsage: StatementSync;
  readonly #putStep: StatementSync;
  readonly #putDevice: StatementSync;
  readonly #forgetDevice: StatementSync;
  readonly #insertSlice: StatementSync;
  readonly #slicesOf: StatementSync;
  readonly #moveSlices: StatementSync;
  readonly #turnSlices: StatementSync;
  readonly #beginRun: StatementSync;
  readonly #flushRun: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const prepare = (sql: string) => database.prepare(sql);
    const times = "first = min(first, excluded.first), last = max(last, excluded.last)";
    const counted = `ON CONFLICT DO UPDATE SET ${times}, count = count + excluded.count`;
    this.putName = prepare(`INSERT INTO name VALUES (?, ?, ?, ?, ?, ?, ?) ${counted}`);
    this.putAlias = prepare(`INSERT INTO alias VALUES (?, ?, ?, ?, ?, ?) ${counted}`);
    this.putRefusal = prepare(`INSERT INTO refusal VALUES (?, ?, ?, ?, ?, ?, ?, ?) ${counted}`);
    this.putVolume = prepare(
      `INSERT INTO volume (step, time, direction, ${TOTALS}) VALUES (?, ?, ?, ${MARKS}) ` +
        `ON CONFLICT DO UPDATE SET ${SUM}`,
    );
    this.#dataVersion = prepare("PRAGMA data_version");
    this.#serviceId = prepare(
      "SELECT id FROM service WHERE server = ? AND port = ? AND protocol = ?",
    );
    this.#usageId = prepare("SELECT id FROM usage WHERE client = ? AND service = ?");
    this.#usageRow = prepare(
      "SELECT client, server, port, protocol, by, last FROM service_use WHERE usage = ?",
    );
    this.#putService = prepare(
      "INSERT INTO service (id, server, port, protocol, is_local, answered, first, last) " +
        `VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET ${times}, ` +
        "is_local = excluded.is_local, answered = max(answered, excluded.answered)",
    );
    this.#putUsage = prepare(
      "INSERT INTO usage (id, client, service, by, name, name_origin, encrypted_dns, first, last, " +
        `answered, ${TOTALS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${MARKS}) ` +
        `ON CONFLICT (id) DO UPDATE SET by = excluded.by, ${times}, ` +
        "name = coalesce(excluded.name, name), " +
        "name_origin = coalesce(excluded.name_origin, name_origin), " +
        "encrypted_dns = coalesce(excluded.encrypted_dns, encrypted_dns), " +
        `answered = answered + excluded.answered, ${SUM}`,
    );
    this.#putStep = prepare(
      `INSERT INTO usage_step (step, time, usage, ${TOTALS}) VALUES (?, ?, ?, ${MARKS}) ` +
        `ON CONFLICT DO UPDATE SET ${SUM}`,
    );
    this.#putDevice = prepare(
      "INSERT INTO device (address, hardware_address, vendor, name, origin, first, last) " +
        `VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET ${times}, ` +
        "vendor = coalesce(excluded.vendor, vendor), name = coalesce(excluded.name, name), " +
        "origin = CASE WHEN excluded.name IS NULL THEN origin ELSE excluded.origin END",
    );
    this.#forgetDevice = prepare(
      "DELETE FROM device WHERE address = ? AND hardware_address = ''",
    );
    this.#insertSlice = prepare(
      "INSERT INTO slice (run, conversation, usage, began, first, last, is_over, client_port, by, " +
        "state, packets_client, packets_server, bytes_client, bytes_server, flags_client, " +
        "flags_server, name, name_origin, other_names, interface, vlan, tunnel, explained, why) " +
        `VALUES (${Array(24).fill("?").join(", ")})`,
    );
    this.#slicesOf = prepare(
      "SELECT first, last, packets_client, packets_server, bytes_client, bytes_server " +
        "FROM slice WHERE run = ? AND conversation = ? ORDER BY id",
    );
    this.#moveSlices = prepare(
      "UPDATE slice SET usage = ?, client_port = ? WHERE run = ? AND conversation = ?",
    );
    this.#turnSlices = prepare(
      "UPDATE slice SET packets_client = packets_server, packets_server = packets_client, " +
        "bytes_client = bytes_server, bytes_server = bytes_client, " +
        "flags_client = flags_server, flags_server = flags_client " +
        "WHERE run = ? AND conversation = ?",
    );
    this.#beginRun = prepare(
      "INSERT INTO run (mode, sources, local_networks, version, started, flushed, sensor) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#flushRun = prepare(
      "UPDATE run SET flushed = ?, ended = ?, lost_records = ?, lost_observations = ?, " +
        "lost_names = ? WHERE id = ?",
    );
  }

  dataVersion(): number {
    return this.#dataVersion.get()!.data_version as number;
  }

  nextId(table: "service" | "usage"): number {
    const { id } = this.#database.prepare(`SELECT max(id) AS id FROM ${table}`).get()!;
    return (id as number | null ?? 0) + 1;
  }

  serviceId(server: string, port: number, protocol: string): number | undefined {
    return this.#serviceId.get(server, port, protocol)?.id as number | undefined;
  }

  usageId(client: string, service: number): number | undefined {
    return this.#usageId.get(client, service)?.id as number | undefined;
  }

  usageRow(id: number) {
    return this.#usageRow.get(id) as unknown as {
      client: string;
      server: string;
      port: number;
      protocol: string;
      by: string;
      last: number;
    };
  }

  putService(
    { id, server, port, protocol, isAnswered, first, last }: ServiceChange,
    isLocal: boolean,
  ) {
    this.#putService.run(
      id,
      server,
      port,
      protocol,
      Number(isLocal),
      Number(isAnswered),
      first,
      last,
    );
  }

  putUsage(usage: UsageChange, dns: DnsKind | null): void {
    this.#putUsage.run(
      usage.id,
      usage.client,
      usage.service.id,
      usage.by,
      usage.name,
      usage.origin,
      dns,
      usage.first,
      usage.last,
      usage.answered,
      ...usage.totals.values(),
    );
    for (const [start, totals] of usage.steps) {
      this.#putStep.run(USAGE_STEPS[0].seconds, start, usage.id, ...totals.values());
    }
  }

  /** A row for each of its addresses. */
  putDevice({ hardware, vendor, addresses, names }: DeviceRecord): void {
    const [name] = names;
    for (const { address, first, last } of addresses) {
      // It was known by its address alone before.
      if (hardware !== null) this.#forgetDevice.run(address);
      this.#putDevice.run(
        address,
        hardware ?? "",
        vendor,
        name?.name ?? null,
        name?.from ?? "",
        first,
        last,
      );
    }
  }

  insertSlice(
    run: number,
    usage: number,
    first: number,
    record: ConversationRecord,
    slice: Totals,
    otherNames: string | null,
  ): void {
    const [name] = record.names;
    this.#insertSlice.run(
      run,
      record.id,
      usage,
      record.first,
      first,
      record.last,
      Number(record.isOver),
      record.clientPort,
      record.by,
      record.state,
      slice.packetsClient,
      slice.packetsServer,
      slice.bytesClient,
      slice.bytesServer,
      record.flags[0],
      record.flags[1],
      name?.name ?? null,
      name?.from ?? null,
      otherNames,
      record.interface,
      record.vlan,
      record.tunnel,
      record.isExplained === null ? null : Number(record.isExplained),
      record.why,
    );
  }

  slicesOf(run: number, conversation: number): SliceRow[] {
    return this.#slicesOf.all(run, conversation) as unknown as SliceRow[];
  }

  moveSlices(
    run: number,
    conversation: number,
    usage: number,
    clientPort: number,
    isTurned: boolean,
  ): void {
    this.#moveSlices.run(usage, clientPort, run, conversation);
    if (isTurned) this.#turnSlices.run(run, conversation);
  }

  beginRun({ mode, sources, localNetworks, version, sensor = "" }: StoreRun, now: number): number {
    const { lastInsertRowid } = this.#beginRun.run(
      mode,
      sources.join(" "),
      localNetworks.join(" "),
      version,
      now,
      now,
      sensor,
    );
    return Number(lastInsertRowid);
  }

  flushRun(id: number, now: number, losses: RowCounts, isLast: boolean): void {
    const { records, observations, names } = losses;
    this.#flushRun.run(now, isLast ? now : null, records, observations, names, id);
  }
}
