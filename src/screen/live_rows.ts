import type { FailureRow, FlowRow, FlowTable } from "../sink/flow_table.ts";
import type { ServiceRow } from "../sink/table_lines.ts";
import { isUnanswered, serviceText } from "../sink/render_flow_table.ts";

/** What was tried in vain. */
export type RefusedRow = Omit<FailureRow, "observation"> & {
  /** Empty where it is not known. */
  readonly protocol: string;
  readonly name?: string;
};

/** What the live table shows, what was seen last at the end. */
export interface LiveRows {
  readonly flows: readonly FlowRow[];
  readonly refused: readonly RefusedRow[];
}

const NOT_ANSWERED = "not answered";
const REFUSED = "refused";

/** The rows of a table as they are now. They stay so. */
export function liveRows(table: FlowTable): LiveRows {
  const flows: FlowRow[] = [];
  const refused: RefusedRow[] = table.failures.map((row) => ({
    ...row,
    // RST is of TCP, and what ICMP says may be of any protocol.
    protocol: row.reason === REFUSED ? "tcp" : "",
  }));
  const failed = new Set(refused.map(serviceText));
  for (const row of table.flows) {
    if (!isUnanswered(row)) flows.push(row);
    // Why nothing came back is said where it is known.
    else if (!failed.has(serviceText(row))) refused.push({ ...row, reason: NOT_ANSWERED });
  }
  return { flows, refused };
}

/** The services that flows are of, that which was used last at the end. */
export function serviceRows(flows: readonly FlowRow[]): ServiceRow[] {
  const services = new Map<string, ServiceRow & { readonly all: Set<string> }>();
  for (const { client, server, port, protocol, first, last, packets, bytes, name } of flows) {
    const key = `${server} ${port} ${protocol}`;
    const known = services.get(key);
    const all = known?.all ?? new Set<string>();
    all.add(client);
    const isLatest = known === undefined || last >= known.last;
    services.delete(key);
    services.set(key, {
      ...{ server, port, protocol, all, clients: all.size },
      client: isLatest ? client : known.client,
      first: Math.min(first, known?.first ?? first),
      last: Math.max(last, known?.last ?? last),
      packets: sum(packets, known?.packets),
      bytes: sum(bytes, known?.bytes),
      name: name ?? known?.name,
    });
  }
  return [...services.values()];
}

function sum(
  one: readonly [number, number],
  other: readonly [number, number] = [0, 0],
): [number, number] {
  return [one[0] + other[0], one[1] + other[1]];
}
