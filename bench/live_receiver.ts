/**
 * Takes packets from an interface and only counts them: `live_receiver.ts INTERFACE OPTIONS`.
 * Ends at SIGTERM with a line of JSON. For `live.ts`.
 */
import { DEFAULT_LIVE_OPTIONS } from "../src/capture/live_options.ts";
import { LiveSource } from "../src/capture/live_source.ts";
import { LineLog } from "../src/log.ts";

const [name, options] = Deno.args;
const source = LiveSource.open(
  name,
  { ...DEFAULT_LIVE_OPTIONS, ...JSON.parse(options) },
  new LineLog("info"),
);
Deno.addSignalListener("SIGTERM", () => source.close());
console.log("ready");

let packets = 0;
let batches = 0;
let statistics = source.statistics();
for (let batch; (batch = await source.next()) !== null;) {
  packets += batch.count;
  batches++;
  if (batch.count === 0) statistics = source.statistics();
}
console.log(JSON.stringify({ packets, batches, ...statistics }));
Deno.exit();
