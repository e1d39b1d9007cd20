import type { Mapping } from "./mapping.ts";

/** How {@linkcode loadMapping} loads. */
export interface LoadMappingOptions {
  /** The configuration's file. By default, what the program would take without `--config`. */
  file?: string;
  /** The own networks, as `10.0.0.0/8`. By default, `ourNets` of the configuration. */
  ownNetworks?: readonly string[];
  /** Told, in one line each, what the user should know. By default, nobody is. */
  log?: (line: string) => void;
}

/**
 * Loads a configuration, and makes of it what a `Engine` asks.
 *
 * @throws {UserError} for the first thing that is wrong with it, or with the own networks.
 */
export async function loadMapping(options: LoadMappingOptions = {}): Promise<Mapping> {
  const { file, ownNetworks = [], log = () => {} } = options;
  // Not before they are needed: whoever only asks for help does not wait for them.
  const { loadConfig } = await import("./load.ts");
  const { Mapping } = await import("./mapping.ts");
  const { parseOwnNetworks } = await import("./own_networks.ts");
  const { config } = await loadConfig(file);
  const networks = parseOwnNetworks(ownNetworks, { info: log });
  return new Mapping(config, networks.length > 0 ? networks : config.ourNets, { warn: log });
}
