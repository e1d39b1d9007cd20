import type { Cidr } from "../config/cidr.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import type { ValidConfig } from "../config/valid_config.ts";
import type { Log } from "../log.ts";

/**
 * The own networks for a command that captures nothing: those of the command line, else those of
 * the configuration, else none.
 *
 * @throws {UserError} when one on the command line is no prefix.
 */
export function ownNetworksOf(
  config: ValidConfig,
  parameters: readonly string[],
  log: Log,
): readonly Cidr[] {
  return parameters.length > 0 ? parseOwnNetworks(parameters, log) : config.ourNets;
}
