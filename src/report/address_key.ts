import { parseAddress } from "../model/address.ts";

/** A text for an address that sorts as addresses do, IPv4 first. What is no address comes last. */
export function addressKey(text: string): string {
  const address = parseAddress(text);
  if (address === null) return `z${text}`;
  return address.family + [...address.words].map((it) => it.toString(16).padStart(8, "0")).join("");
}
