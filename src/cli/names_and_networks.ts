import { parseAddress } from "../config/address.ts";

/** An IPv4 address and a slash, whether or not it is a good prefix. */
const LIKE_IPV4_PREFIX = /^[\d.]+\/\d*$/;

/**
 * Parts what stands on the command line into names (of interfaces or files) and own networks. What
 * has the form of an address or a prefix is a network; `./10.0.0.1` is a file.
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
  return LIKE_IPV4_PREFIX.test(text) || parseAddress(text.split("/")[0]) !== null;
}
