import { isAbsolute } from "node:path";
import { ALERT_PLACE_FORM, type AlertPlace, parseAlertPlace } from "./alert_place.ts";
import type { ExpectedService } from "./expected_service.ts";
import { addressText } from "../model/address_text.ts";
import { Action } from "./action.ts";
import * as actions from "./actions/mod.ts";
import { parseAddress } from "../model/address.ts";
import { type Cidr, cidrText, parseCidr } from "./cidr.ts";
import { bitsOf } from "./prefix_mask.ts";
import { closest } from "./closest.ts";
import { DEFAULT_DNS_PORTS } from "../model/dns_ports.ts";
import { domainName } from "../model/domain_name.ts";
import { IPFIX_ADDRESS_FORM, parseIpfixAddress } from "../model/ipfix_address.ts";
import { METRICS_ADDRESS_FORM, parseMetricsAddress } from "../model/metrics_address.ts";
import { atPath, ConfigError } from "./config_error.ts";
import { ALL_NETWORK, type Config, Configuration, type Tunnels } from "./configuration.ts";
import type { FlowFunction } from "./flow_function.ts";
import { OUR_NETS } from "./our_nets.ts";
import { isPort, MAXIMUM_PORT } from "./port_set.ts";
import { BYTE_SIZE_FORM, parseByteSize } from "../model/byte_size.ts";
import { DURATION_FORM, parseDuration } from "../model/duration.ts";
import { redisNodes } from "./redis_nodes.ts";
import { SENSOR_NAME, SENSOR_NAME_FORM } from "../model/sensor_name.ts";
import { shown } from "./shown.ts";
import {
  type IgnoredFlow,
  placeWithoutFile,
  type ValidConfig,
  type ValidNetwork,
  type ValidRule,
} from "./valid_config.ts";

/** The contract with ShoDoHFlo's viewer: ../shared/redis-keys.md has 900 s. */
const DEFAULT_TTL = 900;
/** Some 68 years; more is a slip, and Redis refuses what overflows when counted in milliseconds. */
const MAXIMUM_TTL = 2 ** 31 - 1;
const DEFAULT_FLUSH_INTERVAL = 1;
/** Shorter would be a write for each packet. */
const MINIMUM_FLUSH_INTERVAL = 0.01;
/** Longer than any key's time to live is of use to nobody. */
const MAXIMUM_FLUSH_INTERVAL = 3600;
/** The forms of URL that name a Redis, without their colon. */
const REDIS_SCHEMES = [
  ...["redis", "rediss", "unix", "redis+unix", "redis+socket", "redis-socket"],
  ...["redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"],
];
const EVERYTHING = ["0.0.0.0/0", "::/0"];

/** Checks one setting, and gives what it means; `undefined` is a setting that was left out. */
const SETTINGS = {
  redis: (value) => value === undefined ? null : redisUrl(value),
  redisPasswordFile: (value) =>
    value === undefined ? null : absolutePath(value, "/etc/flosensor/redis-password"),
  sensor: (value) => value === undefined ? null : sensorName(value),
  ipfix: (value) =>
    value === undefined ? null : textSetting(value, parseIpfixAddress, IPFIX_ADDRESS_FORM),
  store: (value) => value === undefined ? null : absolutePath(value, "/var/lib/flosensor/flows.db"),
  retain: (value) => value === undefined ? null : textSetting(value, parseDuration, DURATION_FORM),
  storeSize: (value) =>
    value === undefined ? null : textSetting(value, parseByteSize, BYTE_SIZE_FORM),
  clickhouse: (value) => value === undefined ? null : clickHouseUrl(value),
  clickhousePasswordFile: (value) =>
    value === undefined ? null : absolutePath(value, "/etc/flosensor/clickhouse-password"),
  clickhouseSpool: (value) =>
    value === undefined ? null : absolutePath(value, "/var/lib/flosensor/clickhouse"),
  clickhouseSpoolSize: (value) =>
    value === undefined ? null : textSetting(value, parseByteSize, BYTE_SIZE_FORM),
  expected: (value) => value === undefined ? null : list(value, "expected", expectedService),
  onAlert: (value): AlertPlace[] => {
    if (value === undefined) return [{ kind: "log" }];
    return typeof value === "string" ? [alertPlace(value)] : list(value, "onAlert", alertPlace);
  },
  metrics: (value) =>
    value === undefined ? null : textSetting(value, parseMetricsAddress, METRICS_ADDRESS_FORM),
  ttl: (value) => value === undefined ? DEFAULT_TTL : ttlSeconds(value),
  flushInterval: (value) => value === undefined ? DEFAULT_FLUSH_INTERVAL : flushSeconds(value),
  suppressOwnNetwork: (value) => value === undefined ? true : booleanSetting(value),
  ourNets: (value) => value === undefined ? [] : list(value, "ourNets", ownPrefix),
  ignoreFlows: (value) => value === undefined ? [] : list(value, "ignoreFlows", ignoredFlow),
  dnsPorts: (value) =>
    value === undefined ? DEFAULT_DNS_PORTS.dnsPorts : list(value, "dnsPorts", portNumber),
  multicastDns: (value) =>
    value === undefined ? DEFAULT_DNS_PORTS.multicastDns : booleanSetting(value),
  ignoreDns: (value) => value === undefined ? [] : list(value, "ignoreDns", ignoredName),
  encryptedDns: (value) =>
    value === undefined ? [] : list(value, "encryptedDns", resolverNameOrAddress),
  devices: (value) => value === undefined ? true : booleanSetting(value),
  tunnels: (value) => value === undefined ? "inner" : tunnelsSetting(value),
  networks: (value) => value === undefined ? [everything()] : networkList(value),
  // Needs the networks: read by itself.
  flows: (value) => value,
} satisfies { [Name in keyof Required<Config>]: (value: unknown) => unknown };

/**
 * Checks a configuration.
 *
 * @param placeOf Where entries stand. By default, they are in no file.
 * @throws {ConfigError} for the first thing that is wrong.
 */
export function validate(
  configuration: unknown,
  placeOf: ValidConfig["placeOf"] = placeWithoutFile,
): ValidConfig {
  const settings = settingsOf(configuration);
  const read = <Name extends keyof typeof SETTINGS>(name: Name) =>
    atPathUnlessKnown([name], () => SETTINGS[name](settings[name])) as ReturnType<
      typeof SETTINGS[Name]
    >;
  const networks = read("networks");
  if (settings.redisPasswordFile !== undefined && settings.redis === undefined) {
    throw new ConfigError(
      "there is no redis whose password this could be",
      "add redis, or name the file with --redis-password-file",
      ["redisPasswordFile"],
    );
  }
  if (settings.clickhousePasswordFile !== undefined && settings.clickhouse === undefined) {
    throw new ConfigError(
      "there is no clickhouse whose password this could be",
      "add clickhouse, or name the file with --clickhouse-password-file",
      ["clickhousePasswordFile"],
    );
  }
  return {
    redis: read("redis"),
    redisPasswordFile: read("redisPasswordFile"),
    sensor: read("sensor"),
    store: read("store"),
    retain: read("retain"),
    storeSize: read("storeSize"),
    clickhouse: read("clickhouse"),
    clickhousePasswordFile: read("clickhousePasswordFile"),
    clickhouseSpool: read("clickhouseSpool"),
    clickhouseSpoolSize: read("clickhouseSpoolSize"),
    expected: read("expected"),
    onAlert: read("onAlert"),
    metrics: read("metrics"),
    ipfix: read("ipfix"),
    ttl: read("ttl"),
    flushInterval: read("flushInterval"),
    suppressOwnNetwork: read("suppressOwnNetwork"),
    ourNets: read("ourNets"),
    ignoreFlows: read("ignoreFlows"),
    dnsPorts: read("dnsPorts"),
    multicastDns: read("multicastDns"),
    ignoreDns: read("ignoreDns"),
    encryptedDns: read("encryptedDns"),
    devices: read("devices"),
    tunnels: read("tunnels"),
    networks,
    rules: atPathUnlessKnown(["flows"], () => ruleList(settings.flows, networks)),
    placeOf,
  };
}

/** Entries know their path better than the setting does. */
function atPathUnlessKnown<T>(path: string[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ConfigError && error.path.length === 0 ? error.at(path) : error;
  }
}

function settingsOf(configuration: unknown): Record<string, unknown> {
  if (!(configuration instanceof Configuration)) {
    throw new ConfigError(
      "the default export is not made by defineConfig",
      "write export default defineConfig({ ... })",
    );
  }
  const { settings } = configuration;
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    throw new ConfigError(
      `defineConfig was given ${shown(settings)}`,
      "give it an object with settings",
    );
  }
  // Of a promise, no setting would be seen, and none missed.
  if (settings instanceof Promise) {
    throw new ConfigError("defineConfig was given a promise", "write await before what makes it");
  }
  for (const name of Object.keys(settings)) {
    if (Object.hasOwn(SETTINGS, name)) continue;
    const meant = closest(name, Object.keys(SETTINGS));
    throw new ConfigError(
      "there is no such setting",
      meant === undefined
        ? `the settings are ${Object.keys(SETTINGS).join(", ")}`
        : `did you mean "${meant}"?`,
      [name],
    );
  }
  return settings as Record<string, unknown>;
}

/** What else is wrong with it is said where it is used. */
function clickHouseUrl(value: unknown): string {
  if (typeof value === "string" && /^https?:\/\//i.test(value)) return value;
  throw new ConfigError(
    "this is not the URL of a ClickHouse",
    'write it as "https://user@host:8443/database"',
  );
}

function redisUrl(value: unknown): string {
  const example = 'write it as "redis://localhost:6379"';
  if (Array.isArray(value)) return redisNodes(value);
  // A URL may hold a password: messages name its scheme only. The rest is read where it is used.
  if (typeof value !== "string") {
    throw new ConfigError("this is not the text of a URL", example);
  }
  const scheme = /^([a-z][a-z\d+.-]*):/i.exec(value)?.[1].toLowerCase();
  if (scheme !== undefined && REDIS_SCHEMES.includes(scheme)) return value;
  const isHostAndPort = scheme === undefined || !/^[^:]*:\/\//.test(value);
  throw isHostAndPort
    ? new ConfigError("this is not the URL of a Redis", example)
    : new ConfigError(
      `"${scheme}:" is not the URL of a Redis`,
      "use redis://, rediss:// (TLS), unix://, redis-cluster:// or redis-sentinel://",
    );
}

function sensorName(value: unknown): string {
  if (typeof value === "string" && SENSOR_NAME.test(value)) return value;
  throw new ConfigError(`${shown(value)} is no name of a sensor`, `write ${SENSOR_NAME_FORM}`);
}

function absolutePath(value: unknown, example: string): string {
  if (typeof value === "string" && isAbsolute(value)) return value;
  throw new ConfigError("this is not the whole path of a file", `write it as "${example}"`);
}

function expectedService(entry: unknown): ExpectedService {
  const example = 'write it as ["10.0.11.23", 22, "tcp"], perhaps with prefixes of its clients';
  if (!Array.isArray(entry) || entry.length < 3) {
    throw new ConfigError(`${shown(entry)} is not an address, a port and a protocol`, example);
  }
  const [address, port, protocol, ...clients] = entry;
  const parsed = typeof address === "string" ? parseAddress(address) : null;
  if (parsed === null) {
    throw new ConfigError(`${shown(address)} is not an IPv4 or IPv6 address`, example, [0]);
  }
  atPath([1], () => portNumber(port));
  if (protocol !== "tcp" && protocol !== "udp") {
    throw new ConfigError(`${shown(protocol)} is not a protocol`, 'write "tcp" or "udp"', [2]);
  }
  return {
    server: addressText(parsed.words, 0, parsed.family === 6),
    port,
    protocol,
    clients: clients.map((client, i) => atPath([i + 3], () => cidrText(parseCidr(client)))),
  };
}

function alertPlace(entry: unknown): AlertPlace {
  const place = typeof entry === "string" ? parseAlertPlace(entry) : null;
  if (place !== null) return place;
  // A URL may have something secret in it.
  throw new ConfigError("this is not where alerts can go", `write ${ALERT_PLACE_FORM}`);
}

function textSetting<T>(value: unknown, read: (text: string) => T | null, form: string): T {
  const result = typeof value === "string" ? read(value) : null;
  if (result !== null) return result;
  throw new ConfigError(`${shown(value)} is not understood`, `write ${form}`);
}

function ttlSeconds(value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAXIMUM_TTL) {
    return value as number;
  }
  throw new ConfigError(
    `${shown(value)} is not a time to live`,
    `give whole seconds from 1 to ${MAXIMUM_TTL}, as in ttl: ${DEFAULT_TTL}`,
  );
}

function flushSeconds(value: unknown): number {
  const isInRange = typeof value === "number" && value >= MINIMUM_FLUSH_INTERVAL &&
    value <= MAXIMUM_FLUSH_INTERVAL;
  if (isInRange) return value;
  throw new ConfigError(
    `${shown(value)} is not an interval`,
    `give seconds from ${MINIMUM_FLUSH_INTERVAL} to ${MAXIMUM_FLUSH_INTERVAL}`,
  );
}

function booleanSetting(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new ConfigError(`${shown(value)} is neither true nor false`, "write it without quotes");
}

function tunnelsSetting(value: unknown): Tunnels {
  const choices: readonly Tunnels[] = ["inner", "outer", "both"];
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const meant = typeof value === "string" ? closest(value, choices) : undefined;
  throw new ConfigError(
    `${shown(value)} is no choice of what to read of tunnels`,
    meant === undefined ? 'write "inner", "outer" or "both"' : `did you mean "${meant}"?`,
  );
}

/** Reads each entry of a list; what an entry throws gets the entry's path. */
function list<T>(value: unknown, setting: string, read: (entry: unknown) => T): T[] {
  if (!Array.isArray(value)) {
    throw new ConfigError(`${shown(value)} is not a list`, `write ${setting}: [ ... ]`);
  }
  return Array.from(value, (entry, i) => {
    try {
      return read(entry);
    } catch (error) {
      throw error instanceof ConfigError ? error.at([setting, i, ...error.path]) : error;
    }
  });
}

function ownPrefix(entry: unknown): Cidr {
  if (entry === OUR_NETS) {
    throw new ConfigError("OUR_NETS can't be one of the own networks", "write prefixes here");
  }
  return parseCidr(entry);
}

function ignoredFlow(entry: unknown): IgnoredFlow {
  if (!Array.isArray(entry) || entry.length !== 2) {
    throw new ConfigError(
      `${shown(entry)} is not an address and a port`,
      'write it as ["10.0.11.23", 53]',
    );
  }
  const [address, port] = entry;
  const parsed = typeof address === "string" ? parseAddress(address) : null;
  if (parsed === null) {
    throw new ConfigError(
      `${shown(address)} is not an IPv4 or IPv6 address`,
      "ignoreFlows takes single addresses, without a prefix length",
      [0],
    );
  }
  if (!isPort(port)) {
    throw new ConfigError(
      `${shown(port)} is not a port`,
      `a port is a whole number from 1 to ${MAXIMUM_PORT}`,
      [1],
    );
  }
  return { address: { ...parsed, prefixLength: bitsOf(parsed.family) }, port };
}

function portNumber(entry: unknown): number {
  if (isPort(entry)) return entry;
  throw new ConfigError(
    `${shown(entry)} is not a port`,
    `a port is a whole number from 1 to ${MAXIMUM_PORT}`,
  );
}

function ignoredName(entry: unknown): string {
  // ".example.com" and "*.example.com" are how other programs have it.
  const name = typeof entry === "string" ? domainName(entry.replace(/^\*?\./, "") || ".") : null;
  if (name !== null) return name;
  throw new ConfigError(
    `${shown(entry)} is not a domain name`,
    'write it as "example.com", which is for all names below it too',
  );
}

function resolverNameOrAddress(entry: unknown): string {
  const address = typeof entry === "string" ? parseAddress(entry) : null;
  if (address !== null) return addressText(address.words, 0, address.family === 6);
  const name = typeof entry === "string" ? domainName(entry.replace(/^\*?\./, "")) : null;
  if (name !== null && !/[/:]/.test(name)) return name;
  throw new ConfigError(
    `${shown(entry)} is neither a name nor an address of a resolver`,
    'write it as "dns.example.com" or "192.0.2.53", without a path and a port',
  );
}

function everything(): ValidNetwork {
  return { name: ALL_NETWORK, prefixes: EVERYTHING.map(parseCidr) };
}

function networkList(value: unknown): ValidNetwork[] {
  const networks = list(value, "networks", network);
  networks.forEach(({ name }, i) => {
    const first = networks.findIndex((other) => other.name === name);
    if (first === i) return;
    throw new ConfigError(
      `network "${name}" is already networks[${first}]`,
      "put all its prefixes into one entry, or give it another name",
      ["networks", i],
    );
  });
  return networks;
}

function network(entry: unknown): ValidNetwork {
  if (!Array.isArray(entry) || typeof entry[0] !== "string" || entry[0] === "") {
    throw new ConfigError(
      `${shown(entry)} is not a network`,
      'write it as ["name", "10.0.0.0/8"]',
    );
  }
  const [name, ...prefixes] = entry;
  if (prefixes.length === 0) {
    throw new ConfigError(`network "${name}" has no prefix`, `write ["${name}", "10.0.0.0/8"]`);
  }
  return {
    name,
    prefixes: prefixes.map((prefix, i) =>
      prefix === OUR_NETS ? OUR_NETS : atPath([i + 1], () => parseCidr(prefix))
    ),
  };
}

function ruleList(value: unknown, networks: readonly ValidNetwork[]): ValidRule[] {
  if (value === undefined) return defaultRules();
  const names = networks.map(({ name }) => name);
  return list(value, "flows", (entry) => rule(entry, names));
}

/** What was seen comes before what is likely, and that before a guess. */
function defaultRules(): ValidRule[] {
  return [actions.Initiator(), actions.Service(), actions.LowerPort()]
    .map((action) => ({ source: -1, destination: -1, action }));
}

function rule(entry: unknown, names: readonly string[]): ValidRule {
  if (!Array.isArray(entry) || entry.length !== 3) {
    throw new ConfigError(
      `${shown(entry)} is not a rule`,
      "write [source network, destination network, action], null for any network",
    );
  }
  return {
    source: atPath([0], () => networkIndex(entry[0], names)),
    destination: atPath([1], () => networkIndex(entry[1], names)),
    action: atPath([2], () => ruleAction(entry[2])),
  };
}

function networkIndex(value: unknown, names: readonly string[]): number {
  if (value === null) return -1;
  if (value === OUR_NETS) {
    throw new ConfigError(
      "OUR_NETS is no network's name",
      'define a network, ["our_nets", OUR_NETS], and write its name here',
    );
  }
  if (typeof value !== "string") {
    throw new ConfigError(
      `${shown(value)} is not a network's name`,
      "name a network, or write null for any",
    );
  }
  const index = names.indexOf(value);
  if (index >= 0) return index;
  const meant = closest(value, names);
  throw new ConfigError(
    `unknown network "${value}"`,
    meant === undefined
      ? `the networks are ${names.join(", ") || "none"}; null is any`
      : `did you mean "${meant}"?`,
  );
}

function ruleAction(value: unknown): Action | FlowFunction {
  if (value instanceof Action) return value;
  const vocabulary = Object.entries(actions).find(([, action]) => action === value);
  if (vocabulary !== undefined) {
    throw new ConfigError(`${vocabulary[0]} is not called`, `write ${vocabulary[0]}(...)`);
  }
  if (typeof value === "function") return value as FlowFunction;
  throw new ConfigError(
    `${shown(value)} is not an action`,
    `use ${Object.keys(actions).join(", ")} or a function`,
  );
}
