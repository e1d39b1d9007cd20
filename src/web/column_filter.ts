import type { Filter, FilterTerm } from "./filter.ts";
import { FLOW_BITS, type FlowColumns, SERVICE_BITS } from "./flow_columns.ts";

/** What a value of a term is looked up by: 1 for each client, service, name or `by` of which it is true. */
interface Hits {
  readonly client?: Uint8Array;
  readonly service?: Uint8Array;
  readonly name?: Uint8Array;
  readonly by?: Uint8Array;
  readonly bits?: number;
  readonly since?: number;
}

/**
 * For each flow whether a filter chooses it: 1 or 0. It chooses what `filterConditions` does in SQL.
 *
 * @param newSince What came first after this time is new, in milliseconds.
 * @param room What is not needed any more, and may be used again.
 */
export function columnFilter(
  columns: FlowColumns,
  filter: Filter,
  newSince: number,
  room?: Uint8Array,
): Uint8Array {
  const chosen = room?.length === columns.count ? room : new Uint8Array(columns.count);
  chosen.fill(1);
  for (const term of filter) {
    const hit = columns.scratch().hits.subarray(0, columns.count).fill(0);
    for (const value of term.values) {
      for (const hits of hitsOf(columns, term, value.toLowerCase(), newSince)) {
        addHits(columns, hits, hit);
      }
    }
    const wrong = term.isNot ? 1 : 0;
    for (let i = 0; i < hit.length; i++) if (hit[i] === wrong) chosen[i] = 0;
  }
  return chosen;
}

function hitsOf(
  columns: FlowColumns,
  { field }: FilterTerm,
  value: string,
  newSince: number,
): readonly Hits[] {
  const client = () => ({ client: columns.clients.within(value) });
  const server = () => ofServers(columns, columns.servers.within(value));
  const name = () => ({ name: columns.names.where((text) => text.includes(value)) });
  switch (field) {
    case "client":
      return [client()];
    case "server":
      return [server()];
    case "host":
      return [client(), server()];
    case "port": {
      const [first, last = first] = value.split("-").map(Number);
      return [ofServices(columns, (i) => columns.port[i] >= first && columns.port[i] <= last)];
    }
    case "proto": {
      const isIt = columns.protocols.where((text) => text === value);
      return [ofServices(columns, (i) => isIt[columns.protocol[i]] === 1)];
    }
    case "name":
      return [name()];
    case "by":
      return [{ by: columns.bys.where((text) => text === value) }];
    case "text":
      return [
        { client: columns.clients.having(value) },
        ofServers(columns, columns.servers.having(value)),
        name(),
      ];
    case "flag":
      switch (value) {
        case "unexplained":
          return [{ bits: FLOW_BITS.unexplained }];
        case "refused":
          return [{ bits: FLOW_BITS.refused }];
        case "new":
          return [{ since: newSince }];
        case "local":
          return [
            ofServices(columns, (i) => (columns.serviceBits[i] & SERVICE_BITS.local) !== 0),
          ];
        default:
          return [{ bits: FLOW_BITS.encrypted }];
      }
  }
}

function ofServers(columns: FlowColumns, isServer: Uint8Array): Hits {
  return ofServices(columns, (i) => isServer[columns.server[i]] === 1);
}

function ofServices(columns: FlowColumns, isIt: (service: number) => boolean): Hits {
  const service = new Uint8Array(columns.services);
  for (let i = 0; i < service.length; i++) if (isIt(i)) service[i] = 1;
  return { service };
}

function addHits(columns: FlowColumns, hits: Hits, hit: Uint8Array): void {
  const look = (of: ArrayLike<number>, isIt: Uint8Array) => {
    for (let i = 0; i < hit.length; i++) hit[i] |= isIt[of[i]];
  };
  if (hits.client !== undefined) look(columns.client, hits.client);
  if (hits.service !== undefined) look(columns.service, hits.service);
  if (hits.name !== undefined) look(columns.name, hits.name);
  if (hits.by !== undefined) look(columns.by, hits.by);
  const { bits, since } = hits;
  if (bits !== undefined) {
    for (let i = 0; i < hit.length; i++) if ((columns.bits[i] & bits) !== 0) hit[i] = 1;
  }
  if (since !== undefined) {
    for (let i = 0; i < hit.length; i++) if (columns.first[i] >= since) hit[i] = 1;
  }
}
