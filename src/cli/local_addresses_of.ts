import { cidrText } from "../config/cidr.ts";
import type { Mapping } from "../config/mapping.ts";
import { LocalAddresses } from "../store/local_addresses.ts";

/** A mapping's own networks. */
export function localAddressesOf({ ourNets }: Pick<Mapping, "ourNets">): LocalAddresses {
  return new LocalAddresses(ourNets.map(cidrText));
}
