import type { DnsKind } from "./dns_kind.ts";

/** A use of a service, as far as it tells whether that is DNS. */
export interface DnsUse {
  /** Addresses as `addressText` writes them. */
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** Empty where it is not known. */
  readonly protocol: string;
  /** The names of the server that are known, in lower case, with a dot at their end or without. */
  readonly names: readonly (string | null)[];
  /** What the client offers to speak (ALPN, RFC 7301), where it was seen. */
  readonly applicationProtocols?: readonly string[];
}

/** Knows which services are DNS. */
export interface DnsKinds {
  /**
   * Whether a service on this port may be DNS at all, where a client offers to speak these: asked first, as
   * most are not.
   */
  mayBe(port: number, applicationProtocols?: readonly string[]): boolean;

  /** Which kind of DNS a use of a service is, or `null` where it is none that is known. */
  kindOf(use: DnsUse): DnsKind | null;
}
