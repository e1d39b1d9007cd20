import { startProgram } from "../wasm_program.ts";
import { parseAddress } from "./address.ts";
import { PROGRAM } from "./community_id_program.ts";
import type { ConversationRecord } from "./conversation_record.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./protocol_numbers.ts";

/** What a Community ID is made of. */
export type Endpoints = Pick<
  ConversationRecord,
  "protocol" | "client" | "clientPort" | "server" | "port"
>;

/** What `assembly/community_id.ts` exports. */
interface CommunityIdProgram {
  communityId(
    into: number,
    scratch: number,
    isIpv6: boolean,
    client: number,
    server: number,
    clientPort: number,
    port: number,
    protocol: number,
    seed: number,
  ): number;
}

/** Where there is what, in its memory. */
const CLIENT = 0;
const SERVER = 16;
const SCRATCH = 64;
const TEXT = 128;

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const words = new Uint32Array(memory.buffer);
const decoder = new TextDecoder();
let program: CommunityIdProgram | null = null;

/**
 * The Community ID of a conversation, version 1 (https://github.com/corelight/community-id-spec):
 * `1:` and 28 characters. Zeek, Suricata, Wireshark and others give the same one to the same
 * conversation, whichever of its ends they take for the client.
 *
 * @param seed What is hashed before the rest: 0 to 65535, the same in all programs whose IDs are
 * compared.
 */
export function communityId(endpoints: Endpoints, seed = 0): string {
  program ??= startProgram<CommunityIdProgram>(PROGRAM, memory);
  const client = parseAddress(endpoints.client)!;
  words.set(client.words, CLIENT / 4);
  words.set(parseAddress(endpoints.server)!.words, SERVER / 4);
  const end = program.communityId(
    ...[TEXT, SCRATCH] as const,
    client.family === 6,
    ...[CLIENT, SERVER] as const,
    ...[endpoints.clientPort, endpoints.port] as const,
    endpoints.protocol === "tcp" ? PROTOCOL_TCP : PROTOCOL_UDP,
    seed,
  );
  return decoder.decode(new Uint8Array(memory.buffer, TEXT, end - TEXT));
}
