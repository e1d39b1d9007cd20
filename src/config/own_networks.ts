import type { Log } from "../log.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { type Cidr, cidrText, hasHostBits, parseInterfacePrefix } from "./cidr.ts";
import { bareAddress } from "./bare_address.ts";
import { ConfigError } from "./config_error.ts";

/**
 * Reads the own networks of a command line. An address with a prefix length stands for the network
 * that it is in, so that what `ip addr` prints can be given, and one word may be a list with commas,
 * as firewalls and other sensors take it.
 *
 * @param log Told when a network other than the one written is meant.
 * @throws {UserError} when one is no prefix, with exit status 2.
 */
export function parseOwnNetworks(texts: readonly string[], log: Pick<Log, "info">): Cidr[] {
  return texts.flatMap(listed).map((text) => {
    try {
      const bare = bareAddress(text);
      const cidr = parseInterfacePrefix(bare);
      if (bare !== text || hasHostBits(bare)) {
        log.info(`own network ${text} is taken as ${cidrText(cidr)}`);
      }
      return cidr;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new UserError(`own network: ${error.what}: ${error.remedy}`, WRONG_USAGE);
    }
  });
}

function listed(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return parts.length === 0 ? [text] : parts;
}
