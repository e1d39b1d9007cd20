import type { LiveOptions } from "../capture/live_options.ts";
import type { SourceKind } from "../capture/source_kind.ts";
import type { WorkStatistics } from "./packet_work.ts";
import type { Cidr } from "../config/cidr.ts";
import type { DesignatedResolver } from "../dns/designated_resolver.ts";
import type { Lookup } from "../dns/lookup.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { CarriedName } from "../names/carried_names.ts";
import type { Announcement } from "../names/devices/announcement.ts";
import type { OwnConnectionsState } from "../model/own_connections.ts";
import type { LogLevel } from "../log.ts";
import type { Failure } from "./failure.ts";

/** Opens the interfaces. Answered by `opened`. */
export interface OpenMessage {
  readonly kind: "open";
  readonly source: SourceKind;
  /** Each interface, and how it is captured on. */
  readonly interfaces: readonly (readonly [name: string, options: LiveOptions])[];
  /** Conversations of each address family that the worker remembers. */
  readonly maxConversations: number;
  readonly isDebug: boolean;
  /** The configuration's file that the command line names. */
  readonly config: string | undefined;
  /** Whether all is read and loaded at once, since the process will become another user's. */
  readonly isEarly: boolean;
  /** Whether capabilities are kept from the thread that only the first opening needs. */
  readonly isSandboxed: boolean;
  /** Where it is noted what was sent and not yet taken. */
  readonly backlog: SharedArrayBuffer;
}

/** Loads the configuration and begins to read. Answered by `started`. */
export interface StartMessage {
  readonly kind: "start";
  readonly ownNetworks: readonly Cidr[];
  readonly own: OwnConnectionsState | null;
  /** Whether it is to tell when refusals were seen last whose keys are suppressed. */
  readonly wantsSeen: boolean;
  /** How often records of conversations that go on are wanted, in seconds; `null` where none are. */
  readonly recordInterval: number | null;
  /** Whether observations are to come with records of their conversations. */
  readonly hasFlowRecords: boolean;
  /** Whether it is to tell what hosts tell of themselves. */
  readonly wantsDevices: boolean;
  /** Whether names that conversations carry are looked for. */
  readonly hasCarriedNames: boolean;
  /** The user that the process has become, or `null`. */
  readonly user: string | null;
}

/** What the main thread tells a worker. */
export type ToWorker =
  | OpenMessage
  | StartMessage
  /** Loads the configuration again. */
  | { readonly kind: "reload"; readonly ownNetworks: readonly Cidr[] }
  /** The sensor's own connections have changed. */
  | { readonly kind: "own"; readonly own: OwnConnectionsState }
  /** Hands on what was observed. Answered by `flushed`. */
  | { readonly kind: "flush" }
  /** Reads what the kernel still has. Answered by `ended`. */
  | { readonly kind: "end" };

/** Names that conversations carry, and the number that records of them have. */
export interface NumberedNames {
  readonly number: number;
  readonly names: readonly CarriedName[];
}

/** What a worker tells the main thread. */
export type FromWorker =
  | { readonly kind: "opened" }
  | { readonly kind: "started" }
  /** Observations, laid out as in an `ObservationBatch`. */
  | {
    readonly kind: "observations";
    readonly words: Uint32Array<ArrayBuffer>;
    /** Records of their conversations, where they are wanted. */
    readonly records: Uint32Array<ArrayBuffer> | null;
  }
  /** Refusals that were seen again, laid out the same. */
  | { readonly kind: "seen"; readonly words: Uint32Array<ArrayBuffer> }
  /** Records of conversations, laid out as in a `RecordBatch`. */
  | { readonly kind: "records"; readonly words: Uint32Array<ArrayBuffer> }
  /** With what they need, in bytes, as it was added to the backlog. */
  | {
    readonly kind: "names";
    readonly writes: readonly NameWrite[];
    readonly seconds: number;
    readonly bytes: number;
  }
  /** A resolver that another one designates. */
  | { readonly kind: "designated"; readonly resolver: DesignatedResolver }
  /** What a host told of itself. */
  | {
    readonly kind: "announcement";
    readonly announcement: Announcement;
    readonly seconds: number;
    readonly bytes: number;
  }
  /** What clients looked up, and what conversations carry, as records that come later have it. */
  | {
    readonly kind: "lookups";
    readonly lookups: readonly Lookup[];
    readonly carried: readonly NumberedNames[];
    readonly bytes: number;
  }
  | { readonly kind: "flushed"; readonly statistics: WorkStatistics }
  /** All that the worker had came before. */
  | { readonly kind: "ended"; readonly statistics: WorkStatistics }
  | { readonly kind: "log"; readonly level: LogLevel; readonly message: string }
  | Failure;
