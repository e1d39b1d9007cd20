/** How a client asks for names where the name servers of its network don't see it. */
export type DnsKind =
  /** DNS over TLS (RFC 7858). */
  | "DoT"
  /** DNS over QUIC (RFC 9250). */
  | "DoQ"
  /** DNS over HTTPS (RFC 8484). */
  | "DoH"
  /** DNSCrypt, https://dnscrypt.info/protocol. */
  | "DNSCrypt"
  /** DNS as it always was, of a client on an own network to a server outside. */
  | "DNS";
