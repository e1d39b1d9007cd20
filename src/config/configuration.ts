import type { Action } from "./action.ts";
import type { FlowFunction } from "./flow_function.ts";
import type { OUR_NETS } from "./our_nets.ts";

/** A prefix such as `10.0.0.0/8` or `2001:db8::/32`, a single address, or the own networks. */
export type Prefix = string | typeof OUR_NETS;

/** A network: its name and its prefixes. */
export type Network<Name extends string> = readonly [
  name: Name,
  prefix: Prefix,
  ...more: readonly Prefix[],
];

/** A rule: the flows from a network to a network, and what to do with them; `null` is any network. */
export type Rule<Name extends string> = readonly [
  source: Name | null,
  destination: Name | null,
  action: Action | FlowFunction<Name>,
];

/**
 * A service of the own networks that is meant to be there: address, port, `"tcp"` or `"udp"`, and who may
 * use it, as prefixes; without any, everyone may.
 */
export type Expected = readonly [
  server: string,
  port: number,
  protocol: "tcp" | "udp",
  ...clients: readonly string[],
];
/** What makes flows of packets in packets. */
export type Tunnels = "inner" | "outer" | "both";

/** The settings of config.ts. Each may be left out. */
export interface Config<Name extends string = string> {
  /**
   * Where Redis is: a `redis:`, `rediss:`, `unix:`, `redis-cluster:` or `redis-sentinel:` URL, or those of
   * some nodes of a cluster. By default, nothing is written to Redis.
   */
  redis?: string | readonly string[];
  /**
   * What this sensor is called in `flosensor sensors`, in the store, and in lines of JSON, which without
   * this setting have no name. By default, as its host.
   */
  sensor?: string;
  /**
   * A collector that conversations are sent to as IPFIX (docs/interchange.md): `"udp://192.0.2.1:4739"` or
   * `"tcp://…"`. By default, there is none.
   */
  ipfix?: string;
  /** The file of the store (docs/store.md). By default, there is none. */
  store?: string;
  /**
   * How long the store keeps conversations: `"12h"`, `"30d"`, `"8w"`.
   *
   * @default {"30d"}
   */
  retain?: string;
  /**
   * How large the store's file may get: `"500MB"`, `"2GiB"`.
   *
   * @default {"2GiB"}
   */
  storeSize?: string;
  /**
   * A file whose first line is the password of that Redis, by its whole path. It is read again for each
   * connection, and must not be readable for all users.
   */
  redisPasswordFile?: string;
  /**
   * The ClickHouse that what is seen is inserted into, `"https://user@host:8443/database"`
   * (docs/clickhouse.md). By default, there is none.
   */
  clickhouse?: string;
  /**
   * A file whose first line is the password of that ClickHouse, by its whole path. It must not be readable
   * for all users.
   */
  clickhousePasswordFile?: string;
  /**
   * The folder where what a capture can't insert waits.
   *
   * @default {"/var/lib/flosensor/clickhouse"}
   */
  clickhouseSpool?: string;
  /**
   * How much may wait there: `"500MB"`, `"2GiB"`.
   *
   * @default {"1GiB"}
   */
  clickhouseSpoolSize?: string;
  /**
   * The services of the own networks, as `flosensor expect` writes them. What else is used there is an
   * alert. By default, nothing is.
   */
  expected?: readonly Expected[];
  /**
   * Where alerts go: `"log"`, `"json"` (lines on standard output), an `https:` or `http:` URL that they
   * are sent to, `"syslog://host"` (by UDP), or several of them.
   *
   * @default {"log"}
   */
  onAlert?: string | readonly string[];
  /**
   * Where a capture serves metrics for Prometheus: `"127.0.0.1:3048"` (docs/monitoring.md). By default,
   * nowhere.
   */
  metrics?: string;
  /**
   * How long a key lives after it was last written, in seconds.
   *
   * @default {900}
   */
  ttl?: number;
  /**
   * How often what was seen is written, in seconds.
   *
   * @default {1}
   */
  flushInterval?: number;
  /**
   * Whether flows between two addresses of the own networks are left out.
   *
   * @default {true}
   */
  suppressOwnNetwork?: boolean;
  /** The own networks, when the command line names none. By default, the interface's prefixes. */
  ourNets?: readonly string[];
  /** Address and port of services whose flow keys are not written; client and peer keys are. */
  ignoreFlows?: readonly (readonly [address: string, port: number])[];
  /**
   * Ports that name servers answer from, over UDP and TCP; `[]` for no look at DNS. A running capture
   * keeps those that it began with.
   *
   * @default {[53]}
   */
  dnsPorts?: readonly number[];
  /**
   * Whether what is answered with multicast DNS (port 5353) and LLMNR (port 5355) is taken too. A
   * running capture keeps to what it began with.
   *
   * @default {false}
   */
  multicastDns?: boolean;
  /** Names that make no dns, cname and nx keys when they are looked up, with all below them. */
  ignoreDns?: readonly string[];
  /**
   * Names and addresses of resolvers that take encrypted DNS (DNS over HTTPS, at port 443), besides the
   * public ones that are known. A name stands for all below it, too.
   */
  encryptedDns?: readonly string[];
  /**
   * Whether it is learned who the hosts on the own networks are, from what they tell of themselves: DHCP,
   * mDNS, NetBIOS, LLDP, ARP, neighbour discovery. A running capture keeps to what it began with.
   *
   * @default {true}
   */
  devices?: boolean;
  /**
   * What makes flows of packets in packets: the conversations inside of tunnels (VXLAN, GRE, GTP-U ...),
   * the tunnels themselves, or both. With `"inner"`, the ends of a tunnel still make peer keys.
   *
   * @default {"inner"}
   */
  tunnels?: Tunnels;
  /** The networks. An address is in the first that holds it. By default, one, "all". */
  networks?: readonly Network<Name>[];
  /**
   * The rules, asked in order. By default, for all networks: `Initiator()`, then `Service()`, then
   * `LowerPort()`.
   */
  flows?: readonly Rule<NoInfer<Name>>[];
}

/**
 * The name of the one network that there is when a configuration has none.
 *
 * ```ts
 * import { ALL_NETWORK, defineConfig, Initiator } from "flosensor/config";
 *
 * export default defineConfig({ flows: [[ALL_NETWORK, ALL_NETWORK, Initiator()]] });
 * ```
 */
export const ALL_NETWORK = "all";

/** What `defineConfig` makes: settings as the user wrote them, not yet checked. */
export class Configuration {
  /** Made by `defineConfig`. */
  constructor(
    /** What the user gave, of whatever shape it is. */
    readonly settings: unknown,
  ) {}
}

/**
 * Defines the configuration of the sensor. A rule that names a network which is not in `networks` is
 * an error of the type checker.
 *
 * ```ts
 * import { defineConfig, LowerPort, OUR_NETS, SRC } from "flosensor/config";
 *
 * export default defineConfig({
 *   networks: [
 *     ["our_nets", OUR_NETS],
 *     ["external", "0.0.0.0/0", "::/0"],
 *   ],
 *   flows: [[null, "our_nets", LowerPort(SRC)]],
 * });
 * ```
 */
export function defineConfig<const Name extends string = typeof ALL_NETWORK>(
  config: Config<Name>,
): Configuration {
  return new Configuration(config);
}
