import { parseAddress } from "../model/address.ts";
import { LatestValues } from "../model/latest_values.ts";

/** Keys that are remembered: there are many rows of few addresses. */
const keys = new LatestValues<string>(20_000);

/** A text for an address that sorts as addresses do, IPv4 first. What is no address comes last. */
export function addressKey(text: string): string {
  let key = keys.get(text);
  if (key !== undefined) return key;
  keys.set(text, key = newKey(text));
  return key;
}

function newKey(text: string): string {
  const address = parseAddress(text);
  if (address === null) return `z${text}`;
  return address.family + [...address.words].map((it) => it.toString(16).padStart(8, "0")).join("");
}
