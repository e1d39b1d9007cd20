/**
 * A capture of conversations that were picked up in their middle, of which nothing tells who serves but
 * that a server is talked with from many ports.
 */
import { PORT_WEIGHTS } from "../src/config/service_evidence.ts";
import { ACK, type Bytes, ethernet, ip, PSH, tcp, type Timed } from "./packets.ts";

const PORTS = 1 << 16;
/** Conversations that each server has, far from each other. */
const OF_A_SERVER = 5;
/** Seconds after which all are seen again, when their keys may be written again. */
const LATER = 100;
const OF_A_SECOND = 500;
export const START = 1_800_000_000;

/** A conversation that was made: the port of the client is the lower one. */
export interface MadeConversation {
  readonly client: string;
  readonly server: string;
  readonly clientPort: number;
  readonly serverPort: number;
  /** Whether it is the first of its server. */
  readonly isFirst: boolean;
}

/** Ports that say nothing: neither registered nor ephemeral ones. */
function silentPorts(count: number): number[] {
  const ports = [];
  for (let port = 1024; ports.length < count; port++) {
    const weights = [0, 1, 2].map((list) => PORT_WEIGHTS[list * PORTS + port]);
    if (weights.every((weight) => weight === 0)) ports.push(port);
  }
  return ports;
}

/**
 * So many conversations, of both address families in turn, each client having one of them. Of the first
 * that a server has nothing tells who serves.
 */
export function fanInConversations(count: number): MadeConversation[] {
  const ports = silentPorts(OF_A_SERVER + 1);
  const servers = Math.ceil(count / OF_A_SERVER);
  return Array.from({ length: count }, (_, i) => {
    const number = i % servers;
    const isIpv6 = number % 2 === 1;
    const host = (net: number, host: number) =>
      isIpv6
        ? `2001:db8:${net}::${(host + 1).toString(16)}`
        : `10.${net}.${(host + 1) >>> 8}.${(host + 1) & 0xff}`;
    return {
      client: host(1, i),
      server: host(2, number),
      clientPort: ports[Math.floor(i / servers)],
      serverPort: ports[OF_A_SERVER],
      isFirst: i < servers,
    };
  });
}

/** Their packets: each is seen twice, a question and an answer each time. */
export function fanInPackets(conversations: readonly MadeConversation[]): Timed[] {
  return [0, LATER].flatMap((later) =>
    conversations.flatMap((made, i) => {
      const seconds = START + later + Math.floor(i / OF_A_SECOND);
      return packetsOf(made).map((packet) => ({ packet, seconds }));
    })
  );
}

function packetsOf({ client, server, clientPort, serverPort }: MadeConversation): Bytes[] {
  return [
    ethernet(ip(client, server, tcp(clientPort, serverPort, PSH | ACK, "?"))),
    ethernet(ip(server, client, tcp(serverPort, clientPort, PSH | ACK, "!"))),
  ];
}
