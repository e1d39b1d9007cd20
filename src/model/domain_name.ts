/**
 * The text of domain names, as keys have it: in the way of master files (RFC 1035, section 5.1), with
 * ASCII letters in lower case (RFC 4343, section 3) and a dot at the end.
 *
 * A label may hold any byte. Those that are no printable ASCII are written `\DDD`, in decimal; so is
 * `;`, which would end a part of a key. A backslash goes before `.`, `\`, `"`, `(`, `)`, `@` and `$`,
 * as ShoDoHFlo's agents write them.
 */

/** A label has no more bytes (RFC 1035, section 3.1). */
const MOST_LABEL_BYTES = 63;
/** A name has no more, the length bytes of its labels included. */
const MOST_NAME_BYTES = 255;

const WITH_BACKSLASH = '.\\"()@$';
const IN_DECIMAL = ";";

/** The text of each byte. */
const BYTE_TEXTS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byteText(byte));

function byteText(byte: number): string {
  const character = String.fromCharCode(byte).toLowerCase();
  const isPrintable = byte > 0x20 && byte < 0x7f;
  if (!isPrintable || IN_DECIMAL.includes(character)) return `\\${String(byte).padStart(3, "0")}`;
  return WITH_BACKSLASH.includes(character) ? `\\${character}` : character;
}

/** The text of one label, the bytes from `start` to `end`. */
export function labelText(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += BYTE_TEXTS[bytes[i]];
  return text;
}

const encoder = new TextEncoder();

/**
 * The one text for a domain name that somebody wrote in the way of master files, with or without a
 * dot at the end. What is not ASCII stands for its bytes in UTF-8.
 *
 * @returns `null` when it is no name: an empty or too long label, a wrong escape.
 */
export function domainName(written: string): string | null {
  if (written === ".") return written;
  let text = "";
  let label = "";
  let labelBytes = 0;
  let nameBytes = 1;
  const endLabel = () => {
    if (labelBytes === 0 || labelBytes > MOST_LABEL_BYTES) return false;
    nameBytes += labelBytes + 1;
    text += label + ".";
    label = "";
    labelBytes = 0;
    return nameBytes <= MOST_NAME_BYTES;
  };
  for (let at = 0; at < written.length;) {
    if (written[at] === ".") {
      if (!endLabel()) return null;
      at++;
      continue;
    }
    const [bytes, next] = charactersAt(written, at);
    if (bytes === null) return null;
    label += labelText(bytes, 0, bytes.length);
    labelBytes += bytes.length;
    at = next;
  }
  if (labelBytes > 0 && !endLabel()) return null;
  return text === "" ? null : text;
}

/** The bytes that an escape or a character stands for, and where the next one begins. */
function charactersAt(written: string, at: number): [Uint8Array | null, number] {
  if (written[at] !== "\\") {
    const character = String.fromCodePoint(written.codePointAt(at)!);
    return [encoder.encode(character), at + character.length];
  }
  const digits = written.slice(at + 1, at + 4);
  if (/^\d{3}$/.test(digits)) {
    const byte = Number(digits);
    return [byte > 255 ? null : Uint8Array.of(byte), at + 4];
  }
  if (at + 1 >= written.length || /^\d/.test(digits)) return [null, at + 1];
  const character = String.fromCodePoint(written.codePointAt(at + 1)!);
  return [encoder.encode(character), at + 1 + character.length];
}

/** Whether a name is one of `suffixes` or below one; all as {@linkcode domainName} gives them. */
export function isBelow(name: string, suffixes: readonly string[]): boolean {
  return suffixes.some((suffix) =>
    name.endsWith(suffix) &&
    (name.length === suffix.length || suffix === "." ||
      isLabelEnd(name, name.length - suffix.length - 1))
  );
}

/** Whether the dot at this place ends a label, and is not a part of one. */
function isLabelEnd(name: string, at: number): boolean {
  if (name[at] !== ".") return false;
  let backslashes = 0;
  while (name[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 0;
}
