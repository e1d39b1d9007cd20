/**
 * The capture of `deno task demo`: a small office network, 192.168.1.0/24 and 2001:db8:1::/64, for
 * a minute. Run, it writes the capture to standard output.
 *
 * @module
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
/** Bytes of an Ethernet header without a tag. */
const ETHERNET_HEADER = 14;

const LAPTOP = "192.168.1.23";
export const LAPTOP_V6 = "2001:db8:1::23";
const NAS = "192.168.1.5";
const ROUTER = "192.168.1.1";
const PHONE = "192.168.1.44";
const WEB = "198.51.100.80";
export const WEB_V6 = "2001:db8:80::1";
const RESOLVER = "203.0.113.53";
const GUEST = "203.0.113.200";
const GAME = "198.51.100.27";

/** Who used whose service: a row of the table that the demo prints. */
export interface DemoFlow {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** Why the service was not had, in the words of the second table. */
  readonly failure?: string;
}

/** A conversation of the demo: its packets, and who used what in it. */
interface DemoConversation extends DemoFlow {
  readonly packets: readonly Bytes[];
}

/** Whole TCP connections and what else there is, in order. */
const CONVERSATIONS: readonly DemoConversation[] = [
  // The laptop asks a resolver outside and reads a web page, over both families.
  lookup(LAPTOP, 50_123, RESOLVER, "www.example.com", WEB),
  overTcp(LAPTOP, 51_000, WEB, 443),
  overTcp(LAPTOP_V6, 51_001, WEB_V6, 443),
  {
    ...{ client: LAPTOP_V6, server: WEB_V6, port: 443, protocol: "udp" },
    packets: exchange(LAPTOP_V6, 51_002, WEB_V6, 443),
  },
  // A service on a high port, used by a client with a lower one.
  overTcp(PHONE, 40_022, GAME, 50_007),
  // Someone outside uses a service of ours.
  overTcp(GUEST, 61_200, NAS, 22),
  // Between own hosts, in a VLAN.
  inVlan(overTcp(LAPTOP, 52_300, NAS, 445), 20),
  // Nothing listens on that port.
  refused(LAPTOP, 52_999, WEB, 8080),
  // The datagram is sent back, over both families.
  unreachable(LAPTOP, 50_500, GAME, 161, ROUTER, 3, 1, "host unreachable"),
  unreachable(LAPTOP_V6, 50_501, WEB_V6, 161, WEB_V6, 1, 4, "port unreachable"),
];

/** Who used whose service in the demo, each once. */
export const DEMO_FLOWS: readonly DemoFlow[] = CONVERSATIONS;

function overTcp(client: string, port: number, server: string, serverPort: number) {
  const packets = connection(client, port, server, serverPort);
  return { client, server, port: serverPort, protocol: "tcp", packets } as const;
}

function inVlan(conversation: DemoConversation, vlan: number): DemoConversation {
  return { ...conversation, packets: conversation.packets.map((frame) => retag(frame, vlan)) };
}

function refused(
  client: string,
  port: number,
  server: string,
  serverPort: number,
): DemoConversation {
  const packets = [
    ethernet(ip(client, server, tcp(port, serverPort, SYN))),
    ethernet(ip(server, client, tcp(serverPort, port, RST | ACK))),
  ];
  return { client, server, port: serverPort, protocol: "tcp", failure: "refused", packets };
}

function lookup(
  client: string,
  port: number,
  resolver: string,
  name: string,
  address: string,
): DemoConversation {
  const question = { type: "A", name } as const;
  const asked = encode({ type: "query", id: 1, questions: [question] });
  const answered = encode({
    type: "response",
    id: 1,
    questions: [question],
    answers: [{ ...question, ttl: 300, data: address }],
  });
  const packets = [
    ethernet(ipUdp(client, resolver, udp(port, 53, asked))),
    ethernet(ipUdp(resolver, client, udp(53, port, answered))),
  ];
  return { client, server: resolver, port: 53, protocol: "udp", packets };
}

function unreachable(
  client: string,
  port: number,
  server: string,
  serverPort: number,
  reporter: string,
  type: number,
  code: number,
  failure: string,
): DemoConversation {
  const packet = ipUdp(client, server, udp(port, serverPort, "anybody there?"));
  const packets = [ethernet(packet), ethernet(ipIcmp(reporter, client, icmp(type, code, packet)))];
  return { client, server, port: serverPort, protocol: "udp", failure, packets };
}

function retag(frame: Bytes, vlan: number): Bytes {
  return ethernet(frame.subarray(ETHERNET_HEADER), [vlan]);
}

if (import.meta.main) {
  const packets: Timed[] = CONVERSATIONS.flatMap(({ packets }) => packets).map((packet, i) => ({
    packet,
    seconds: START + i * SECONDS_BETWEEN,
  }));
  await new Blob([pcap(packets)]).stream().pipeTo(Deno.stdout.writable);
}
