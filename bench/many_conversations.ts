import type { ConversationRecord } from "../src/model/conversation_record.ts";
import { openDatabase } from "../src/store/open_database.ts";
import { StoreWriter } from "../src/store/store_writer.ts";

const DAY = 86_400_000;
const BATCH = 5_000;
const STATES = ["closed", "closed", "closed", "reset", "open", "refused", "unanswered"] as const;

/** Writes a store of so many conversations of one day, which ends at `now`, as a sensor writes it. */
export function writeManyConversations(path: string, total: number, now: number): void {
  const { database } = openDatabase(path);
  const writer = new StoreWriter(database, {
    mode: "capture",
    sources: ["eth0"],
    localNetworks: ["10.0.0.0/8"],
    version: "bench",
    hasRecords: true,
  });
  for (let from = 0; from < total; from += BATCH) {
    const records = Array.from(
      { length: Math.min(BATCH, total - from) },
      (_, i) => conversation(from + i, total, now),
    );
    writer.write(
      { records, words: new Uint32Array(), flowNames: [], names: [] },
      { records: 0, observations: 0, names: 0 },
    );
  }
  database.close();
}

/** A network of 2,000 hosts, which use 20,000 servers outside and 50 of their own. */
function conversation(id: number, total: number, now: number): ConversationRecord {
  const random = (below: number) => Math.floor(Math.random() * below);
  const client = `10.0.${random(8)}.${random(250)}`;
  const isLocal = random(5) === 0;
  // Few servers have most of the clients.
  const server = Math.floor(20_000 * Math.random() ** 4);
  const first = now - DAY + Math.floor(DAY * id / total);
  return {
    id,
    isOver: true,
    protocol: "tcp",
    client,
    clientPort: 1024 + random(60_000),
    server: isLocal
      ? `10.0.9.${random(50)}`
      : `198.${18 + (server >> 14)}.${(server >> 6) & 255}.${server & 63}`,
    port: isLocal ? [22, 53, 80, 443, 5432][random(5)] : 443,
    by: "syn",
    state: STATES[random(STATES.length)],
    packets: [10, 12],
    bytes: [1_000, random(100_000)],
    flags: [27, 27],
    first,
    last: Math.min(now, first + random(30_000)),
    interface: "eth0",
    vlan: null,
    tunnel: null,
    names: isLocal ? [] : [{ name: `host${server}.example.com`, from: "lookup" }],
    isExplained: random(50) > 0,
    why: null,
  };
}
