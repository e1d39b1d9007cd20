import { Buffer } from "node:buffer";
import { brotliDecompressSync } from "node:zlib";
import { isPrivateHardware } from "./hardware_address.ts";

/** Digits of the prefixes of IEEE's registries MA-S, MA-M and MA-L: the longest that fits is the vendor's. */
const PREFIX_DIGITS = [9, 7, 6];
const LINE_FEED = 0x0a;

/**
 * The vendors of hardware addresses, by IEEE's registries. They are 1.7 MB, which nobody pays for who
 * does not ask.
 */
export class Vendors {
  /** Lines as `vendor_data.ts` says. */
  readonly #lines: Buffer;

  private constructor(lines: Buffer) {
    this.#lines = lines;
  }

  /** Loads them. */
  static async load(): Promise<Vendors> {
    const { VENDOR_DATA } = await import("./vendor_data.ts");
    return new Vendors(brotliDecompressSync(Buffer.from(VENDOR_DATA, "base64")));
  }

  /**
   * Who has made it.
   *
   * @param hardware Six bytes in lower case hexadecimal, with colons.
   * @returns `null` for one that the host has made up, and one that is not registered.
   */
  of(hardware: string): string | null {
    if (isPrivateHardware(hardware)) return null;
    const digits = hardware.replaceAll(":", "");
    for (const length of PREFIX_DIGITS) {
      const vendor = this.#find(digits.slice(0, length) + " ");
      if (vendor !== null) return vendor;
    }
    return null;
  }

  #find(prefix: string): string | null {
    const lines = this.#lines;
    const wanted = Buffer.from(prefix);
    let low = 0;
    let high = lines.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = middle === 0 ? 0 : lines.lastIndexOf(LINE_FEED, middle - 1) + 1;
      const end = lines.indexOf(LINE_FEED, middle);
      const order = wanted.compare(lines, start, start + wanted.length);
      if (order === 0) return lines.toString("utf8", start + wanted.length, end);
      if (order < 0) high = start;
      else low = end + 1;
    }
    return null;
  }
}
