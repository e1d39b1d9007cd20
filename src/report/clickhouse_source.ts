import { parseClickHouseUrl } from "../clickhouse/clickhouse_address.ts";
import { ClickHouseClient, reasonOf } from "../clickhouse/clickhouse_client.ts";
import { ClickHouseError } from "../clickhouse/clickhouse_error.ts";
import type { ConversationRecord, NameOrigin } from "../model/conversation_record.ts";
import type { DnsKind } from "../model/dns_kind.ts";
import { OwnSockets } from "../sink/own_sockets.ts";
import type { PasswordSource } from "../sink/password_source.ts";
import { UserError } from "../user_error.ts";
import { KEYS_AT_A_TIME, MemorySource } from "./memory_source.ts";
import type { ReadKeys } from "./key_reader.ts";
import type { ReadPeriod } from "./open_source.ts";
import { seenOnce, type SensorRecord } from "./seen_once.ts";

/** Usages over time have steps of an hour, see `src/store/steps.ts`. */
const STEP = 3_600_000;

/** What sensors count of the same: of two that saw it, the one that saw more. */
function countedQuery(table: string, key: readonly string[], extra: readonly string[]): string {
  const keys = key.join(", ");
  const latest = (last: string) => extra.map((it) => `, argMax(${it}, ${last}) AS ${it}`).join("");
  return `SELECT ${keys}${
    extra.map((it) => `, argMax(${it}_of_sensor, last_of_sensor) AS ${it}`).join("")
  }, max(count_of_sensor) AS count, min(first_of_sensor) AS first, max(last_of_sensor) AS last ` +
    `FROM (SELECT ${keys}${
      latest("last").replaceAll(/ AS (\w+)/g, " AS $1_of_sensor")
    }, sensor, intDiv(last, ${STEP}) AS step, sum(count) AS count_of_sensor, ` +
    "min(first) AS first_of_sensor, max(last) AS last_of_sensor " +
    `FROM ${table} FINAL WHERE last >= SINCE GROUP BY ${keys}, sensor, step) ` +
    `GROUP BY ${keys}, step ORDER BY last`;
}

const USES = countedQuery("service_use", ["client", "server", "port", "protocol"], ["by", "name"]);
const NAMES = countedQuery("name", ["client", "name", "type", "data"], []);
const REFUSALS = countedQuery("refusal", ["kind", "prober", "target", "port", "reason"], []);
/** What was used before, so that it is not new. */
const USED_BEFORE = "SELECT client, server, port, protocol, min(first) AS first FROM (" +
  "SELECT client, server, port, protocol, first FROM service_use WHERE first < SINCE UNION ALL " +
  "SELECT client, server, port, protocol, first FROM conversation WHERE first < SINCE) " +
  "GROUP BY client, server, port, protocol";
const CONVERSATIONS = "SELECT * FROM conversation FINAL WHERE last >= SINCE " +
  "ORDER BY community_id, first";
/** When something was seen last. */
const LATEST = `SELECT max(last) AS last FROM (${
  ["conversation", "service_use", "name", "refusal"].map((it) => `SELECT last FROM ${it}`)
    .join(" UNION ALL ")
})`;
/** The own networks of each sensor's latest run. */
const NETWORKS =
  "SELECT sensor, argMax(local_networks, started) AS networks FROM run GROUP BY sensor";

interface Counted {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

interface UseRow extends Counted {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  readonly by: string;
  readonly name: string;
}

interface NameRow extends Counted {
  readonly client: string;
  readonly name: string;
  readonly type: string;
  readonly data: string;
}

interface RefusalRow extends Counted {
  readonly kind: "rst" | "icmp" | "nx";
  readonly prober: string;
  readonly target: string;
  readonly port: number;
  readonly reason: string;
}

interface ConversationRow {
  readonly sensor: string;
  readonly community_id: string;
  readonly is_over: number;
  readonly protocol: "tcp" | "udp";
  readonly client: string;
  readonly client_port: number;
  readonly server: string;
  readonly port: number;
  readonly by: string;
  readonly state: ConversationRecord["state"];
  readonly packets_client: number;
  readonly packets_server: number;
  readonly bytes_client: number;
  readonly bytes_server: number;
  readonly flags_client: number;
  readonly flags_server: number;
  readonly first: number;
  readonly last: number;
  readonly names: string;
  readonly interface: string | null;
  readonly vlan: number | null;
  readonly tunnel: string | null;
  readonly encrypted_dns: DnsKind | null;
  readonly explained: number | null;
  readonly why: string | null;
}

/**
 * Reads what sensors have inserted into a ClickHouse. What several of them saw counts once.
 *
 * @param place Where the user wrote the URL, for messages.
 * @param localNetworks Own networks; where there are none, those that sensors had.
 * @param period What is read; `null` for all.
 * @throws {UserError} when it can't be read.
 */
export async function readClickHouse(
  url: string,
  place: string,
  passwordFile: PasswordSource | undefined,
  localNetworks: readonly string[],
  period: ReadPeriod | null,
): Promise<MemorySource> {
  const address = parseClickHouseUrl(url, place, passwordFile);
  const client = new ClickHouseClient(address, new OwnSockets());
  const name = `ClickHouse at ${address.text}`;
  let source: MemorySource | null = null;
  try {
    const networks = localNetworks.length > 0 ? localNetworks : await networksOf(client);
    source = new MemorySource(name, networks, true);
    await readInto(source, client, period === null ? null : await beginningOf(period, client));
    return source;
  } catch (error) {
    source?.[Symbol.dispose]();
    if (error instanceof UserError) throw error;
    throw new UserError(unreadable(name, error), 1, { cause: error });
  } finally {
    client.destroy();
  }
}

function unreadable(name: string, error: unknown): string {
  if (!(error instanceof ClickHouseError)) {
    return `${name} can't be read (${reasonOf(error)}): start it, or name a store or another one`;
  }
  if (error.isLogin) {
    return `${name} refuses us (${error.message}): check the user and the password`;
  }
  return error.isNotThere
    ? `${name} has nothing of flosensor (${error.message}): capture --clickhouse makes it`
    : `${name} can't be read (${error.message})`;
}

/** When a period begins, in milliseconds. A capture of long ago has its own last day. */
async function beginningOf(period: ReadPeriod, client: ClickHouseClient): Promise<number> {
  if ("since" in period) return period.since;
  let latest = 0;
  for await (const { last } of client.rows<{ last: number }>(LATEST)) latest = last;
  return (latest === 0 ? Date.now() : Math.min(latest, Date.now())) - period.latest;
}

async function networksOf(client: ClickHouseClient): Promise<string[]> {
  const all = new Set<string>();
  for await (const { networks } of client.rows<{ networks: string }>(NETWORKS)) {
    for (const network of networks.split(" ")) if (network !== "") all.add(network);
  }
  return [...all];
}

async function readInto(
  source: MemorySource,
  client: ClickHouseClient,
  since: number | null,
): Promise<void> {
  const rows = <Row>(query: string) =>
    client.rows<Row>(query.replaceAll("SINCE", String(Math.floor(since ?? 0))));
  let keys = none();
  const writeIfMany = () => {
    if (keys.observations.length + keys.names.length + keys.refusals.length < KEYS_AT_A_TIME) {
      return;
    }
    source.write(keys);
    keys = none();
  };
  if (since !== null) {
    for await (const { first, ...row } of rows<UseRow>(USED_BEFORE)) {
      keys.observations.push({ ...row, by: "none", name: null, count: 0, time: first });
      writeIfMany();
    }
  }
  for await (const { count, first, last, name, ...row } of rows<UseRow>(USES)) {
    const use = { ...row, name: name === "" ? null : name };
    keys.observations.push({ ...use, count: 0, time: first }, { ...use, count, time: last });
    writeIfMany();
  }
  for await (const { client, name, type, data, count, first, last } of rows<NameRow>(NAMES)) {
    const key = `${client};${data};${type === "CNAME" ? "cname" : "dns"}`;
    keys.names.push({ key, name, count: 0, time: first }, { key, name, count, time: last });
    writeIfMany();
  }
  for await (const { count, first, last, ...row } of rows<RefusalRow>(REFUSALS)) {
    keys.refusals.push({ ...row, count: 0, time: first }, { ...row, count, time: last });
    writeIfMany();
  }
  source.write(keys);
  const records: SensorRecord[] = [];
  for await (const record of seenOnce(sensorRecords(rows<ConversationRow>(CONVERSATIONS)))) {
    records.push(record);
  }
  // What was seen last says how a service is called, and by what it was found.
  records.sort((a, b) => a.record.last - b.record.last);
  for (let i = 0; i < records.length; i += KEYS_AT_A_TIME) {
    const some = records.slice(i, i + KEYS_AT_A_TIME);
    const numbered = some.map(({ record }, j) => ({ ...record, id: i + j + 1 }));
    source.write(none(), { records: numbered });
  }
}

function none(): ReadKeys {
  return { observations: [], refusals: [], names: [] };
}

async function* sensorRecords(rows: AsyncIterable<ConversationRow>): AsyncGenerator<SensorRecord> {
  for await (const row of rows) {
    yield { sensor: row.sensor, communityId: row.community_id, record: recordOfRow(row) };
  }
}

function recordOfRow(row: ConversationRow): ConversationRecord {
  return {
    id: 0,
    isOver: row.is_over === 1,
    protocol: row.protocol,
    client: row.client,
    clientPort: row.client_port,
    server: row.server,
    port: row.port,
    by: row.by,
    state: row.state,
    packets: [row.packets_client, row.packets_server],
    bytes: [row.bytes_client, row.bytes_server],
    flags: [row.flags_client, row.flags_server],
    first: row.first,
    last: row.last,
    interface: row.interface,
    vlan: row.vlan,
    tunnel: row.tunnel,
    names: row.names === "" ? [] : row.names.split(" ").map((text) => {
      const colon = text.indexOf(":");
      return { from: text.slice(0, colon) as NameOrigin, name: text.slice(colon + 1) };
    }),
    ...(row.encrypted_dns === null ? {} : { dns: row.encrypted_dns }),
    isExplained: row.explained === null ? null : row.explained === 1,
    why: row.why,
  };
}
