import { cidrText } from "../config/cidr.ts";
import type { Mapping } from "../config/mapping.ts";
import { LocalAddresses } from "../store/local_addresses.ts";

/** Whether an address is on one of a mapping's own networks. */
export function localAddressesOf(
  { ourNets }: Pick<Mapping, "ourNets">,
): (address: string) => boolean {
  const local = new LocalAddresses(ourNets.map(cidrText));
  return (address) => local.has(address);
}
