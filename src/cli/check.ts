import { checkConfig, type Finding } from "../config/check.ts";
import { type Cidr, cidrText } from "../config/cidr.ts";
import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { Mapping } from "../config/mapping.ts";
import { OUR_NETS } from "../config/our_nets.ts";
import type { ValidConfig } from "../config/valid_config.ts";
import type { Log } from "../log.ts";
import { parseRedisUrl } from "../sink/redis_url.ts";
import { aligned } from "./aligned.ts";
import { ownNetworksOf } from "./own_networks_of.ts";
import { printText } from "./print_text.ts";
import { refuseConfigurations } from "./refuse_configurations.ts";
import { configuredPasswordFile } from "./store.ts";

/** Options of the command `check`. */
export interface CheckOptions {
  /** The configuration's file; otherwise it is looked for. */
  config?: string;
  /** The own networks; otherwise those of the configuration. */
  ourNets: readonly string[];
}

/**
 * Loads the configuration, and prints its networks, its rules, and what is suspicious.
 *
 * @param print Takes the text. By default, it goes to standard output.
 * @returns The exit status: 0, since what is suspicious works. An error is thrown.
 * @throws {UserError} for the first error in the configuration.
 */
export async function check(
  options: CheckOptions,
  log: Log,
  print: (text: string) => unknown = printText,
): Promise<number> {
  refuseConfigurations(options.ourNets);
  const loaded = await loadConfig(options.config);
  const { config } = loaded;
  const ourNets = ownNetworksOf(config, options.ourNets, log);
  const mapping = new Mapping(config, ourNets, log);
  const findings = checkConfig(config, ourNets);
  const lines = [
    ...settingLines(loaded, ourNets),
    "",
    "Networks (an address is in the first that holds it):",
    ...networkLines(loaded, ourNets),
    "",
    "Rules (asked in this order, for the network of the source and that of the destination):",
    ...ruleLines(mapping),
    "",
    ...findingLines(findings),
  ];
  await print(lines.join("\n"));
  return 0;
}

function settingLines({ config, description }: LoadedConfig, ourNets: readonly Cidr[]): string[] {
  const passwordFile = configuredPasswordFile(config);
  const redis = config.redis === null
    ? "none"
    : parseRedisUrl(config.redis, config.placeOf(["redis"]), passwordFile).text;
  const suppressed = config.suppressOwnNetwork ? "left out" : "written";
  return aligned([
    ["Configuration:", description],
    ["Redis:", redis],
    ...(passwordFile === undefined
      ? []
      : [["Its password:", `the first line of ${passwordFile.path}`]]),
    ["Keys live:", `${config.ttl} s after they were last written`],
    ["Keys are written:", `every ${config.flushInterval} s`],
    ["Own networks:", ourNetsText(ourNets)],
    ["Flows within them:", suppressed],
    ["DNS is read from:", dnsText(config)],
    ...(config.ignoreDns.length === 0 ? [] : [["No names of:", config.ignoreDns.join(", ")]]),
    ...config.ignoreFlows.map(({ address, port }) => [
      "No flow keys for:",
      `${cidrText(address).replace(/\/\d+$/, "")} port ${port}`,
    ]),
  ], "");
}

function dnsText({ dnsPorts, multicastDns }: ValidConfig): string {
  const ports = dnsPorts.length === 0 ? [] : [`port ${dnsPorts.join(", ")}`];
  return [...ports, ...(multicastDns ? ["mDNS", "LLMNR"] : [])].join(", ") || "nowhere";
}

function ourNetsText(ourNets: readonly Cidr[]): string {
  return ourNets.length === 0
    ? "not known here (capture takes the interface's; name them to see what they do)"
    : ourNets.map(cidrText).join(", ");
}

function networkLines({ config }: LoadedConfig, ourNets: readonly Cidr[]): string[] {
  if (config.networks.length === 0) return ["  none"];
  return aligned(config.networks.map(({ name, prefixes }) => {
    const own = ourNets.length === 0 ? "" : ` (${ourNets.map(cidrText).join(", ")})`;
    const texts = prefixes.map((prefix) =>
      prefix === OUR_NETS ? `the own networks${own}` : cidrText(prefix)
    );
    return [name, texts.join(", ")];
  }));
}

function ruleLines(mapping: Mapping): string[] {
  if (mapping.actions.length === 0) return ["  none"];
  return mapping.actions.flatMap((action, i) => [
    `  flows[${i}]  ${mapping.ruleText(i)}`,
    `            ${action.describe()}`,
  ]);
}

function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ["Nothing suspicious."];
  return findings.map(({ severity, place, message }) => `${place}: ${severity}: ${message}`);
}
