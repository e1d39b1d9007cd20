/**
 * flosensor: packets in, attributed flows out. Run, this module is the program; imported, it gives
 * the parts that the program is made of.
 *
 * @module
 */
export { PacketBatch } from "./src/capture/packet_batch.ts";
export type { PacketSource, SourceStatistics } from "./src/capture/packet_source.ts";
export { SavefileSource } from "./src/capture/savefile_source.ts";
export { decode } from "./src/packet/decode.ts";
export { DECODED_NAMES } from "./src/packet/decoded.ts";
export { PacketHeader } from "./src/packet/packet_header.ts";
export {
  FlowMeter,
  type FlowMeterOptions,
  type FlowMeterStatistics,
} from "./src/flow/flow_meter.ts";
export { OBSERVATION_WORDS, ObservationBatch } from "./src/flow/observation_batch.ts";
export { keyText } from "./src/sink/keys.ts";
export type { Sink } from "./src/sink/sink.ts";
export { UserError } from "./src/user_error.ts";
export { VERSION } from "./src/version.ts";

if (import.meta.main) {
  const { main } = await import("./src/cli/main.ts");
  Deno.exit(await main(Deno.args));
}
