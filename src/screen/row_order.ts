import { addressKey } from "../report/address_key.ts";

/** What rows can be sorted by. */
export type RowSort =
  | "last"
  | "first"
  | "client"
  | "server"
  | "port"
  | "name"
  | "by"
  | "why"
  | "clients"
  | "bytes"
  | "packets"
  | "duration";

/** An order of rows. */
export interface RowOrder {
  readonly by: RowSort;
  readonly isDescending: boolean;
}

/** What rows have of what they can be sorted by. */
interface SortedRow {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly first: number;
  readonly last: number;
  readonly name?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly clients?: number;
  readonly packets?: readonly [number, number];
  readonly bytes?: readonly [number, number];
  readonly duration?: number;
}

/** What begins with the greatest: of that, one wants to see the most, or the latest. */
const DESCENDING: readonly RowSort[] = [
  "last",
  "first",
  "clients",
  "bytes",
  "packets",
  "duration",
];

/** The order by something that one expects first. */
export function orderBy(by: RowSort): RowOrder {
  return { by, isDescending: DESCENDING.includes(by) };
}

/** The rows in an order. Those that are equal in it are sorted by their ends. */
export function sortRows<Row extends SortedRow>(
  rows: readonly Row[],
  { by, isDescending }: RowOrder,
): Row[] {
  const sign = isDescending ? -1 : 1;
  return rows.map((row) => ({ row, key: keyOf(row, by) })).sort((one, other) => {
    // What has no name, or the like, comes last, either way.
    if (one.key === "" || other.key === "") {
      if (one.key !== other.key) return one.key === "" ? 1 : -1;
    } else if (one.key !== other.key) return one.key < other.key ? -sign : sign;
    return byText(one.row, other.row);
  }).map(({ row }) => row);
}

function keyOf(row: SortedRow, by: RowSort): string | number {
  switch (by) {
    case "client":
    case "server":
      return addressKey(row[by]);
    case "name":
    case "by":
      return row[by] ?? "";
    case "why":
      return row.reason ?? "";
    case "bytes":
    case "packets": {
      const [client, server] = row[by] ?? [0, 0];
      return client + server;
    }
    default:
      return row[by] ?? 0;
  }
}

function byText(one: SortedRow, other: SortedRow): number {
  if (one.client !== other.client) return one.client < other.client ? -1 : 1;
  if (one.server !== other.server) return one.server < other.server ? -1 : 1;
  return one.port - other.port;
}
