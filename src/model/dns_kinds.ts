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

/** The same, where addresses are known by their numbers. */
export type NumberedDnsUse = Omit<DnsUse, "client" | "server">;

/** Knows which services are DNS. */
export interface DnsKinds {
  /**
   * Whether a service on this port may be DNS at all, where a client offers to speak these: asked first, as
   * most are not.
   */
  mayBe(port: number, applicationProtocols?: readonly string[]): boolean;

  /** Which kind of DNS a use of a service is, or `null` where it is none that is known. */
  kindOf(use: DnsUse): DnsKind | null;

  /**
   * The same. Addresses become text only where numbers don't tell, which is seldom.
   *
   * @param words Has both addresses: four words each, in network order, IPv4 in the last of them.
   * @param client Where the first word of the client's is.
   * @param server Where that of the server's is.
   */
  kindAt(
    isIpv6: boolean,
    words: Uint32Array,
    client: number,
    server: number,
    use: NumberedDnsUse,
  ): DnsKind | null;
}
