/**
 * A run whose judging fails when it is closed, for `run_test.ts`: it writes lines of JSON, all of which
 * belong to what was judged before.
 *
 * @module
 */
import { Run } from "../../src/cli/run.ts";
import { LINKTYPE_RAW } from "../../src/packet/link_type.ts";
import { batchOf } from "../batches.ts";
import { MemoryLog } from "../memory_log.ts";
import { ACK, ip, tcp } from "../packets.ts";

const [config] = Deno.args;
let mayAsk = true;
const localServices = {
  has: () => {
    if (!mayAsk) throw new Error("what is listening can't be told");
    return false;
  },
};
const run = await Run.open(
  { config, redis: false, json: true, maxConversations: 1000, logLevel: "info" },
  {
    mode: "replay",
    sources: [],
    isLive: false,
    ownNetworks: [],
    defaultNetworks: () => [],
    localServices,
  },
  new MemoryLog(),
);
const take = (seconds: number, client: string) => {
  const packet = ip(client, "192.0.2.1", tcp(40_000, 443, ACK, "?"));
  run.engine.take(batchOf([{ packet, linkType: LINKTYPE_RAW, seconds }]));
};
try {
  await run.finish(() => {
    take(1_700_000_000, "198.18.0.1");
    take(1_700_000_001, "198.18.0.2");
    mayAsk = false;
    return Promise.resolve();
  });
} catch (error) {
  console.error((error as Error).message);
}
