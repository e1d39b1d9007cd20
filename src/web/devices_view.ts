import type { Filter } from "./filter.ts";
import type { DeviceRow, EndFigures, PageQuery } from "./page_data.ts";
import type { StoreQuery } from "./store_query.ts";

/** Devices of the view, those heard of last. */
const MOST_DEVICES = 1_000;
/** Locally administered: the second bit of the first byte (IEEE 802, section 8.2.2). */
const PRIVATE = /^.[26ae]/i;
const NO_FIGURES: EndFigures = { flows: 0, bytes: 0, last: 0 };

/** A row of table `device`. */
interface DeviceAddress {
  readonly address: string;
  readonly hardwareAddress: string;
  readonly vendor: string | null;
  readonly name: string | null;
  readonly origin: string;
  readonly first: number;
  readonly last: number;
}

/** A device whose rows are put together. */
interface Gathered {
  readonly hardwareAddress: string;
  vendor: string | null;
  readonly names: { name: string; origin: string; last: number }[];
  /** The one that was told of last comes first. */
  readonly addresses: string[];
  first: number;
  last: number;
}

/**
 * Hosts of the own networks, and what their addresses used and served. Terms of the filter without a
 * field ask for parts of what is known of the device itself, all others for its flows.
 */
export function devicesView(store: StoreQuery, query: PageQuery): readonly DeviceRow[] {
  const now = store.now();
  const newSince = store.newSince(now);
  const texts = query.filter.filter(({ field }) => field === "text");
  const flowFilter = query.filter.filter(({ field }) => field !== "text");
  const since = store.since(query, now) ?? 0;
  const ends = endsOf(store, { ...query, filter: flowFilter }, now);
  const shown: DeviceRow[] = [];
  for (const { owned, device } of devices(store)) {
    if (!isMeant(device, texts)) continue;
    const used = sumOf(owned, ends.clients);
    const served = sumOf(owned, ends.servers);
    const hasFlows = used.flows > 0 || served.flows > 0;
    // Where it is asked for flows, a device that has none of them is not meant.
    if (!hasFlows && (flowFilter.length > 0 || device.last < since)) continue;
    shown.push({
      ...{ hardwareAddress: device.hardwareAddress, vendor: device.vendor },
      isPrivate: PRIVATE.test(device.hardwareAddress),
      names: device.names.sort((a, b) => b.last - a.last).map(({ name }) => name),
      nameOrigin: device.names[0]?.origin ?? null,
      ...{ addresses: device.addresses, used, served, first: device.first },
      last: Math.max(device.last, used.last, served.last),
      isNew: device.first >= newSince,
    });
  }
  return shown.sort((a, b) => b.last - a.last).slice(0, MOST_DEVICES);
}

/** All devices. An address may have been another's before: flows are those of who had it last. */
function devices(store: StoreQuery): readonly { device: Gathered; owned: readonly string[] }[] {
  const gathered = new Map<string, { device: Gathered; owned: string[] }>();
  const known = new Set<string>();
  const rows = store.rows(
    "SELECT address, hardware_address AS hardwareAddress, vendor, name, origin, first, last " +
      "FROM device ORDER BY last DESC, address_key(address)",
  ) as unknown as readonly DeviceAddress[];
  for (const { address, hardwareAddress, vendor, name, origin, first, last } of rows) {
    // What is known by its address alone is a device of its own.
    const key = hardwareAddress || address;
    let one = gathered.get(key);
    if (one === undefined) {
      const device: Gathered = {
        ...{ hardwareAddress, vendor: null, names: [], addresses: [] },
        ...{ first, last },
      };
      gathered.set(key, one = { device, owned: [] });
    }
    const { device, owned } = one;
    device.vendor ??= vendor;
    if (name !== null && !device.names.some((it) => it.name === name)) {
      device.names.push({ name, origin, last });
    }
    device.addresses.push(address);
    device.first = Math.min(device.first, first);
    if (!known.has(address)) owned.push(address);
    known.add(address);
  }
  return [...gathered.values()];
}

function isMeant(device: Gathered, texts: Filter): boolean {
  if (texts.length === 0) return true;
  const about = [
    ...[device.hardwareAddress, device.vendor ?? "", ...device.addresses],
    ...device.names.map(({ name }) => name),
  ].map((it) => it.toLowerCase());
  return texts.every(({ values: [part], isNot }) =>
    about.some((it) => it.includes(part.toLowerCase())) !== isNot
  );
}

/** What each address that is a device's used, and served. */
function endsOf(store: StoreQuery, query: PageQuery, now: number) {
  const selected = store.selected(query, now);
  if (selected !== null) return { clients: selected.byClient(), servers: selected.byServer() };
  const chosen = store.chosen(query, now);
  const by = (column: "u.client" | "v.server") =>
    new Map(
      store.rows(
        chosen.select(
          `${column} AS address, count(*) AS flows, sum(c.bytesClient + c.bytesServer) AS bytes, ` +
            "max(u.last) AS last",
          `AND ${column} IN (SELECT address FROM device) GROUP BY ${column}`,
        ),
      ).map(({ address, ...figures }) => [String(address), figures as unknown as EndFigures]),
    );
  return { clients: by("u.client"), servers: by("v.server") };
}

function sumOf(addresses: readonly string[], figures: ReadonlyMap<string, EndFigures>): EndFigures {
  return addresses.reduce((sum, address) => {
    const { flows, bytes, last } = figures.get(address) ?? NO_FIGURES;
    return { flows: sum.flows + flows, bytes: sum.bytes + bytes, last: Math.max(sum.last, last) };
  }, NO_FIGURES);
}
