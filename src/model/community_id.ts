import { createHash } from "node:crypto";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./protocol_numbers.ts";
import { addressBytes } from "./address_bytes.ts";
import type { ConversationRecord } from "./conversation_record.ts";

/** What a Community ID is made of. */
export type Endpoints = Pick<
  ConversationRecord,
  "protocol" | "client" | "clientPort" | "server" | "port"
>;

/**
 * The Community ID of a conversation, version 1 (https://github.com/corelight/community-id-spec):
 * `1:` and 28 characters. Zeek, Suricata, Wireshark and others give the same one to the same
 * conversation, whichever of its ends they take for the client.
 *
 * @param seed What is hashed before the rest: 0 to 65535, the same in all programs whose IDs are
 * compared.
 */
export function communityId(endpoints: Endpoints, seed = 0): string {
  const client = addressBytes(endpoints.client);
  const server = addressBytes(endpoints.server);
  const clientPort = bigEndian(endpoints.clientPort);
  const port = bigEndian(endpoints.port);
  const isInOrder = compare([...client, ...clientPort], [...server, ...port]) <= 0;
  const protocol = endpoints.protocol === "tcp" ? PROTOCOL_TCP : PROTOCOL_UDP;
  const hashed = Uint8Array.from([
    ...bigEndian(seed),
    ...(isInOrder ? [...client, ...server] : [...server, ...client]),
    protocol,
    0,
    ...(isInOrder ? [...clientPort, ...port] : [...port, ...clientPort]),
  ]);
  return "1:" + createHash("sha1").update(hashed).digest("base64");
}

function bigEndian(number: number): [number, number] {
  return [number >>> 8, number & 0xff];
}

/** Compares two lists of the same length. */
function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}
