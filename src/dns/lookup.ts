/** What was learned: see {@linkcode Lookup}. */
export type LookupKind =
  /** A client was answered an address of a name. */
  | "address"
  /** A client was hinted at an address of a name, by an SVCB or HTTPS record (RFC 9460). */
  | "hint"
  /** A client was answered the name of an address: a PTR record (RFC 1035, section 3.3.12). */
  | "reverse"
  /** A client was told that what it wants of a name is at another one, `target` (RFC 9460). */
  | "alias"
  /** Whoever is asked by `name` without encryption has a configuration of encrypted hellos (RFC 9849). */
  | "encrypted-hello"
  /** A client was answered, and what it was answered says nothing of the above. */
  | "answer";

/** What a DNS response says to somebody, as `KnownNames` learns it. It can be sent to other threads. */
export interface Lookup {
  readonly kind: LookupKind;
  /** Who asked: four words in network order, IPv4 in the last of them. */
  readonly isClientIpv6: boolean;
  readonly client: Uint32Array;
  /** The address, likewise; of kinds without one all words are 0. */
  readonly isIpv6: boolean;
  readonly address: Uint32Array;
  /** As `domainName` gives names; empty for kinds without one. */
  readonly name: string;
  /** Likewise. */
  readonly target: string;
  /** When it was answered, in seconds since 1970-01-01 UTC. */
  readonly seconds: number;
  /** For how many seconds it may be remembered; of an encrypted hello the number of its configuration. */
  readonly ttl: number;
}
