import { parseAddress } from "../model/address.ts";
import { bareAddress } from "../config/bare_address.ts";
import type { Log } from "../log.ts";
import { isFile } from "./is_file.ts";

/** An IPv4 address and a slash, whether or not it is a good prefix. */
const LIKE_IPV4_PREFIX = /^[\d.]+\/\d*$/;

/**
 * Parts what stands on the command line into names (of interfaces or files) and own networks. What
 * has the form of an address or a prefix, or begins a list of them, is a network; `./10.0.0.1` is a
 * file.
 */
export function partNamesAndNetworks(
  parameters: readonly string[],
): { names: string[]; networks: string[] } {
  const names: string[] = [];
  const networks: string[] = [];
  for (const parameter of parameters) (isNetwork(parameter) ? networks : names).push(parameter);
  return { names, networks };
}

function isNetwork(text: string): boolean {
  const [first] = text.split(",");
  return LIKE_IPV4_PREFIX.test(first) || parseAddress(bareAddress(first).split("/")[0]) !== null;
}

/** Says of own networks that are called like files how these are named. */
export function sayFilesAmong(networks: readonly string[], log: Log): void {
  for (const network of networks.filter(isFile)) {
    log.warn(
      `${network} is taken for an own network; for the file of that name write ./${network}`,
    );
  }
}
