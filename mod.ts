/**
 * flosensor: packets in, attributed flows out. Run, this module is the program; imported, it gives
 * the parts that the program is made of.
 *
 * Prints the keys of a saved capture:
 *
 * ```ts
 * import { Engine, keyText, loadMapping, OBSERVATION_WORDS, SavefileSource } from "flosensor";
 *
 * const engine = new Engine({
 *   mapping: await loadMapping({ ownNetworks: ["192.168.0.0/16"] }),
 *   emit: ({ words, count }) => {
 *     for (let i = 0; i < count; i++) console.log(keyText(words, i * OBSERVATION_WORDS));
 *   },
 * });
 * // The file is read into the engine's memory.
 * const source = SavefileSource.open("capture.pcap", engine.newBatch());
 * for (let batch; (batch = await source.next()) !== null;) engine.take(batch);
 * engine.flush();
 * source.close();
 * ```
 *
 * The vocabulary of config.ts is `flosensor/config`; Frame Streams, dnstap and DNS responses are
 * `flosensor/dnstap`.
 *
 * @module
 */
export { RecordBatch } from "./src/model/record_batch.ts";
export {
  PacketBatch,
  type PacketIndex,
  type PacketTaker,
  type RecordFormat,
} from "./src/capture/packet_batch.ts";
export type { PacketSource, SourceStatistics } from "./src/capture/packet_source.ts";
export { SavefileSource } from "./src/capture/savefile_source.ts";
export { TimeOrigin } from "./src/capture/time_origin.ts";
export type { ReadBytes } from "./src/capture/chunk_reader.ts";
export { decode } from "./src/packet/decode.ts";
export { DECODED_NAMES } from "./src/packet/decoded.ts";
export { PacketHeader } from "./src/packet/packet_header.ts";
export type { UndecodedCount, UndecodedCounts } from "./src/packet/undecoded_counts.ts";
export type { Action } from "./src/config/action.ts";
export type { Cidr } from "./src/config/cidr.ts";
export type { EndEvidence, Evidence, EvidentEnd } from "./src/model/evidence.ts";
export type { Facts } from "./src/model/facts.ts";
export { loadMapping, type LoadMappingOptions } from "./src/config/load_mapping.ts";
export type { Mapping } from "./src/config/mapping.ts";
export type { Outcome } from "./src/model/outcome.ts";
export {
  Engine,
  type EngineOptions,
  type EngineStatistics,
  type ForgottenStatistics,
} from "./src/engine/engine.ts";
export type { ConversationExample } from "./src/engine/conversation_example.ts";
export type {
  Both,
  ConversationRecord as MeteredConversation,
} from "./src/engine/conversation_record.ts";
export { EngineMemory } from "./src/engine/engine_memory.ts";
export { MappingProgram, type MappingStory, type RuleStory } from "./src/engine/mapping_program.ts";
export { BECAME_NAMES } from "./src/model/no_flow.ts";
export { REASON_NAMES, type ReasonName } from "./src/model/reason.ts";
export type { LocalServices } from "./src/model/local_services.ts";
export { OBSERVATION_WORDS, ObservationBatch } from "./src/model/observation_batch.ts";
export type { OwnConnections } from "./src/model/own_connections.ts";
export { type PayloadReader, READ_ALL, READ_RESPONSES } from "./src/packet/payload_reader.ts";
export type { FirstPayload, FirstPayloadReader } from "./src/packet/first_payload.ts";
export type { LinkReader } from "./src/packet/link_reader.ts";
export { keyText } from "./src/sink/keys.ts";
export type { NameWrite } from "./src/dns/name_write.ts";
export type {
  ConversationRecord,
  ConversationState,
  NameOrigin,
  ServerName,
} from "./src/model/conversation_record.ts";
export type { DeviceRecord } from "./src/model/device_record.ts";
export type { DnsKind } from "./src/model/dns_kind.ts";
export type { Sink } from "./src/sink/sink.ts";
export { UserError } from "./src/user_error.ts";
export { VERSION } from "./src/version.ts";

if (import.meta.main) {
  const { main } = await import("./src/cli/main.ts");
  Deno.exit(await main(Deno.args));
}
