import { cidrText } from "../config/cidr.ts";
import { loadConfig } from "../config/load.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import type { Log } from "../log.ts";
import { neverSeen, type SeenService, seenServices } from "../report/expected_services.ts";
import { explained } from "../report/open_store_file.ts";
import { openSource } from "../report/open_source.ts";
import { hasOwnNetworks, setOwnNetworks } from "../report/own_networks_of_store.ts";
import { counted, timeText } from "../report/quantities.ts";
import { UserError } from "../user_error.ts";
import { partNamesAndNetworks } from "./names_and_networks.ts";
import { printText } from "./print_text.ts";
import { sourceOf, type SourceOptions } from "./report_source_of.ts";

/** Options of the command line. */
export interface ExpectOptions extends SourceOptions {
  config?: string;
}

/**
 * The command `expect`: prints the services of the own networks as a setting for config.ts, and lists what
 * config.ts expects and was never seen.
 *
 * @returns The exit status.
 * @throws {UserError} when there is nothing to read, or no own network is known.
 */
export async function expect(
  parameters: readonly string[],
  options: ExpectOptions,
  log: Log,
): Promise<number> {
  const { names, networks } = partNamesAndNetworks(parameters);
  const { config } = await loadConfig(options.config);
  const parsed = networks.length > 0 ? parseOwnNetworks(networks, log) : config.ourNets;
  const localNetworks = parsed.map(cidrText);
  using source = await openSource(sourceOf("expect", names, options, config), localNetworks);
  const seen = explained(source.name, () => {
    setOwnNetworks(source.database, localNetworks, networks.length > 0);
    return seenServices(source.database);
  });
  const isKnown = localNetworks.length > 0 ||
    explained(source.name, () => hasOwnNetworks(source.database));
  if (seen.length === 0 && !isKnown) {
    throw new UserError(
      `${source.name} was made without own networks, so no service is one of them: name them ` +
        "behind it, or set ourNets",
    );
  }
  await printText([
    `  // The services that ${source.name} has seen, as of ${timeText(Date.now())}.`,
    "  expected: [",
    ...seen.flatMap(entryLines),
    "  ],",
  ].join("\n"));
  for (const { server, port, protocol } of neverSeen(config.expected ?? [], seen)) {
    log.warn(`expected and never seen: ${server} port ${port}/${protocol}`);
  }
  return 0;
}

/** Where the protocol is not known, it may be either. */
function entryLines({ server, port, protocol, clients, first, name }: SeenService): string[] {
  const about = [
    ...name === null ? [] : [name],
    counted(clients, "client"),
    ...first === 0 ? [] : [`since ${timeText(first)}`],
  ].join(", ");
  // What comes from packets must not end the comment.
  const comment = about.replaceAll(/[\r\n\u2028\u2029]/g, " ");
  return (protocol === "" ? ["tcp", "udp"] : [protocol])
    .map((it) => `    [${JSON.stringify(server)}, ${port}, ${JSON.stringify(it)}], // ${comment}`);
}
