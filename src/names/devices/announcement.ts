/** How a host told of itself. */
export type AnnouncedBy = "dhcp" | "dhcpv6" | "mdns" | "netbios" | "lldp" | "arp" | "ndp";

/** What a host told of itself, or a server of names and addresses of it. */
export interface Announcement {
  readonly by: AnnouncedBy;
  /** Six bytes in hexadecimal with colons, or `null` where it is not told. */
  readonly hardware: string | null;
  /** IP addresses as `addressText` writes them. */
  readonly addresses: readonly string[];
  /** The host's name as it tells it, or `null`. */
  readonly name: string | null;
  /** For how long the addresses are the host's, in seconds, or `null`. */
  readonly lease: number | null;
}
