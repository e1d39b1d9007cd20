/** Whole conversations as Ethernet frames, for captures that programs and tests make. */
import { ACK, type Bytes, ethernet, FIN, ip, ipUdp, PSH, SYN, tcp, udp } from "./packets.ts";

/** A TCP connection from its SYN to its last ACK, with a question and an answer. */
export function connection(
  client: string,
  port: number,
  server: string,
  serverPort: number,
): Bytes[] {
  const there = (flags: number, payload = "") =>
    ethernet(ip(client, server, tcp(port, serverPort, flags, payload)));
  const back = (flags: number, payload = "") =>
    ethernet(ip(server, client, tcp(serverPort, port, flags, payload)));
  return [
    there(SYN),
    back(SYN | ACK),
    there(ACK),
    there(PSH | ACK, "question"),
    back(PSH | ACK, "answer"),
    there(FIN | ACK),
    back(FIN | ACK),
    there(ACK),
  ];
}

/** A UDP datagram and its answer. */
export function exchange(
  client: string,
  port: number,
  server: string,
  serverPort: number,
): Bytes[] {
  return [
    ethernet(ipUdp(client, server, udp(port, serverPort, "question"))),
    ethernet(ipUdp(server, client, udp(serverPort, port, "answer"))),
  ];
}

/** The keys that a conversation gives when it is attributed, in no order. */
export function keysOfFlow(client: string, server: string, serverPort: number): string[] {
  return [
    `client;${client}`,
    `${client};${server};${serverPort};flow`,
    `${client};${server};peer`,
    `${server};${client};peer`,
  ];
}
