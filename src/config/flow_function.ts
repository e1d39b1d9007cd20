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

/**
 * A function in the place of an action. It is asked once for each direction of a conversation, and
 * what it answers is remembered.
 *
 * It returns who is client and server, or `"drop"`, or nothing when the next rule is to be asked.
 */
export type FlowFunction<NetworkName extends string = string> = (
  flow: Flow<NetworkName>,
) => Attribution | "drop" | undefined | void;
