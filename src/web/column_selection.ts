import { USAGE_STEPS } from "../store/steps.ts";
import { columnFilter } from "./column_filter.ts";
import type { CompactColumn } from "./compact_column.ts";
import type { Filter } from "./filter.ts";
import { FLOW_BITS, type FlowColumns, SERVICE_BITS, type StepRows } from "./flow_columns.ts";
import { nthValue } from "./nth_value.ts";
import type { EndFigures, Figures, FlowSort, ServiceRow } from "./page_data.ts";
import type { ChosenTotals } from "./store_query.ts";

const SHORTEST = USAGE_STEPS[0].seconds;

/** Bytes that the ends sent in a step of time, and how often flows were seen. */
export interface SelectedStep {
  readonly step: number;
  readonly time: number;
  readonly observations: number;
  readonly bytesClient: number;
  readonly bytesServer: number;
}

/** A flow, by its `usage.id`, with its figures. */
export interface SelectedFlow extends Figures {
  readonly usage: number;
}

/** A service, by its number in the columns, with what was used of it. */
export interface SelectedService extends Omit<ServiceRow, "clientList"> {
  readonly number: number;
}

/** The flows of columns that a filter chooses, and that were seen in a time. */
export class ColumnSelection {
  readonly #columns: FlowColumns;
  readonly #steps: readonly StepRows[];
  /** 1 for each that is chosen. */
  readonly #chosen: Uint8Array;
  readonly #flows: number;
  readonly #figures: Figures;
  readonly #unexplainedFlows: number;
  /** What the chosen ones have of each of the steps. */
  readonly traffic: readonly SelectedStep[];

  /**
   * Chooses.
   *
   * @param edge When the time begins, which is the begin of a shortest step; `null` for all there is.
   * @param newSince What came first after this time is new.
   * @param other One that is not used any more, whose memory is.
   */
  constructor(
    columns: FlowColumns,
    filter: Filter,
    edge: number | null,
    newSince: number,
    other?: ColumnSelection,
  ) {
    this.#columns = columns;
    this.#chosen = columnFilter(
      columns,
      filter,
      newSince,
      other === undefined ? undefined : other.#chosen,
    );
    this.#steps = columns.steps.filter(({ step, time }) =>
      edge === null || time >= edge || step > SHORTEST && time + step * 1000 > edge
    );
    const { rowFlow, unexplained } = columns;
    const { sums: work, places: withoutName } = columns.scratch();
    work.fill(0, 0, columns.count);
    withoutName.fill(0, 0, columns.count);
    const sums = noFigures();
    this.traffic = this.#steps.map((rows) => {
      const before = { ...sums };
      for (let row = rows.from; row < rows.to; row++) {
        const flow = rowFlow[row];
        if (this.#chosen[flow] === 0) continue;
        withoutName[flow] += unexplained.get(row);
        work[flow] += add(columns, row, sums);
      }
      const { step, time } = rows;
      return {
        ...{ step, time, observations: sums.observations - before.observations },
        bytesClient: sums.bytesClient - before.bytesClient,
        bytesServer: sums.bytesServer - before.bytesServer,
      };
    });
    this.#figures = sums;
    let flows = 0;
    let unexplainedFlows = 0;
    for (let i = 0; i < columns.count; i++) {
      // What was corrected to another client has nothing left.
      if (work[i] <= 0) this.#chosen[i] = 0;
      flows += this.#chosen[i];
      if (withoutName[i] > 0) unexplainedFlows++;
    }
    this.#flows = flows;
    this.#unexplainedFlows = unexplainedFlows;
  }

  /** @param nowSince Flows that were seen then or later go on. */
  totals(nowSince: number): ChosenTotals {
    const { last, bits } = this.#columns;
    let flowsNow = 0;
    let encryptedDns = 0;
    this.#each((flow) => {
      if (last[flow] >= nowSince) flowsNow++;
      if ((bits[flow] & FLOW_BITS.encrypted) !== 0) encryptedDns++;
    });
    return {
      ...this.#figures,
      ...{ flows: this.#flows, flowsNow, encryptedDns, unexplainedFlows: this.#unexplainedFlows },
    };
  }

  /** Different clients. */
  clients(): number {
    const { client, clients } = this.#columns;
    const isThere = new Uint8Array(clients.texts.length);
    this.#each((flow) => isThere[client[flow]] = 1);
    return isThere.reduce((sum, it) => sum + it, 0);
  }

  /** What each client used. */
  byClient(): ReadonlyMap<string, EndFigures> {
    const { clients, client } = this.#columns;
    return this.#byAddress(clients.texts, (flow) => client[flow]);
  }

  /** What was used of each server. */
  byServer(): ReadonlyMap<string, EndFigures> {
    const { servers, server, service } = this.#columns;
    return this.#byAddress(servers.texts, (flow) => server[service[flow]]);
  }

  #byAddress(
    texts: readonly string[],
    addressOf: (flow: number) => number,
  ): ReadonlyMap<string, EndFigures> {
    const { last, bytesClient, bytesServer } = this.#columns;
    const bytes = this.#sums(bytesClient, bytesServer);
    const figures = new Map<string, { flows: number; bytes: number; last: number }>();
    this.#each((flow) => {
      const text = texts[addressOf(flow)];
      let of = figures.get(text);
      if (of === undefined) figures.set(text, of = { flows: 0, bytes: 0, last: 0 });
      of.flows++;
      of.bytes += bytes[flow];
      of.last = Math.max(of.last, last[flow]);
    });
    return figures;
  }

  /**
   * Services that answered, with what was used of them: the new ones first, then those with the most
   * clients.
   *
   * @param isOwn Whether only those of the own networks are wanted.
   * @param newSince What came first after this time is new.
   */
  byService(isOwn: boolean, newSince: number, most: number): SelectedService[] {
    const columns = this.#columns;
    const { service, last, name, names, rowFlow, servers, server, port } = columns;
    const clientsOf = new Uint32Array(columns.services);
    const lastOf = new Float64Array(columns.services);
    const nameOf = new Uint32Array(columns.services);
    const rankOfName = names.ranks();
    this.#each((flow) => {
      const number = service[flow];
      clientsOf[number]++;
      lastOf[number] = Math.max(lastOf[number], last[flow]);
      // None comes before all others.
      if (rankOfName[name[flow]] > rankOfName[nameOf[number]]) nameOf[number] = name[flow];
    });
    const wanted = SERVICE_BITS.answered | (isOwn ? SERVICE_BITS.local : 0);
    const isNew = (number: number) => columns.serviceFirst[number] >= newSince;
    const rankOf = servers.ranks();
    const rankOfProtocol = columns.protocols.ranks();
    const numbers = Uint32Array.from(clientsOf.keys()).filter((number) =>
      clientsOf[number] > 0 && (columns.serviceBits[number] & wanted) === wanted
    ).sort((one, other) =>
      Number(isNew(other)) - Number(isNew(one)) || clientsOf[other] - clientsOf[one] ||
      rankOf[server[one]] - rankOf[server[other]] || port[one] - port[other] ||
      rankOfProtocol[columns.protocol[one]] - rankOfProtocol[columns.protocol[other]]
    ).subarray(0, most);
    const places = new Int32Array(columns.services).fill(-1);
    for (const [place, number] of numbers.entries()) places[number] = place;
    const services = Array.from(numbers, (number) => ({
      number,
      server: servers.texts[server[number]],
      port: port[number],
      protocol: columns.protocols.texts[columns.protocol[number]],
      isLocal: (columns.serviceBits[number] & SERVICE_BITS.local) !== 0,
      name: nameOf[number] === 0 ? null : names.texts[nameOf[number]],
      ...{ clients: clientsOf[number], first: columns.serviceFirst[number], last: lastOf[number] },
      ...{ isNew: isNew(number), ...noFigures() },
    }));
    for (const { from, to } of this.#steps) {
      for (let row = from; row < to; row++) {
        const flow = rowFlow[row];
        const place = this.#chosen[flow] === 1 ? places[service[flow]] : -1;
        if (place !== -1) add(columns, row, services[place]);
      }
    }
    return services;
  }

  /** Clients that each of some services carried most for, the busiest first. */
  busiestClients(services: readonly number[], most: number): ReadonlyMap<number, string[]> {
    const { service, client, clients, bytesClient, bytesServer, observations } = this.#columns;
    const { keys: bytes } = this.#columns.scratch();
    bytes.set(this.#sums(bytesClient, bytesServer));
    const sightings = this.#sums(observations);
    const textOf = (flow: number) => clients.texts[client[flow]];
    const isBusier = (one: number, other: number) =>
      bytes[one] !== bytes[other]
        ? bytes[one] > bytes[other]
        : sightings[one] !== sightings[other]
        ? sightings[one] > sightings[other]
        : textOf(one) < textOf(other);
    const busiest = new Map(services.map((it) => [it, [] as number[]]));
    this.#each((flow) => {
      const flows = busiest.get(service[flow]);
      if (flows === undefined) return;
      let place = flows.length;
      while (place > 0 && isBusier(flow, flows[place - 1])) place--;
      if (place < most) flows.splice(place, 0, flow);
      if (flows.length > most) flows.pop();
    });
    return new Map([...busiest].map(([number, flows]) => [number, flows.map(textOf)]));
  }

  /** Services of the own networks that answered, and how many of them are new. */
  ownServices(newSince: number): { services: number; newServices: number } {
    const { service, services, serviceBits, serviceFirst } = this.#columns;
    const isThere = new Uint8Array(services);
    this.#each((flow) => isThere[service[flow]] = 1);
    const own = SERVICE_BITS.local | SERVICE_BITS.answered;
    let count = 0;
    let newServices = 0;
    for (let i = 0; i < services; i++) {
      if (isThere[i] === 0 || (serviceBits[i] & own) !== own) continue;
      count++;
      if (serviceFirst[i] >= newSince) newServices++;
    }
    return { services: count, newServices };
  }

  /**
   * The first flows in an order; what has no name comes last, and of equal ones the newest first.
   *
   * @param without `usage.id` of those that are left out.
   */
  first(
    most: number,
    by: FlowSort,
    isDescending: boolean,
    without: ReadonlySet<number>,
  ): readonly SelectedFlow[] {
    const { ids, rowFlow, count } = this.#columns;
    const key = this.#keys(by);
    const { keys, sums, flows, places: placeOf } = this.#columns.scratch();
    const sign = isDescending ? -1 : 1;
    let length = 0;
    this.#each((flow) => {
      if (without.has(ids[flow])) return;
      const value = key(flow);
      keys[length] = Number.isNaN(value) ? Infinity : sign * value;
      flows[length++] = flow;
    });
    const places = firstOf(
      keys.subarray(0, length),
      sums.subarray(0, length),
      Math.min(most, length),
    );
    const selected = places.map((place) => ({ usage: ids[flows[place]], ...noFigures() }));
    const chosenFlows = places.map((place) => flows[place]);
    placeOf.fill(-1, 0, count);
    for (const [i, flow] of chosenFlows.entries()) placeOf[flow] = i;
    for (const { from, to } of this.#steps) {
      for (let row = from; row < to; row++) {
        const place = placeOf[rowFlow[row]];
        if (place !== -1) add(this.#columns, row, selected[place]);
      }
    }
    return selected;
  }

  #each(look: (flow: number) => void): void {
    const chosen = this.#chosen;
    for (let flow = 0; flow < chosen.length; flow++) if (chosen[flow] === 1) look(flow);
  }

  /** A number of each flow to sort by; NaN where it has none. */
  #keys(by: FlowSort): (flow: number) => number {
    const columns = this.#columns;
    const { first, last, client, service, server, port, name, by: decidedBy } = columns;
    switch (by) {
      case "last":
        return (flow) => last[flow];
      case "first":
        return (flow) => first[flow];
      case "duration":
        return (flow) => last[flow] - first[flow];
      case "client": {
        const ranks = columns.clients.ranks();
        return (flow) => ranks[client[flow]];
      }
      case "server": {
        const ranks = columns.servers.ranks();
        return (flow) => ranks[server[service[flow]]];
      }
      case "port":
        return (flow) => port[service[flow]];
      case "name": {
        const ranks = columns.names.ranks();
        return (flow) => name[flow] === 0 ? NaN : ranks[name[flow]];
      }
      case "by": {
        const ranks = columns.bys.ranks();
        return (flow) => ranks[decidedBy[flow]];
      }
      case "bytes": {
        const bytes = this.#sums(columns.bytesClient, columns.bytesServer);
        return (flow) => bytes[flow];
      }
      case "packets": {
        const packets = this.#sums(columns.packetsClient, columns.packetsServer);
        return (flow) => packets[flow];
      }
      case "conversations": {
        const conversations = this.#sums(columns.conversations).slice();
        const observations = this.#sums(columns.observations);
        return (flow) => Math.max(conversations[flow], observations[flow]);
      }
    }
  }

  /** Sums of figures for each flow. They stay until something else is counted. */
  #sums(...figures: readonly CompactColumn[]): Float64Array {
    const { rowFlow, count } = this.#columns;
    const { sums } = this.#columns.scratch();
    sums.fill(0, 0, count);
    for (const figure of figures) {
      for (const { from, to } of this.#steps) {
        for (let row = from; row < to; row++) sums[rowFlow[row]] += figure.get(row);
      }
    }
    return sums;
  }
}

type Sums = { -readonly [Name in keyof Figures]: number };

function noFigures(): Sums {
  return {
    ...{ observations: 0, conversations: 0, unexplained: 0, packetsClient: 0, packetsServer: 0 },
    ...{ bytesClient: 0, bytesServer: 0 },
  };
}

/** Adds a row to figures. @returns More than 0 where something was seen. */
function add(columns: FlowColumns, row: number, sums: Sums): number {
  const observations = columns.observations.get(row);
  const conversations = columns.conversations.get(row);
  const packetsClient = columns.packetsClient.get(row);
  const packetsServer = columns.packetsServer.get(row);
  sums.observations += observations;
  sums.conversations += conversations;
  sums.unexplained += columns.unexplained.get(row);
  sums.packetsClient += packetsClient;
  sums.packetsServer += packetsServer;
  sums.bytesClient += columns.bytesClient.get(row);
  sums.bytesServer += columns.bytesServer.get(row);
  return observations + conversations + packetsClient + packetsServer;
}

/**
 * Indexes of the smallest keys, the smallest first; of equal ones, the last index first.
 *
 * @param copy Room for the keys.
 */
function firstOf(keys: Float64Array, copy: Float64Array, most: number): number[] {
  if (most === 0) return [];
  copy.set(keys);
  const limit = nthValue(copy, most - 1);
  const places: number[] = [];
  for (let i = keys.length - 1; i >= 0; i--) if (keys[i] < limit) places.push(i);
  for (let i = keys.length - 1; i >= 0 && places.length < most; i--) {
    if (keys[i] === limit) places.push(i);
  }
  return places.sort((a, b) => keys[a] === keys[b] ? b - a : keys[a] < keys[b] ? -1 : 1);
}
