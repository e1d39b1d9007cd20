/**
 * Takes packets from an interface and only counts them: `live_receiver.ts INTERFACE OPTIONS`, where
 * the options are those of a live source, and `source`, which is `libpcap` or `af_packet`.
 * Ends at SIGTERM with a line of JSON. For `live.ts`.
 */
import { DEFAULT_LIVE_OPTIONS } from "../src/capture/live_options.ts";
import { openInterfaces } from "../src/capture/open_interfaces.ts";
import { LineLog } from "../src/log.ts";

const [name, text] = Deno.args;
const { source: kind, ...options } = JSON.parse(text);
const live = { ...DEFAULT_LIVE_OPTIONS, ...options };
const [source] = openInterfaces(kind, [name], () => live, new LineLog("info"));
Deno.addSignalListener("SIGTERM", () => source.close());
console.log("ready");

let packets = 0;
let batches = 0;
for (let batch; (batch = await source.next()) !== null;) {
  packets += batch.count;
  batches++;
}
console.log(JSON.stringify({ packets, batches, ...source.statistics() }));
Deno.exit();
