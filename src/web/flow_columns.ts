import type { DatabaseSync, StatementSync } from "node:sqlite";
import { stepStart, USAGE_STEPS } from "../store/steps.ts";
import { AddressColumn } from "./address_column.ts";
import { CompactColumn } from "./compact_column.ts";
import { grown } from "./grown.ts";
import { TextColumn } from "./text_column.ts";

/** What a flow is, as bits. */
export const FLOW_BITS = { unexplained: 1, refused: 2, encrypted: 4 } as const;
/** What a service is, as bits. */
export const SERVICE_BITS = { local: 1, answered: 2 } as const;

/** Rows that are read at a time: what is larger stays in the engine's heap for long. */
const ROWS = 512;
/** Bytes of a flow, with what is counted on the way, and of a row of a step. */
const FLOW_BYTES = 60;
const STEP_ROW_BYTES = 26;
const SHORTEST = USAGE_STEPS[0].seconds;
/** What has no conversation is seen within this time; milliseconds. */
const HOT = SHORTEST * 1000;

/** Figures of a step's rows, as the page names them. */
const STEP_FIGURES = [
  "observations",
  "conversations",
  "unexplained",
  "packets_client",
  "packets_server",
  "bytes_client",
  "bytes_server",
] as const;

/** SQLite makes one text of many rows, which is read much faster than the rows. */
const arrays = (columns: readonly string[]) =>
  `json_array(${columns.map((it) => `json_group_array(${it})`).join(", ")}) AS arrays`;

const FLOW = "id, client, service, by, name, first, last, (unexplained > 0) + " +
  "2 * (conversations > 0 AND answered = 0) + 4 * (coalesce(encrypted_dns, 'DNS') <> 'DNS') AS bits";
const FLOW_ARRAYS = arrays(["id", "client", "service", "by", "name", "first", "last", "bits"]);
const SERVICE_ARRAYS = arrays([
  ...["id", "server", "port", "protocol", "is_local + 2 * (answered > 0)", "first"],
]);

/** Room for a number of each flow, which whoever counts something uses. */
export interface Scratch {
  readonly sums: Float64Array;
  readonly keys: Float64Array;
  readonly places: Int32Array;
  readonly flows: Uint32Array;
  readonly hits: Uint8Array;
}

/** Steps of one time: rows `from` to before `to`. */
export interface StepRows {
  /** In seconds, and when it begins in milliseconds. */
  readonly step: number;
  readonly time: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Flows of a store in memory, as columns of numbers: to look at each of a million takes some
 * milliseconds. A flow has a position, in the order of its `usage.id`.
 *
 * What is written later is added by {@linkcode FlowColumns.update}. What is corrected to another client,
 * or is dropped, is seen when they are read again.
 */
export class FlowColumns {
  readonly clients = new AddressColumn();
  readonly servers = new AddressColumn();
  readonly names = new TextColumn();
  readonly bys = new TextColumn();
  readonly protocols = new TextColumn();

  /** How many flows there are, and of each: */
  count = 0;
  ids = new Uint32Array();
  client = new Uint32Array();
  /** Number of the service in the columns of services. */
  service = new Uint32Array();
  by = new Uint16Array();
  name = new Uint32Array();
  bits = new Uint8Array();
  first = new Float64Array();
  last = new Float64Array();

  /** How many services there are, and of each: */
  services = 0;
  server = new Uint32Array();
  port = new Uint16Array();
  protocol = new Uint8Array();
  serviceBits = new Uint8Array();
  serviceFirst = new Float64Array();

  /** Rows of steps: position of the flow, and its figures. */
  rowFlow = new Uint32Array();
  readonly observations = new CompactColumn(2);
  readonly conversations = new CompactColumn(2);
  readonly unexplained = new CompactColumn(2);
  readonly packetsClient = new CompactColumn(4);
  readonly packetsServer = new CompactColumn(4);
  readonly bytesClient = new CompactColumn(4);
  readonly bytesServer = new CompactColumn(4);
  readonly #figures: readonly CompactColumn[] = [
    ...[this.observations, this.conversations, this.unexplained],
    ...[this.packetsClient, this.packetsServer, this.bytesClient, this.bytesServer],
  ];
  readonly steps: StepRows[] = [];
  /** Whether steps have all that there ever was, so that figures of all time are their sums. */
  isWhole = false;

  #scratch: Scratch | null = null;
  readonly #numbers = new Map<number, number>();
  readonly #database: DatabaseSync;
  readonly #nextFlows: StatementSync;
  readonly #someFlows: StatementSync;
  readonly #someServices: StatementSync;
  readonly #nextStep: StatementSync;
  readonly #step: StatementSync;
  readonly #newSlices: StatementSync;
  /** Steps that begin then or later are read again. */
  #hotFrom = 0;
  #lastSlice = 0;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#nextFlows = database.prepare(
      `SELECT ${FLOW_ARRAYS} FROM (SELECT ${FLOW} FROM usage WHERE id > ? ORDER BY id LIMIT ${ROWS})`,
    );
    this.#someFlows = database.prepare(
      `SELECT ${FLOW_ARRAYS} FROM (SELECT ${FLOW} FROM usage WHERE id IN ` +
        "(SELECT value FROM json_each(?)))",
    );
    this.#someServices = database.prepare(
      `SELECT ${SERVICE_ARRAYS} FROM service WHERE id IN (SELECT value FROM json_each(?))`,
    );
    this.#nextStep = database.prepare(
      "SELECT step, time FROM usage_step WHERE (step, time) > (?, ?) ORDER BY step, time LIMIT 1",
    );
    this.#newSlices = database.prepare(
      "SELECT min(first) AS first, max(id) AS id FROM slice WHERE id > ?",
    );
    this.#step = database.prepare(
      `SELECT ${arrays(["usage", ...STEP_FIGURES])} FROM (SELECT * FROM usage_step ` +
        `WHERE step = ? AND time = ? AND usage > ? ORDER BY usage LIMIT ${ROWS})`,
    );
  }

  /**
   * Reads a store, some thousand rows at a time: between them, others have their turn.
   *
   * @param mostBytes What they may take.
   * @yields After each part. In the end, the columns are returned; `null` where they would be too large.
   */
  static *read(
    database: DatabaseSync,
    mostBytes: number,
  ): Generator<void, FlowColumns | null> {
    const columns = new FlowColumns(database);
    const count = (table: string) =>
      Number(Object.values(database.prepare(`SELECT count(*) FROM ${table}`).get()!)[0]);
    const flows = count("usage");
    const stepRows = count("usage_step");
    if (flows * FLOW_BYTES + stepRows * STEP_ROW_BYTES > mostBytes) return null;
    columns.#growFlows(flows);
    columns.#growRows(stepRows);
    columns.#lastSlice = Number(
      Object.values(database.prepare("SELECT max(id) FROM slice").get()!)[0] ?? 0,
    );
    columns.#setHot();
    const isTooLarge = () =>
      columns.clients.bytes + columns.servers.bytes + columns.names.bytes +
          columns.count * FLOW_BYTES + stepRows * STEP_ROW_BYTES > mostBytes;
    while (columns.#readNext()) {
      if (isTooLarge()) return null;
      yield;
    }
    // Long steps come first, so that those that may change are the last ones.
    for (const { seconds } of USAGE_STEPS.toReversed()) {
      for (const time of columns.#times(seconds, -Infinity)) {
        columns.#readStep(seconds, time);
        yield;
      }
    }
    columns.update();
    columns.#setWhole();
    return columns;
  }

  /** Room that is used again and again: what is thrown away is there for long. */
  scratch(): Scratch {
    const length = this.count;
    if (this.#scratch === null || this.#scratch.keys.length < length) {
      // As there may soon be more.
      const room = this.ids.length;
      this.#scratch = {
        ...{ sums: new Float64Array(room), keys: new Float64Array(room) },
        ...{ places: new Int32Array(room), flows: new Uint32Array(room) },
        hits: new Uint8Array(room),
      };
    }
    return this.#scratch;
  }

  /** Takes what was written since. */
  update(): void {
    const { steps } = this;
    const { first, id } = this.#newSlices.get(this.#lastSlice) as Record<string, number | null>;
    this.#lastSlice = id ?? this.#lastSlice;
    // Of conversations that were not reported each minute, earlier steps change as well.
    const from = Math.min(this.#hotFrom, stepStart(first ?? Infinity, SHORTEST));
    while (steps.length > 0 && steps.at(-1)!.time >= from && isShort(steps.at(-1)!)) {
      steps.pop();
    }
    while (this.#readNext());
    const changed = new Set<number>();
    for (const time of this.#times(SHORTEST, from - 1)) {
      const rows = this.#readStep(SHORTEST, time);
      for (let row = rows.from; row < rows.to; row++) changed.add(this.ids[this.rowFlow[row]]);
    }
    const ids = [...changed];
    for (let i = 0; i < ids.length; i += ROWS) {
      this.#take(this.#someFlows, JSON.stringify(ids.slice(i, i + ROWS)), true);
    }
    this.#setHot();
  }

  #setHot(): void {
    const newest = Number(
      Object.values(
        this.#database.prepare("SELECT max(time) FROM usage_step WHERE step = ?").get(SHORTEST)!,
      )[0] ?? 0,
    );
    this.#hotFrom = newest - HOT;
  }

  #setWhole(): void {
    const { time = Infinity } = this.steps.reduce(
      (one: { time: number } | undefined, other) =>
        one === undefined || other.time < one.time ? other : one,
      undefined,
    ) ?? {};
    this.isWhole = this.first.subarray(0, this.count).every((first) => first >= time);
  }

  /** Times of steps of a length after a time, the oldest first. */
  *#times(seconds: number, after: number): Generator<number> {
    let at = Math.max(after, -Number.MAX_SAFE_INTEGER);
    for (;;) {
      const next = this.#nextStep.get(seconds, at) as { step: number; time: number } | undefined;
      if (next?.step !== seconds) return;
      yield at = next.time;
    }
  }

  /** @returns Whether there was anything. */
  #readNext(): boolean {
    return this.#take(this.#nextFlows, this.count === 0 ? 0 : this.ids[this.count - 1], false) > 0;
  }

  #take(statement: StatementSync, value: number | string, isChange: boolean): number {
    const [ids, clients, services, bys, names, firsts, lasts, bits] = parsed<
      [number[], string[], number[], string[], (string | null)[], number[], number[], number[]]
    >(statement.get(value));
    this.#readServices(
      isChange ? new Set(services) : new Set(services.filter((it) => !this.#numbers.has(it))),
    );
    if (!isChange) this.#growFlows(this.count + ids.length);
    for (const [i, id] of ids.entries()) {
      const at = isChange ? this.#positionOf(id, 0) : this.count++;
      this.ids[at] = id;
      this.client[at] = this.clients.numberOf(clients[i]);
      this.service[at] = this.#numbers.get(services[i])!;
      this.by[at] = this.bys.numberOf(bys[i]);
      this.name[at] = this.names.numberOf(names[i]);
      this.bits[at] = bits[i];
      this.first[at] = firsts[i];
      this.last[at] = lasts[i];
    }
    return ids.length;
  }

  #readServices(wanted: ReadonlySet<number>): void {
    if (wanted.size === 0) return;
    const [ids, servers, ports, protocols, bits, firsts] = parsed<
      [number[], string[], number[], string[], number[], number[]]
    >(this.#someServices.get(JSON.stringify([...wanted])));
    const most = this.services + ids.length;
    this.server = grown(this.server, most);
    this.port = grown(this.port, most);
    this.protocol = grown(this.protocol, most);
    this.serviceBits = grown(this.serviceBits, most);
    this.serviceFirst = grown(this.serviceFirst, most);
    for (const [i, id] of ids.entries()) {
      let at = this.#numbers.get(id);
      if (at === undefined) this.#numbers.set(id, at = this.services++);
      this.server[at] = this.servers.numberOf(servers[i]);
      this.port[at] = ports[i];
      this.protocol[at] = this.protocols.numberOf(protocols[i]);
      this.serviceBits[at] = bits[i];
      this.serviceFirst[at] = firsts[i];
    }
  }

  #readStep(step: number, time: number): StepRows {
    const from = this.steps.at(-1)?.to ?? 0;
    let to = from;
    let position = -1;
    for (let last = 0;;) {
      const [flows, ...figures] = parsed<number[][]>(this.#step.get(step, time, last));
      if (flows.length === 0) break;
      this.#growRows(to + flows.length);
      // Both are in the order of ids.
      for (const [i, id] of flows.entries()) {
        const found = this.#positionOf(last = id, position + 1);
        // Of what was just written, the flow is not read yet: it will be.
        if (found === -1) continue;
        position = found;
        this.rowFlow[to] = position;
        for (let figure = 0; figure < figures.length; figure++) {
          this.#figures[figure].set(to, figures[figure][i]);
        }
        to++;
      }
    }
    const rows = { step, time, from, to };
    this.steps.push(rows);
    return rows;
  }

  /** Where a flow is; -1 where it is not there. Those before `low` are not looked at. */
  #positionOf(id: number, low: number): number {
    const { ids } = this;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (ids[middle] === id) return middle;
      if (ids[middle] < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #growFlows(length: number): void {
    this.ids = grown(this.ids, length);
    this.client = grown(this.client, length);
    this.service = grown(this.service, length);
    this.by = grown(this.by, length);
    this.name = grown(this.name, length);
    this.bits = grown(this.bits, length);
    this.first = grown(this.first, length);
    this.last = grown(this.last, length);
  }

  #growRows(length: number): void {
    this.rowFlow = grown(this.rowFlow, length);
    for (const column of this.#figures) column.grow(length);
  }
}

function isShort({ step }: StepRows): boolean {
  return step === SHORTEST;
}

function parsed<Arrays>(row: unknown): Arrays {
  return JSON.parse((row as { arrays: string }).arrays) as Arrays;
}
