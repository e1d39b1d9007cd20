import { readDnsMessage } from "../../dns/dns_message.ts";
import type { Announcement } from "./announcement.ts";

/** The domain of names that hosts give themselves (RFC 6762, section 3). */
const LOCAL = ".local.";

/** Reads the host names that a response of multicast DNS announces, each with its addresses. */
export function readMdns(bytes: Uint8Array, start: number, end: number): Announcement[] {
  const { response } = readDnsMessage(bytes, start, end, true);
  const addressesOf = new Map<string, string[]>();
  for (const { owner, address } of response?.addresses ?? []) {
    if (!owner.endsWith(LOCAL)) continue;
    const name = owner.slice(0, -LOCAL.length);
    addressesOf.set(name, [...addressesOf.get(name) ?? [], address]);
  }
  return [...addressesOf].map(([name, addresses]) => ({
    by: "mdns",
    hardware: null,
    addresses,
    name,
    lease: null,
  }));
}
