/**
 * The types of config.ts, for editors and type checkers: what "flosensor/config" has.
 * Made by flosensor of its own sources; changes are lost when it is made again.
 *
 * @module
 */

/**
 * What a rule does with the flows between its two networks. Made by the functions of the vocabulary,
 * such as `LowerPort()`.
 */
export declare abstract class Action {
  /** Makes it a type of its own: what merely has the same form is no action. */
  protected readonly itself: "action";
  /** Whether it decides about every flow, so that no rule after it is asked. */
  abstract readonly alwaysMatches: boolean;
  /** Whether its answer depends on what is seen of a conversation besides addresses and ports. */
  readonly usesEvidence: boolean;
  /** What it does, in one sentence without a full stop. */
  abstract describe(): string;
  /** The action as config.ts writes it. */
  abstract toString(): string;
}

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
 * A service of the own networks that is meant to be there: address, port, `"tcp"` or `"udp"`, and who may
 * use it, as prefixes; without any, everyone may.
 */
export type Expected = readonly [
  server: string,
  port: number,
  protocol: "tcp" | "udp",
  ...clients: readonly string[]
];

/** What makes flows of packets in packets. */
export type Tunnels = "inner" | "outer" | "both";

/** A network: its name and its prefixes. */
export type Network<Name extends string> = readonly [
  name: Name,
  prefix: Prefix,
  ...more: readonly Prefix[]
];

/** A prefix such as `10.0.0.0/8` or `2001:db8::/32`, a single address, or the own networks. */
export type Prefix = string | typeof OUR_NETS;

/**
 * Stands for the own networks, where a network is defined: those named on the command line, else
 * `ourNets` of the configuration, else the prefixes of the interface.
 */
export declare const OUR_NETS: unique symbol;

/** A rule: the flows from a network to a network, and what to do with them; `null` is any network. */
export type Rule<Name extends string> = readonly [
  source: Name | null,
  destination: Name | null,
  action: Action | FlowFunction<Name>
];

/**
 * A function in the place of an action. It is asked once for each direction of a conversation, and
 * what it answers is remembered.
 *
 * It returns who is client and server, or `"drop"`, or nothing when the next rule is to be asked.
 */
export type FlowFunction<NetworkName extends string = string> = (flow: Flow<NetworkName>) => Attribution | "drop" | undefined | void;

/** What a function in the place of an action is told of a flow. */
export interface Flow<NetworkName extends string = string> {
  /** The packet's source address, as the keys write it. */
  readonly src: string;
  /** The packet's destination address, as the keys write it. */
  readonly dst: string;
  /** The packet's source port. */
  readonly sport: number;
  /** The packet's destination port. */
  readonly dport: number;
  /** The transport protocol. */
  readonly protocol: "tcp" | "udp";
  /** The network of the source. */
  readonly srcNetwork: NetworkName;
  /** The network of the destination. */
  readonly dstNetwork: NetworkName;
}

/** Who is client and server of a flow, and of which service. */
export interface Attribution {
  /** SRC, DST, or the address: `flow.src` or `flow.dst`. */
  client: string;
  /** SRC, DST, or the address: the other one. */
  server: string;
  /** The port of interest: usually the server's. */
  port: number;
}

/** What `defineConfig` makes: settings as the user wrote them, not yet checked. */
export declare class Configuration {
  /** What the user gave, of whatever shape it is. */
  readonly settings: unknown;
  /** Made by `defineConfig`. */
  constructor(
  /** What the user gave, of whatever shape it is. */
  settings: unknown);
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
export declare const ALL_NETWORK = "all";

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
export declare function defineConfig<const Name extends string = typeof ALL_NETWORK>(config: Config<Name>): Configuration;

/** The packet's destination, where an action asks which end is meant. */
export declare const DST = "dst";

/** One of the two ends of a packet: {@linkcode SRC} or {@linkcode DST}. */
export type End = typeof SRC | typeof DST;

/** The packet's source, where an action asks which end is meant. */
export declare const SRC = "src";

/**
 * Client and port of interest are those of the ends named. Does not match when there are `ports` and
 * the port of interest is none of them.
 *
 * @param client The end that is the client; the other one is the server.
 * @param port The end whose port is the port of interest.
 * @throws {ConfigError} when an argument is wrong.
 */
export declare function Assign(client: End, port: End, options?: AssignOptions): Action;

/** Options of {@linkcode Assign}. */
export interface AssignOptions {
  /** The ports, 1 to 65535, of which the port of interest must be one. By default, any will do. */
  ports?: Iterable<number>;
  /**
   * Whether a flow that matches is dropped.
   *
   * @default {false}
   */
  drop?: boolean;
}

/**
 * The end that was seen to open the conversation is the client: by SYN and SYN-ACK (RFC 9293,
 * section 3.5), by the QR bit of DNS (RFC 1035, section 4.1.1), or as the sender of a UDP
 * conversation's first packet, unless much speaks for it as the server. Does not match where that was
 * not seen.
 */
export declare function Initiator(): Action;

/**
 * The end with the lower port is the server, and that port the port of interest. Always matches.
 *
 * @param tie The end that is the server when both ports are the same.
 * @throws {ConfigError} when `tie` is neither SRC nor DST.
 */
export declare function LowerPort(tie?: End): Action;

/**
 * The end whose port is in the set is the server, and that port the port of interest. Does not match
 * when neither is.
 *
 * @param ports Ports of services, 1 to 65535.
 * @throws {ConfigError} when an argument is wrong.
 */
export declare function PortMatch(ports: Iterable<number>, options?: PortMatchOptions): Action;

/** Options of {@linkcode PortMatch}. */
export interface PortMatchOptions {
  /**
   * The end that is tried first, and so serves when both ports are in the set.
   *
   * @default {SRC}
   */
  precedence?: End;
  /**
   * Whether a flow that matches is dropped.
   *
   * @default {false}
   */
  drop?: boolean;
}

/**
 * The end for which more speaks that it offers a service is the server: what the payload says, what
 * was learned of both ends in other conversations, and what their ports are. Close calls do not
 * match. docs/attribution.md has the evidence and its weights.
 */
export declare function Service(): Action;

export {};
