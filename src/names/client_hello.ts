import { hostName } from "./host_name.ts";

/** What a TLS client says at first (RFC 8446, section 4.1.2), of what names the server. */
export interface ClientHello {
  /** The name that the client asks for (RFC 6066, section 3), lower case, or `null`. */
  readonly serverName: string | null;
  /** The protocols that it offers (RFC 7301). */
  readonly protocols: readonly string[];
  /**
   * The number of the configuration by which it encrypted another name (RFC 9849), or `null`. Most
   * clients send this with a number at random where there is no such configuration (GREASE).
   */
  readonly encryptedHello: number | null;
}

const HANDSHAKE_HEADER = 4;
const CLIENT_HELLO = 1;
/** Version, random. */
const FIXED = 2 + 32;

const EXTENSION_SERVER_NAME = 0;
const EXTENSION_PROTOCOLS = 16;
const EXTENSION_ENCRYPTED_HELLO = 0xfe0d;
const HOST_NAME = 0;
const OUTER_HELLO = 0;
/** Type of hello, key derivation and encryption, then the number of the configuration. */
const CONFIGURATION_AT = 5;

/**
 * Reads a ClientHello that is whole.
 *
 * @param start Where the handshake message begins.
 * @param end Where it ends.
 * @returns `null` if it is none, or its lengths contradict each other.
 */
export function readClientHello(bytes: Uint8Array, start: number, end: number): ClientHello | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  let at = start + HANDSHAKE_HEADER + FIXED;
  if (at + 1 > end || bytes[start] !== CLIENT_HELLO) return null;
  // Session, cipher suites, compression methods.
  at += 1 + bytes[at];
  if (at + 2 > end) return null;
  at += 2 + view.getUint16(at);
  if (at + 1 > end) return null;
  at += 1 + bytes[at];
  let serverName: string | null = null;
  let protocols: string[] = [];
  let encryptedHello: number | null = null;
  if (at + 2 > end) return at === end ? { serverName, protocols, encryptedHello } : null;
  const last = Math.min(end, at + 2 + view.getUint16(at));
  at += 2;
  while (at + 4 <= last) {
    const type = view.getUint16(at);
    const content = at + 4;
    at = content + view.getUint16(at + 2);
    if (at > last) return null;
    if (type === EXTENSION_SERVER_NAME) serverName = readServerName(bytes, view, content, at);
    else if (type === EXTENSION_PROTOCOLS) protocols = readProtocols(bytes, content, at);
    else if (type === EXTENSION_ENCRYPTED_HELLO && at - content > CONFIGURATION_AT) {
      if (bytes[content] === OUTER_HELLO) encryptedHello = bytes[content + CONFIGURATION_AT];
    }
  }
  return { serverName, protocols, encryptedHello };
}

function readServerName(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): string | null {
  for (let at = start + 2; at + 3 <= end;) {
    const name = at + 3;
    const next = name + view.getUint16(at + 1);
    if (next > end) return null;
    if (bytes[at] === HOST_NAME) return hostName(bytes, name, next);
    at = next;
  }
  return null;
}

function readProtocols(bytes: Uint8Array, start: number, end: number): string[] {
  const protocols: string[] = [];
  for (let at = start + 2; at < end;) {
    const next = at + 1 + bytes[at];
    if (next > end) break;
    protocols.push(hostName(bytes, at + 1, next) ?? "");
    at = next;
  }
  return protocols;
}
