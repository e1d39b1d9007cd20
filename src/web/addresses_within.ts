import { cidrText, parseInterfacePrefix } from "../config/cidr.ts";
import { LocalAddresses } from "../store/local_addresses.ts";

/**
 * The addresses within a prefix of a filter, or the one address that it is. Whoever looks for
 * `10.1.2.3/8` means the prefix that it is in.
 */
export function addressesWithin(prefix: string): LocalAddresses {
  return new LocalAddresses([cidrText(parseInterfacePrefix(prefix))]);
}
