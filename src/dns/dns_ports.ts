/** Multicast DNS (RFC 6762, section 3). */
export const MDNS_PORT = 5353;
/** Link-local multicast name resolution (RFC 4795, section 2). */
const LLMNR_PORT = 5355;
/** DNS itself (RFC 1035, section 4.2). */
export const DNS_PORT = 53;

/** Where DNS is looked for. */
export interface DnsPorts {
  /** Ports of name servers, over UDP and TCP. Empty: there is no DNS to be looked at. */
  readonly dnsPorts: readonly number[];
  /** Whether mDNS and LLMNR are looked at too. */
  readonly multicastDns: boolean;
}

/** All ports that responses come from. */
export function responsePorts({ dnsPorts, multicastDns }: DnsPorts): number[] {
  return multicastDns ? [...new Set([...dnsPorts, MDNS_PORT, LLMNR_PORT])] : [...dnsPorts];
}
