import type { AlertPlace } from "./alert_place.ts";
import type { ExpectedService } from "./expected_service.ts";
import type { IpfixAddress } from "../model/ipfix_address.ts";
import type { HttpAddress } from "../model/http_address.ts";
import type { Action } from "./action.ts";
import type { Cidr } from "./cidr.ts";
import { type ConfigPath, pathText } from "./config_error.ts";
import type { Tunnels } from "./configuration.ts";
import type { FlowFunction } from "./flow_function.ts";
import type { OUR_NETS } from "./our_nets.ts";

/** A network of a checked configuration. */
export interface ValidNetwork {
  readonly name: string;
  readonly prefixes: readonly (Cidr | typeof OUR_NETS)[];
}

/** A rule of a checked configuration. */
export interface ValidRule {
  /** Index of the source's network, or -1 for any. */
  readonly source: number;
  /** Index of the destination's network, or -1 for any. */
  readonly destination: number;
  readonly action: Action | FlowFunction;
}

/** A service whose flow keys are not written. */
export interface IgnoredFlow {
  /** The address, as a prefix of all its bits. */
  readonly address: Cidr;
  readonly port: number;
}

/** A configuration that was checked: every setting is there and means something. */
export interface ValidConfig {
  readonly redis: string | null;
  /** What the sensor is called; `null` where that is not said. */
  readonly sensor: string | null;
  /** Path of the file with its password. */
  readonly redisPasswordFile: string | null;
  /** A collector of IPFIX; `null` for none. */
  readonly ipfix: IpfixAddress | null;
  /** The store's file. */
  readonly store: string | null;
  /** How long the store keeps conversations, in milliseconds; `null` where nothing is said. */
  readonly retain: number | null;
  /** How large the store's file may get, in bytes; `null` where nothing is said. */
  readonly storeSize: number | null;
  /** URL of the ClickHouse. */
  readonly clickhouse: string | null;
  /** Path of the file with its password. */
  readonly clickhousePasswordFile: string | null;
  /** The folder where what can't be inserted waits; `null` where nothing is said. */
  readonly clickhouseSpool: string | null;
  /** How much may wait there, in bytes; `null` where nothing is said. */
  readonly clickhouseSpoolSize: number | null;
  /** Services of the own networks that are meant to be there; `null` where nothing is said. */
  readonly expected: readonly ExpectedService[] | null;
  /** Where alerts go. */
  readonly onAlert: readonly AlertPlace[];
  /** Where metrics are served; `null` for nowhere. */
  readonly metrics: HttpAddress | null;
  /** How long a key lives after it was last written, in seconds. */
  readonly ttl: number;
  /** How often what was seen is written, in seconds. */
  readonly flushInterval: number;
  readonly suppressOwnNetwork: boolean;
  readonly ourNets: readonly Cidr[];
  readonly ignoreFlows: readonly IgnoredFlow[];
  /** Ports that name servers answer from. */
  readonly dnsPorts: readonly number[];
  /** Whether mDNS and LLMNR are looked at. */
  readonly multicastDns: boolean;
  /** Names that make no keys, with all below them, as `domainName` gives them. */
  readonly ignoreDns: readonly string[];
  /** Names, as `domainName` gives them, and addresses of resolvers that take encrypted DNS. */
  readonly encryptedDns: readonly string[];
  /** Whether it is learned who the hosts on the own networks are. */
  readonly devices: boolean;
  /** Which of the conversations in tunnels, and of those that tunnels are, make flows. */
  readonly tunnels: Tunnels;
  readonly networks: readonly ValidNetwork[];
  readonly rules: readonly ValidRule[];
  /** Where an entry stands, as messages name it: `config.ts:12`, or `flows[3]` without a file. */
  placeOf(path: ConfigPath): string;
}

/** The place of an entry of a configuration that is in no file. */
export const placeWithoutFile: ValidConfig["placeOf"] = pathText;
