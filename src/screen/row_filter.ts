import type { DnsKinds } from "../model/dns_kinds.ts";
import { addressesWithin } from "../web/addresses_within.ts";
import { type Filter, FILTER_FLAGS, FilterError, type FilterTerm } from "../web/filter.ts";

/** What a filter asks of a row. */
export interface FilteredRow {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** Empty where it is not known. */
  readonly protocol?: string;
  readonly name?: string;
  readonly by?: string;
}

/** What a filter asks about rows that does not stand in them. */
export interface RowKnowledge {
  /** Whether an address is in the own networks. */
  readonly isLocal: (address: string) => boolean;
  /** `null` while it is not known which services are DNS. */
  readonly dnsKinds: () => DnsKinds | null;
}

type Condition = (row: FilteredRow) => boolean;

/** What the store knows, and the live table does not. */
const UNKNOWN = ["unexplained", "new"];

/** Flags that {@linkcode rowFilter} knows. */
export const ROW_FLAGS: readonly string[] = FILTER_FLAGS.filter((it) => !UNKNOWN.includes(it));

/**
 * A filter as a function, which chooses the rows that the page chooses by it.
 *
 * @param isRefused Whether what is filtered was refused or not answered.
 * @throws {FilterError} when the filter asks for what the live table does not know.
 */
export function rowFilter(
  filter: Filter,
  knowledge: RowKnowledge,
  isRefused: boolean,
): Condition {
  const conditions = filter.map((term): Condition => {
    const any = term.values.map((value) => condition(term, value, knowledge, isRefused));
    return (row) => any.some((it) => it(row)) !== term.isNot;
  });
  return (row) => conditions.every((it) => it(row));
}

function condition(
  { field }: FilterTerm,
  value: string,
  knowledge: RowKnowledge,
  isRefused: boolean,
): Condition {
  const lower = value.toLowerCase();
  switch (field) {
    case "client":
    case "server": {
      const addresses = addressesWithin(lower);
      return (row) => addresses.has(row[field]);
    }
    case "host": {
      const addresses = addressesWithin(lower);
      return ({ client, server }) => addresses.has(client) || addresses.has(server);
    }
    case "port": {
      const [first, last = first] = value.split("-").map(Number);
      return ({ port }) => port >= first && port <= last;
    }
    case "proto":
      return ({ protocol }) => protocol === lower;
    case "name":
      return (row) => nameOf(row).includes(lower);
    case "by":
      return ({ by }) => by === lower;
    case "text":
      return (row) => [row.client, row.server, nameOf(row)].some((it) => it.includes(lower));
    case "flag":
      if (UNKNOWN.includes(value)) {
        throw new FilterError(`${value} is not known here; a store and its page know it`);
      }
      if (value === "refused") return () => isRefused;
      if (value === "local") return ({ server }) => knowledge.isLocal(server);
      return (row) => isEncryptedDns(row, knowledge.dnsKinds());
  }
}

function isEncryptedDns(row: FilteredRow, dnsKinds: DnsKinds | null): boolean {
  const { client, server, port, protocol = "" } = row;
  const kind = dnsKinds?.kindOf({ client, server, port, protocol, names: [nameOf(row) || null] });
  return kind !== undefined && kind !== null && kind !== "DNS";
}

/** As the store has it: without the dot at its end. */
function nameOf({ name = "" }: FilteredRow): string {
  return name.replace(/\.$/, "").toLowerCase();
}
