/**
 * Writes the capture of `deno task demo` to standard output: a small office network, 192.168.1.0/24
 * and 2001:db8:1::/64, for a minute.
 */
import { encode } from "dns-packet";
import { connection, exchange } from "./conversations.ts";
import {
  ACK,
  type Bytes,
  ethernet,
  icmp,
  ip,
  ipIcmp,
  ipUdp,
  pcap,
  RST,
  SYN,
  tcp,
  type Timed,
  udp,
} from "./packets.ts";

const START = 1_790_000_000;
const SECONDS_BETWEEN = 0.5;

const LAPTOP = "192.168.1.23";
const LAPTOP_V6 = "2001:db8:1::23";
const NAS = "192.168.1.5";
const ROUTER = "192.168.1.1";
const PHONE = "192.168.1.44";
const WEB = "198.51.100.80";
const WEB_V6 = "2001:db8:80::1";
const RESOLVER = "203.0.113.53";
const GUEST = "203.0.113.200";
const GAME = "198.51.100.27";

/** Whole TCP connections and what else there is, in order. */
function conversations(): Bytes[] {
  return [
    // The laptop asks a resolver outside and reads a web page, over both families.
    ...lookup(LAPTOP, 50_123, RESOLVER, "www.example.com", WEB),
    ...connection(LAPTOP, 51_000, WEB, 443),
    ...connection(LAPTOP_V6, 51_001, WEB_V6, 443),
    ...exchange(LAPTOP_V6, 51_002, WEB_V6, 443),
    // A service on a high port, used by a client with a lower one.
    ...connection(PHONE, 40_022, GAME, 50_007),
    // Someone outside uses a service of ours.
    ...connection(GUEST, 61_200, NAS, 22),
    // Between own hosts, in a VLAN.
    ...connection(LAPTOP, 52_300, NAS, 445).map((frame) => retag(frame, 20)),
    // Refused: nothing listens on that port.
    ethernet(ip(LAPTOP, WEB, tcp(52_999, 8080, SYN))),
    ethernet(ip(WEB, LAPTOP, tcp(8080, 52_999, RST | ACK))),
    // Unreachable: the router sends the datagram back, over both families.
    ...unreachable(LAPTOP, 50_500, GAME, 161, ROUTER, 3, 1),
    ...unreachable(LAPTOP_V6, 50_501, WEB_V6, 161, WEB_V6, 1, 4),
  ];
}

function lookup(
  client: string,
  port: number,
  resolver: string,
  name: string,
  address: string,
): Bytes[] {
  const question = { type: "A", name } as const;
  const asked = encode({ type: "query", id: 1, questions: [question] });
  const answered = encode({
    type: "response",
    id: 1,
    questions: [question],
    answers: [{ ...question, ttl: 300, data: address }],
  });
  return [
    ethernet(ipUdp(client, resolver, udp(port, 53, asked))),
    ethernet(ipUdp(resolver, client, udp(53, port, answered))),
  ];
}

function unreachable(
  client: string,
  port: number,
  server: string,
  serverPort: number,
  reporter: string,
  type: number,
  code: number,
): Bytes[] {
  const packet = ipUdp(client, server, udp(port, serverPort, "anybody there?"));
  return [ethernet(packet), ethernet(ipIcmp(reporter, client, icmp(type, code, packet)))];
}

const ETHERNET_HEADER = 14;

function retag(frame: Bytes, vlan: number): Bytes {
  return ethernet(frame.subarray(ETHERNET_HEADER), [vlan]);
}

const packets: Timed[] = conversations().map((packet, i) => ({
  packet,
  seconds: START + i * SECONDS_BETWEEN,
}));
await new Blob([pcap(packets)]).stream().pipeTo(Deno.stdout.writable);
