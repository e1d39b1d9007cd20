import { parseCidr } from "../config/cidr.ts";
import { PrefixTable } from "../config/prefix_table.ts";
import { isGroup } from "../model/group_address.ts";

/**
 * Addresses that mean the same host to nobody outside: IANA, "IPv4 Special-Purpose Address Registry" and
 * that of IPv6. Those for documentation and measurements are as any other.
 */
const PRIVATE = new PrefixTable(
  [
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
    ...["172.16.0.0/12", "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"],
  ].map((text) => [parseCidr(text), 1] as const),
);

/**
 * Whether an address is private, link-local, the host's own, or one of a group.
 *
 * @param words Has the address, four words in network order, IPv4 in the last of them, from `at` on.
 */
export function isPrivateAddress(isIpv6: boolean, words: Uint32Array, at: number): boolean {
  if (isGroup(isIpv6 ? 4 : 1, words[at + (isIpv6 ? 0 : 3)])) return true;
  return PRIVATE.find(isIpv6, words, at) !== -1;
}
