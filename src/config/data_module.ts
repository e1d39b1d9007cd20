import { Buffer } from "node:buffer";

/** In stack traces Deno shortens a long `data:` URL to its beginning and this many characters. */
const SHOWN_END = 20;
/** Bytes that make these characters in base64 (RFC 4648, section 4), 3 for 4. */
const SHOWN_BYTES = 15;
const BYTES_OF_UNIT = 3;

let modules = 0;

/** A module made of text, to be imported by its URL. */
export interface DataModule {
  readonly url: string;
  /** How the URL ends, also where it is shortened. No other module's ends so. */
  readonly urlEnd: string;
}

/**
 * Makes a module of JavaScript text. Each call makes another module, though the text be the same.
 *
 * It is a `data:` URL and not a `blob:` URL, because a compiled program loads only the former.
 */
export function dataModule(code: string): DataModule {
  const comment = `//${String(++modules).padStart(SHOWN_BYTES - 2, "0")}`;
  // Base64 of whole units has no padding, and then its end is that of the comment alone.
  const bytes = Buffer.byteLength(code) + 1;
  const blanks = " ".repeat((BYTES_OF_UNIT - bytes % BYTES_OF_UNIT) % BYTES_OF_UNIT);
  const text = Buffer.from(`${code}${blanks}\n${comment}`).toString("base64");
  const url = `data:text/javascript;base64,${text}`;
  return { url, urlEnd: url.slice(-SHOWN_END) };
}
