import { READ_RESPONSES } from "./read_ports.ts";

/** Multicast DNS (RFC 6762, section 3). */
export const MDNS_PORT = 5353;
/** Link-local multicast name resolution (RFC 4795, section 2). */
const LLMNR_PORT = 5355;
/** DNS itself (RFC 1035, section 4.2). */
const DNS_PORT = 53;

/** Where DNS is looked for. */
export interface DnsPorts {
  /** Ports of name servers, over UDP and TCP. Empty: there is no DNS to be looked at. */
  readonly dnsPorts: readonly number[];
  /** Whether mDNS and LLMNR are looked at too. */
  readonly multicastDns: boolean;
}

/** Where DNS is looked for unless the configuration says otherwise. */
export const DEFAULT_DNS_PORTS: DnsPorts = { dnsPorts: [DNS_PORT], multicastDns: false };

/** DNS over TLS (RFC 7858), and over QUIC (RFC 9250). */
export const DNS_OVER_TLS_PORT = 853;
/** NetBIOS' names (RFC 1002, section 4.2). */
const NETBIOS_NAME_PORT = 137;

/** TCP and UDP ports that there are. */
const PORTS = 1 << 16;

/** What of packets from each port is to be read, as a `PayloadReader` says it. */
export function portsToRead(ports: DnsPorts): Uint8Array {
  const wanted = new Uint8Array(PORTS);
  for (const port of responsePorts(ports)) wanted[port] = READ_RESPONSES;
  return wanted;
}

/** All ports that responses come from. */
export function responsePorts({ dnsPorts, multicastDns }: DnsPorts): number[] {
  return multicastDns ? [...new Set([...dnsPorts, MDNS_PORT, LLMNR_PORT])] : [...dnsPorts];
}

/** All ports at which names are looked up, whether that can be read or not. */
export function lookupPorts(ports: DnsPorts): number[] {
  return [
    ...[DNS_PORT, MDNS_PORT, LLMNR_PORT, DNS_OVER_TLS_PORT, NETBIOS_NAME_PORT],
    ...responsePorts(ports),
  ];
}
