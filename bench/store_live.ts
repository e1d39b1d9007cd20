/**
 * Whether a store keeps up: conversations come at a rate, as from a capture.
 * `deno run --allow-all bench/store_live.ts [per second] [seconds]`.
 *
 * @module
 */
import type { ConversationRecord } from "../src/model/conversation_record.ts";
import { LineLog } from "../src/log.ts";
import { SqliteStore } from "../src/store/sqlite_store.ts";
import { DEFAULT_RETENTION } from "../src/store/store_options.ts";

const FLUSHES_PER_SECOND = 10;

const [rate = "5000", seconds = "300"] = Deno.args;
const directory = await Deno.makeTempDir({ prefix: "flosensor-bench-" });
const path = `${directory}/flows.db`;
const store = await SqliteStore.open(path, {
  run: {
    mode: "capture",
    sources: ["bench"],
    localNetworks: ["10.0.0.0/8"],
    version: "bench",
    hasRecords: true,
  },
  retention: DEFAULT_RETENTION,
}, new LineLog("info"));

let id = 0;
function records(count: number): ConversationRecord[] {
  const now = Date.now();
  return Array.from({ length: count }, () => {
    const random = (below: number) => Math.floor(Math.random() * below);
    id++;
    return {
      id,
      isOver: true,
      protocol: "tcp" as const,
      client: `10.0.${random(8)}.${random(250)}`,
      clientPort: 1024 + random(60_000),
      server: `198.18.${random(100)}.${random(250)}`,
      port: 443,
      by: "syn",
      state: "closed" as const,
      packets: [10, 12] as const,
      bytes: [1_000, random(100_000)] as const,
      flags: [27, 27] as const,
      first: now - 3_000,
      last: now,
      interface: "eth0",
      vlan: null,
      tunnel: null,
      names: [{ name: `host${random(20_000)}.example.com`, from: "lookup" as const }],
      isExplained: true,
      why: null,
    };
  });
}

const start = performance.now();
let longest = 0;
for (let tick = 1; tick <= Number(seconds) * FLUSHES_PER_SECOND; tick++) {
  const before = performance.now();
  store.takeRecords(records(Math.round(Number(rate) / FLUSHES_PER_SECOND)));
  if (tick % FLUSHES_PER_SECOND === 0) await store.flush();
  longest = Math.max(longest, performance.now() - before);
  if (tick % (FLUSHES_PER_SECOND * 30) === 0) {
    const { rss } = Deno.memoryUsage();
    console.log(
      `${tick / FLUSHES_PER_SECOND} s: ${id} conversations, ${store.pending} pending, ` +
        `${store.lost} lost, ${(rss / 1e6).toFixed(0)} MB memory, ` +
        `${(Deno.statSync(path).size / 1e6).toFixed(0)} MB file`,
    );
  }
  const left = start + tick * 1000 / FLUSHES_PER_SECOND - performance.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}
await store.close();
console.log(`longest time that this took of the thread of packets: ${longest.toFixed(0)} ms`);
await Deno.remove(directory, { recursive: true });
