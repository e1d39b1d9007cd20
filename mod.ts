/**
 * flosensor: packets in, attributed flows out. Run, this module is the program; imported, it gives
 * the parts that the program is made of.
 *
 * Prints the keys of a saved capture:
 *
 * ```ts
 * import { FlowMeter, keyText, loadMapping, OBSERVATION_WORDS, SavefileSource } from "flosensor";
 *
 * const meter = new FlowMeter({
 *   mapping: await loadMapping({ ownNetworks: ["192.168.0.0/16"] }),
 *   emit: ({ words, count }) => {
 *     for (let i = 0; i < count; i++) console.log(keyText(words, i * OBSERVATION_WORDS));
 *   },
 * });
 * const source = SavefileSource.open("capture.pcap");
 * for (let batch; (batch = await source.next()) !== null;) meter.take(batch);
 * meter.flush();
 * source.close();
 * ```
 *
 * The vocabulary of config.ts is `flosensor/config`; Frame Streams, dnstap and DNS responses are
 * `flosensor/dnstap`.
 *
 * @module
 */
export { PacketBatch, type PacketIndex, type RecordFormat } from "./src/capture/packet_batch.ts";
export type { PacketSource, SourceStatistics } from "./src/capture/packet_source.ts";
export { SavefileSource } from "./src/capture/savefile_source.ts";
export type { ReadBytes } from "./src/capture/chunk_reader.ts";
export { decode } from "./src/packet/decode.ts";
export { DECODED_NAMES } from "./src/packet/decoded.ts";
export { PacketHeader } from "./src/packet/packet_header.ts";
export type { UndecodedCount, UndecodedCounts } from "./src/packet/undecoded_counts.ts";
export type { Action } from "./src/config/action.ts";
export type { Cidr } from "./src/config/cidr.ts";
export type { EndEvidence, Evidence, EvidentEnd } from "./src/config/evidence.ts";
export type { Facts } from "./src/config/facts.ts";
export { loadMapping, type LoadMappingOptions } from "./src/config/load_mapping.ts";
export type { Mapping, MappingStory, RuleStory } from "./src/config/mapping.ts";
export type { Outcome } from "./src/config/outcome.ts";
export { BatchDecoder, type DecoderSettings } from "./src/flow/batch_decoder.ts";
export { BY_NAMES, type ByName } from "./src/flow/by.ts";
export { DecodedBatch, type PacketPlaces } from "./src/flow/decoded_batch.ts";
export {
  type ConversationExample,
  FlowMeter,
  type FlowMeterOptions,
  type FlowMeterStatistics,
  type ForgottenStatistics,
} from "./src/flow/flow_meter.ts";
export type { LocalServices } from "./src/flow/local_services.ts";
export { OBSERVATION_WORDS, ObservationBatch } from "./src/flow/observation_batch.ts";
export { PacketList } from "./src/flow/packet_list.ts";
export { BECAME_NAMES } from "./src/flow/no_flow.ts";
export type { OwnConnections } from "./src/flow/own_connections.ts";
export { type PayloadReader, READ_ALL, READ_RESPONSES } from "./src/flow/payload_reader.ts";
export type { SieveSettings } from "./src/sieve/sieve_memory.ts";
export type { SightingBatch } from "./src/sieve/sighting_batch.ts";
export { keyText } from "./src/sink/keys.ts";
export type { NameWrite } from "./src/dns/name_write.ts";
export type {
  ConversationRecord,
  ConversationState,
  NameOrigin,
  ServerName,
} from "./src/model/conversation_record.ts";
export type { Sink } from "./src/sink/sink.ts";
export { UserError } from "./src/user_error.ts";
export { VERSION } from "./src/version.ts";

if (import.meta.main) {
  const { main } = await import("./src/cli/main.ts");
  Deno.exit(await main(Deno.args));
}
