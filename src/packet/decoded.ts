/**
 * What became of one packet: the two kinds that are used, or the reason why it is not.
 * The index of a name is its number; `--stats` and the public API show the names.
 */
export const DECODED_NAMES = [
  "transport",
  "unreachable",
  "unsupported link type",
  "not IP",
  "other protocol",
  "later fragment",
  "other ICMP",
  "cut by snapshot length",
  "bad length",
  "bad version",
  "encrypted",
] as const;

/** A TCP or UDP packet with its ports. */
export const TRANSPORT = 0;
/** ICMP type 3 or ICMPv6 type 1, with the bounced packet's addresses and ports. */
export const UNREACHABLE = 1;
/** The capture's link type is none that flosensor reads. */
export const UNSUPPORTED_LINK_TYPE = 2;
/** Neither IPv4 nor IPv6: ARP, LLDP, spanning tree ... */
export const NOT_IP = 3;
/** IP that carries neither TCP, UDP nor ICMP. */
export const OTHER_PROTOCOL = 4;
/** A fragment other than the first: it has no ports. */
export const LATER_FRAGMENT = 5;
/** ICMP that reports nothing unreachable, or what bounced was neither TCP nor UDP. */
export const OTHER_ICMP = 6;
/** The packet goes on, but the capture has no more of it. */
export const CUT_SHORT = 7;
/** A length field of a header contradicts the packet. */
export const BAD_LENGTH = 8;
/** An IP version that its place does not allow. */
export const BAD_VERSION = 9;
/** The link layer says that what it carries is encrypted (802.11, MACsec). */
export const ENCRYPTED = 10;
