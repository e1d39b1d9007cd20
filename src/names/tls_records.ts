import { type ClientHello, readClientHello } from "./client_hello.ts";

/** Type, version, length (RFC 8446, section 5.1). */
const RECORD_HEADER = 5;
const RECORD_HANDSHAKE = 22;
const VERSION_MAJOR = 3;
/** Section 5.2, with room for what TLS 1.2 may add. */
const MOST_RECORD = 16_384 + 2048;
const HANDSHAKE_HEADER = 4;
const CLIENT_HELLO = 1;
/** No ClientHello is longer: hybrid keys and encrypted hellos come to some kilobytes. */
export const MOST_HELLO = 16_384;

/** Whether a stream may begin with a ClientHello. */
export function mayBeTls(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 1 || bytes[start] !== RECORD_HANDSHAKE) return false;
  if (end - start > 1 && bytes[start + 1] !== VERSION_MAJOR) return false;
  return end - start <= RECORD_HEADER || bytes[start + RECORD_HEADER] === CLIENT_HELLO;
}

/**
 * Reads the ClientHello at the beginning of a stream: one handshake message, which may be in several
 * records.
 *
 * @param length How much of the stream is there.
 * @returns The hello; how many bytes there have to be before it is worth to try again; or `null` if
 * there is none, and never will be.
 */
export function readTlsHello(bytes: Uint8Array, length: number): ClientHello | number | null {
  let message: Uint8Array | null = null;
  let filled = 0;
  for (let at = 0;;) {
    if (at + RECORD_HEADER > length) return at + RECORD_HEADER;
    const size = (bytes[at + 3] << 8) | bytes[at + 4];
    if (bytes[at] !== RECORD_HANDSHAKE || bytes[at + 1] !== VERSION_MAJOR) return null;
    if (size === 0 || size > MOST_RECORD) return null;
    const content = at + RECORD_HEADER;
    if (message === null) {
      // Its length is in the first record, or it is a trick.
      if (size < HANDSHAKE_HEADER) return null;
      if (content + HANDSHAKE_HEADER > length) return content + HANDSHAKE_HEADER;
      if (bytes[content] !== CLIENT_HELLO) return null;
      const whole = HANDSHAKE_HEADER + (bytes[content + 1] << 16) + (bytes[content + 2] << 8) +
        bytes[content + 3];
      if (whole > MOST_HELLO) return null;
      // As nearly always: in one record, nothing has to be put together.
      if (whole <= size) {
        if (content + whole > length) return content + whole;
        return readClientHello(bytes, content, content + whole);
      }
      message = new Uint8Array(whole);
    }
    const wanted = Math.min(size, message.length - filled);
    if (content + wanted > length) return content + wanted;
    message.set(bytes.subarray(content, content + wanted), filled);
    filled += wanted;
    if (filled === message.length) return readClientHello(message, 0, filled);
    at = content + size;
  }
}
