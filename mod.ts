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
 * Says what each packet is:
 *
 * ```ts
 * import { decode, DECODED_NAMES, PacketHeader, SavefileSource } from "flosensor";
 *
 * const header = new PacketHeader();
 * const source = SavefileSource.open("capture.pcap");
 * for (let batch; (batch = await source.next()) !== null;) {
 *   for (let i = 0; i < batch.count; i++) {
 *     const start = batch.offset[i];
 *     const end = start + batch.captured[i];
 *     const decoded = decode(batch.view, start, end, batch.linkType[i], header);
 *     console.log(DECODED_NAMES[decoded], header.sourcePort, header.destinationPort);
 *   }
 * }
 * source.close();
 * ```
 *
 * Counts what became of conversations, and what decided who is client and who is server:
 *
 * ```ts
 * import {
 *   BECAME_NAMES,
 *   Engine,
 *   loadMapping,
 *   REASON_NAMES,
 *   SavefileSource,
 *   UserError,
 *   VERSION,
 * } from "flosensor";
 *
 * try {
 *   const engine = new Engine({
 *     mapping: await loadMapping({ ownNetworks: ["192.168.0.0/16"] }),
 *     emit: () => {},
 *   });
 *   const source = SavefileSource.open("capture.pcap", engine.newBatch());
 *   for (let batch; (batch = await source.next()) !== null;) engine.take(batch);
 *   engine.end();
 *   source.close();
 *   const { became, flowsBy } = engine.statistics();
 *   became.forEach((count, i) => console.log(count, BECAME_NAMES[i]));
 *   flowsBy.forEach((count, i) => console.log(count, REASON_NAMES[i]));
 * } catch (error) {
 *   // Its message is for the user: what is wrong, where, and the way out.
 *   if (!(error instanceof UserError)) throw error;
 *   console.error(`flosensor ${VERSION}: ${error.message}`);
 * }
 * ```
 *
 * Types are those of what these have. The vocabulary of config.ts is `flosensor/config`; Frame Streams, dnstap and DNS responses are
 * `flosensor/dnstap`.
 *
 * @module
 */
export type { RecordBatch } from "./src/model/record_batch.ts";
export type {
  PacketBatch,
  PacketIndex,
  PacketTaker,
  RecordFormat,
} from "./src/capture/packet_batch.ts";
export type { PacketSource, SourceStatistics } from "./src/capture/packet_source.ts";
export { SavefileSource } from "./src/capture/savefile_source.ts";
export type { TimeOrigin } from "./src/capture/time_origin.ts";
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
export type { EngineMemory } from "./src/engine/engine_memory.ts";
export type { MappingProgram, MappingStory, RuleStory } from "./src/engine/mapping_program.ts";
export { BECAME_NAMES } from "./src/model/no_flow.ts";
export { REASON_NAMES, type ReasonName } from "./src/model/reason.ts";
export type { LocalServices } from "./src/model/local_services.ts";
export { OBSERVATION_WORDS, type ObservationBatch } from "./src/model/observation_batch.ts";
export type { OwnConnections } from "./src/model/own_connections.ts";
export type { PayloadReader } from "./src/packet/payload_reader.ts";
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
