import { addressText } from "../../model/address_text.ts";

/** The text of an IPv4 address of four bytes; `null` for 0.0.0.0. */
export function ipv4Of(bytes: Uint8Array, at: number): string | null {
  const words = Uint32Array.of(0, 0, 0, word(bytes, at));
  return words[3] === 0 ? null : addressText(words, 0, false);
}

/** The text of an IPv6 address of sixteen bytes; `null` for `::`. */
export function ipv6Of(bytes: Uint8Array, at: number): string | null {
  const words = Uint32Array.of(0, 4, 8, 12).map((offset) => word(bytes, at + offset));
  return words.every((part) => part === 0) ? null : addressText(words, 0, true);
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
