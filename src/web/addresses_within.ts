import { ConfigError } from "../config/config_error.ts";
import { type Cidr, cidrText, parseInterfacePrefix } from "../config/cidr.ts";
import { LocalAddresses } from "../store/local_addresses.ts";
import { type Filter, FilterError } from "./filter.ts";

/**
 * The addresses within a prefix of a filter, or the one address that it is. Whoever looks for
 * `10.1.2.3/8` means the prefix that it is in.
 *
 * @throws {FilterError} when it is neither.
 */
export function addressesWithin(prefix: string): LocalAddresses {
  return new LocalAddresses([cidrText(prefixOf(prefix))]);
}

/**
 * Refuses a filter with an address that is none, though it looks like one, before SQLite is asked: what
 * is thrown in a function of SQLite's does not always end its query (Deno 2.9).
 *
 * @throws {FilterError} when there is one.
 */
export function requireAddresses(filter: Filter): void {
  for (const { field, values } of filter) {
    if (field === "client" || field === "server" || field === "host") {
      values.forEach(prefixOf);
    }
  }
}

function prefixOf(text: string): Cidr {
  try {
    return parseInterfacePrefix(text);
  } catch (error) {
    // Whoever typed a filter did not write a configuration.
    throw error instanceof ConfigError ? new FilterError(error.message) : error;
  }
}
