/** RFC 1035, section 2.3.4, and RFC 6066, section 3: no longer name means a host. */
const MOST_BYTES = 255;
const FIRST_PRINTED = 0x21;
const LAST_PRINTED = 0x7e;
const BACKSLASH = 0x5c;

/**
 * A name out of bytes that somebody sent: lower case, without a dot at its end. Bytes that are not
 * printed are escaped as in a zone file, `\\010` (RFC 1035, section 5.1).
 *
 * @returns `null` if it is empty, or longer than a name may be.
 */
export function hostName(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start > MOST_BYTES) return null;
  let name = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    const isPrinted = byte >= FIRST_PRINTED && byte <= LAST_PRINTED && byte !== BACKSLASH;
    name += isPrinted ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`;
  }
  name = name.toLowerCase();
  if (name.endsWith(".")) name = name.slice(0, -1);
  return name === "" ? null : name;
}
