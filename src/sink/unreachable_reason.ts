/** ICMP type 3: RFC 792, page 4; RFC 1122, section 3.2.2.1; RFC 1812, section 5.2.7.1. */
const ICMP_REASONS = [
  "network unreachable",
  "host unreachable",
  "protocol unreachable",
  "port unreachable",
  "fragmentation needed",
  "source route failed",
  "network unknown",
  "host unknown",
  "source host isolated",
  "network prohibited",
  "host prohibited",
  "network unreachable for this service",
  "host unreachable for this service",
  "prohibited by filter",
  "precedence violation",
  "precedence cutoff",
];

/** ICMPv6 type 1: RFC 4443, section 3.1; RFC 6550, section 20.14 (7); RFC 8883, section 4 (8). */
const ICMPV6_REASONS = [
  "no route",
  "prohibited by filter",
  "beyond scope of source",
  "address unreachable",
  "port unreachable",
  "source address failed policy",
  "route rejected",
  "error in source routing header",
  "headers too long",
];

/** What the code of an ICMP type 3 or ICMPv6 type 1 message means. */
export function unreachableReason(code: number, isIpv6: boolean): string {
  return (isIpv6 ? ICMPV6_REASONS : ICMP_REASONS)[code] ?? `unreachable, code ${code}`;
}
