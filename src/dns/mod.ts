/**
 * dnstap and DNS for other programs: Frame Streams, the payloads in them, and DNS responses.
 *
 * Prints what a name server says as lines of JSON:
 *
 * ```ts
 * import { decodeDnstap, DNSTAP_CONTENT_TYPE, dnstapJson, frames } from "flosensor/dnstap";
 *
 * for await (const connection of Deno.listen({ transport: "unix", path: "/run/dnstap.sock" })) {
 *   for await (const frame of frames(connection, { contentType: DNSTAP_CONTENT_TYPE })) {
 *     const payload = decodeDnstap(frame);
 *     if (payload !== null) console.log(JSON.stringify(dnstapJson(payload)));
 *   }
 * }
 * ```
 *
 * @module
 */
export {
  FrameRoom,
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
export { domainName } from "../model/domain_name.ts";
