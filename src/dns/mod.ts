/**
 * dnstap and DNS for other programs: Frame Streams, the payloads in them, and DNS responses.
 *
 * Prints what a name server says as lines of JSON:
 *
 * ```ts
 * import {
 *   decodeDnstap,
 *   DNSTAP_CONTENT_TYPE,
 *   dnstapJson,
 *   frames,
 *   FrameStreamError,
 * } from "flosensor/dnstap";
 *
 * for await (const connection of Deno.listen({ transport: "unix", path: "/run/dnstap.sock" })) {
 *   try {
 *     for await (const frame of frames(connection, { contentType: DNSTAP_CONTENT_TYPE })) {
 *       const payload = decodeDnstap(frame);
 *       if (payload !== null) console.log(JSON.stringify(dnstapJson(payload)));
 *     }
 *   } catch (error) {
 *     if (!(error instanceof FrameStreamError)) throw error;
 *     console.error(error.message);
 *   }
 * }
 * ```
 *
 * Says what was answered, and keeps the payload without who asked:
 *
 * ```ts
 * import {
 *   CLIENT_RESPONSE,
 *   decodeDnstap,
 *   DNS_OUTCOME_NAMES,
 *   DNSTAP_TYPES,
 *   encodeDnstap,
 *   readDnsMessage,
 * } from "flosensor/dnstap";
 *
 * const message = decodeDnstap(await Deno.readFile("frame"))?.message;
 * if (message?.type === CLIENT_RESPONSE && message.responseMessage !== undefined) {
 *   const { responseMessage: bytes } = message;
 *   const { outcome, response } = readDnsMessage(bytes, 0, bytes.length);
 *   console.log(DNSTAP_TYPES[message.type - 1], response?.question, DNS_OUTCOME_NAMES[outcome]);
 *   const kept = encodeDnstap({ message: { ...message, queryAddress: undefined } });
 *   await Deno.writeFile("frame", kept);
 * }
 * ```
 *
 * @module
 */
export {
  type FrameRoom,
  frames,
  type FrameStreamConnection,
  FrameStreamError,
  type FrameStreamOptions,
} from "./frame_streams.ts";
export {
  CLIENT_RESPONSE,
  decodeDnstap,
  DNSTAP_CONTENT_TYPE,
  DNSTAP_TYPES,
  type DnstapMessage,
  type DnstapPayload,
  encodeDnstap,
} from "./dnstap.ts";
export { dnstapJson } from "./dnstap_json.ts";
export {
  type AddressRecord,
  type AliasRecord,
  type DnsReading,
  type DnsResponse,
  type HintRecord,
  readDnsMessage,
  type ReverseRecord,
  type ServiceRecord,
} from "./dns_message.ts";
export type { DesignatedResolver } from "./designated_resolver.ts";
export { DNS_OUTCOME_NAMES } from "./dns_outcome.ts";
