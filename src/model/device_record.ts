/** What is known of a host on an own network, in words. */
export interface DeviceRecord {
  /** Six bytes in hexadecimal with colons; `null` for one that is known by its address alone. */
  readonly hardware: string | null;
  /** Who has made it, by IEEE's registry; `null` where that is not known. */
  readonly vendor: string | null;
  /** Whether the host has made its hardware address up, so that no vendor can be told and it will change. */
  readonly isPrivate: boolean;
  /** Those told of last at the end, with times as below. */
  readonly addresses: readonly {
    readonly address: string;
    readonly first: number;
    readonly last: number;
  }[];
  /** The names that it is told by, the one that says most first. */
  readonly names: readonly { readonly name: string; readonly from: string }[];
  /** When it was heard of first, in milliseconds since 1970-01-01 UTC. */
  readonly first: number;
  /** Likewise, last. */
  readonly last: number;
  /** Whether it is new, or has a name or an address that it had not; else only times are others. */
  readonly hasNews: boolean;
}
