import type { DatabaseSync } from "node:sqlite";
import { LocalAddresses } from "../store/local_addresses.ts";

/**
 * Has services be those of the own networks that are named. Of those of the configuration that is so only
 * where a store was written without any: it knows better than a configuration that came later.
 *
 * Nothing is written to the store but a view of this connection, which takes the place of the table.
 *
 * @param networks As `cidrText` writes them.
 * @param areNamed Whether the command line has them.
 */
export function setOwnNetworks(
  database: DatabaseSync,
  networks: readonly string[],
  areNamed: boolean,
): void {
  if (networks.length === 0 || (!areNamed && hasOwnNetworks(database))) return;
  const local = new LocalAddresses(networks);
  database.function(
    "is_own",
    { deterministic: true },
    (address) => Number(local.has(String(address))),
  );
  database.exec(
    "CREATE TEMP VIEW service AS SELECT id, server, port, protocol, is_own(server) AS is_local, " +
      "answered, first, last FROM main.service",
  );
}

/** Whether a store knows which services are of own networks. */
export function hasOwnNetworks(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM run WHERE local_networks <> '' LIMIT 1").get() !==
    undefined;
}
