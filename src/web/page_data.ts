import type { Filter } from "./filter.ts";

/** What the views of the page ask for. */
export interface PageQuery {
  readonly filter: Filter;
  /** How far back, in milliseconds; `null` for all that is kept. */
  readonly span: number | null;
}

/** Counts and figures, as in the store's table `usage`. */
export interface Figures {
  readonly observations: number;
  readonly conversations: number;
  readonly unexplained: number;
  readonly packetsClient: number;
  readonly packetsServer: number;
  readonly bytesClient: number;
  readonly bytesServer: number;
}

/** A client of a service. Times are milliseconds since 1970-01-01 UTC. */
export interface FlowRow extends Figures {
  readonly id: number;
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** Empty where it is not known. */
  readonly protocol: string;
  readonly isLocal: boolean;
  readonly by: string;
  readonly name: string | null;
  readonly nameOrigin: string | null;
  readonly answered: number;
  readonly first: number;
  readonly last: number;
  readonly isNew: boolean;
}

/** What flows can be sorted by. */
export const FLOW_SORTS = [
  "last",
  "first",
  "client",
  "server",
  "port",
  "name",
  "by",
  "bytes",
  "packets",
  "conversations",
  "duration",
] as const;

/** One of {@linkcode FLOW_SORTS}. */
export type FlowSort = typeof FLOW_SORTS[number];

/** A part of the flows, in an order that stays while the snapshot does. */
export interface FlowPage {
  readonly snapshot: string;
  /** How many flows there are, and how many of them can be scrolled to. */
  readonly total: number;
  readonly listed: number;
  readonly totals: Figures;
  readonly offset: number;
  readonly rows: readonly FlowRow[];
}

/** Traffic over time. */
export interface Traffic {
  /** Length of a step in seconds. */
  readonly step: number;
  /** When steps begin, in seconds since 1970-01-01 UTC. */
  readonly times: readonly number[];
  /**
   * What each of the series is: a direction, as in the store's table `volume`, or an end that sends,
   * where flows were chosen.
   */
  readonly labels: readonly (
    | "in"
    | "out"
    | "local"
    | "other"
    | "from-client"
    | "from-server"
    | "observations"
  )[];
  readonly series: readonly (readonly number[])[];
  /** Where figures are not known, observations are told: each is a flow that was seen in a minute. */
  readonly unit: "bit/s" | "observations/min";
}

/** What the sensor says of itself. */
export interface SensorState {
  readonly mode: string;
  readonly sources: string;
  readonly localNetworks: string;
  readonly version: string;
  readonly started: number;
  readonly flushed: number;
  /** Whether it writes now. */
  readonly isLive: boolean;
  /** What could not be written. */
  readonly lost: number;
  /** Packets and drops of a capture that shows the page itself. */
  readonly packets?: number;
  readonly dropped?: number;
  readonly pending?: number;
}

/** The first screen. */
export interface Overview {
  readonly now: number;
  /** When the time that was asked for begins, where there is something older; otherwise `null`. */
  readonly since: number | null;
  readonly clients: number;
  readonly services: number;
  readonly newServices: number;
  readonly flows: number;
  readonly flowsNow: number;
  readonly unexplained: number;
  readonly refused: number;
  readonly encryptedDns: number;
  /** `null` where the data is of others, who have no times. */
  readonly sensor: SensorState | null;
  /** `null` where there are no times. */
  readonly traffic: Traffic | null;
}

/** A service, with what its clients have used of it. */
export interface ServiceRow extends Figures {
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  readonly isLocal: boolean;
  readonly name: string | null;
  readonly clients: number;
  /** The busiest of them. */
  readonly clientList: readonly string[];
  readonly first: number;
  readonly last: number;
  readonly isNew: boolean;
}

/** What an address, or a device, has of one end of flows. */
export interface EndFigures {
  readonly flows: number;
  readonly bytes: number;
  /** When one of them was seen last; 0 where there is none. */
  readonly last: number;
}

/** A host of the own networks. */
export interface DeviceRow {
  /** Empty where only the address is known. */
  readonly hardwareAddress: string;
  readonly vendor: string | null;
  /** Whether the host has made its hardware address up. */
  readonly isPrivate: boolean;
  /** The one that was told last comes first, and where that comes from. */
  readonly names: readonly string[];
  readonly nameOrigin: string | null;
  readonly addresses: readonly string[];
  /** Flows whose client it is, and those whose server it is. */
  readonly used: EndFigures;
  readonly served: EndFigures;
  readonly first: number;
  readonly last: number;
  readonly isNew: boolean;
}

/** A flow that no lookup explains. */
export interface UnexplainedRow extends FlowRow {
  readonly why: string | null;
}

/** A flow that is encrypted DNS. */
export interface EncryptedDnsRow extends FlowRow {
  readonly kind: string;
}

/** Who tried what in vain, by the one or the other. */
export interface RefusedRow {
  readonly address: string;
  /** Different others, and pairs of other and port. */
  readonly others: number;
  readonly places: number;
  readonly ports: number;
  readonly attempts: number;
  readonly kinds: readonly string[];
  readonly examples: readonly { readonly address: string; readonly port: number }[];
  readonly first: number;
  readonly last: number;
}

/** Names that do not exist, by who asked. */
export interface MissingNamesRow {
  readonly client: string;
  readonly names: number;
  readonly answers: number;
  readonly examples: readonly string[];
  readonly first: number;
  readonly last: number;
}

/** Refusals, by prober and by target. */
export interface Refused {
  readonly probers: readonly RefusedRow[];
  readonly targets: readonly RefusedRow[];
  readonly missingNames: readonly MissingNamesRow[];
}

/** A client, a name or a server of the view of names. */
export interface NameNode {
  readonly id: string;
  /** How much there is of it. */
  readonly weight: number;
  /** Of a name: that it does not exist. */
  readonly isMissing: boolean;
  /** Of a server: that it is in the own networks. */
  readonly isLocal: boolean;
  /** A name: what it is an alias of. An address: ports of its services. */
  readonly notes: readonly string[];
  readonly last: number;
}

/** Who looked up what, and what uses it: three columns with connections. */
export interface NamesView {
  readonly clients: readonly NameNode[];
  readonly names: readonly NameNode[];
  readonly servers: readonly NameNode[];
  /** Pairs of indexes: client and name; name and server; client and server without a name. */
  readonly asked: readonly (readonly [number, number])[];
  readonly resolved: readonly (readonly [number, number])[];
  readonly unnamed: readonly (readonly [number, number])[];
  /** How many there are, of which the columns have the ones with the most. */
  readonly totals: { readonly clients: number; readonly names: number; readonly servers: number };
}

/** A conversation of a flow. */
export interface ConversationRow {
  readonly id: number;
  readonly first: number;
  readonly last: number;
  readonly isOver: boolean;
  readonly clientPort: number;
  readonly by: string;
  readonly state: string;
  readonly packetsClient: number;
  readonly packetsServer: number;
  readonly bytesClient: number;
  readonly bytesServer: number;
  readonly flagsClient: number;
  readonly flagsServer: number;
  readonly name: string | null;
  readonly nameOrigin: string | null;
  readonly otherNames: string | null;
  readonly interface: string | null;
  readonly vlan: number | null;
  readonly tunnel: string | null;
  readonly explained: boolean | null;
  readonly why: string | null;
}

/** A name of a flow's server. */
export interface FlowName {
  readonly name: string;
  /** Whether it is known by the flow's client; else how many others it is known by. */
  readonly isOwn: boolean;
  readonly clients: number;
  readonly origin: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Names that were asked for, of which this one is an alias's target: the nearest first. */
  readonly aliases: readonly string[];
}

/** All that is known of a flow. */
export interface FlowDetails {
  readonly flow: FlowRow;
  /** Why the client is the client, in words. */
  readonly byMeaning: string;
  readonly conversations: readonly ConversationRow[];
  readonly names: readonly FlowName[];
  /** Other clients of the service. */
  readonly otherClients: number;
  /** The client's refusals by this server. */
  readonly refusals: readonly {
    readonly kind: string;
    readonly port: number;
    readonly reason: string;
    readonly count: number;
    readonly last: number;
  }[];
  readonly traffic: Traffic | null;
}

/** A flow as addresses of the page name it. */
export interface FlowKey {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
}

/** Where the page's data comes from. */
export interface PageData {
  /** Changes when the data does. */
  readonly version: string;
  /** Whether a sensor writes it now. */
  readonly isLive: boolean;
  overview(query: PageQuery): Overview;
  flows(
    query: PageQuery,
    sort: { readonly by: FlowSort; readonly isDescending: boolean },
    part: { readonly offset: number; readonly limit: number; readonly snapshot: string | null },
  ): FlowPage;
  flow(key: FlowKey): FlowDetails | null;
  /** @param isOwn Whether only those of the own networks are wanted. */
  services(query: PageQuery, isOwn: boolean): readonly ServiceRow[];
  devices(query: PageQuery): readonly DeviceRow[];
  unexplained(query: PageQuery): readonly UnexplainedRow[];
  encryptedDns(query: PageQuery): readonly EncryptedDnsRow[];
  refused(query: PageQuery): Refused;
  names(query: PageQuery): NamesView;
}
