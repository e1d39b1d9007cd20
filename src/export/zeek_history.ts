import type { ConversationRecord } from "../model/conversation_record.ts";
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from "./tcp_flags.ts";

/**
 * Zeek's `history`: a letter for each kind of packet, in upper case from the client and in lower case
 * from the server. A record has no order of packets, so letters are in that of a usual connection,
 * `ShADadFfRr`. `D` and `d` stand for packets with PSH over TCP, and for any over UDP.
 */
export function zeekHistory({ protocol, packets, flags }: ConversationRecord): string {
  if (protocol === "udp") return (packets[0] > 0 ? "D" : "") + (packets[1] > 0 ? "d" : "");
  const [client, server] = flags;
  const letter = (flag: number, isSeen: number, text: string) => (isSeen & flag) === 0 ? "" : text;
  // A SYN of the server acknowledges the client's, unless both opened at once or roles were mistaken.
  const serverSyn = (server & TCP_ACK) === 0 ? "s" : "h";
  return letter(TCP_SYN, client, "S") + letter(TCP_SYN, server, serverSyn) +
    letter(TCP_ACK, client, "A") + letter(TCP_PSH, client, "D") +
    // Of a server that refuses, ACK is a part of its RST, and of one that said SYN, of that.
    (isAcknowledging(server, packets[1]) ? "a" : "") + letter(TCP_PSH, server, "d") +
    letter(TCP_FIN, client, "F") + letter(TCP_FIN, server, "f") +
    letter(TCP_RST, client, "R") + letter(TCP_RST, server, "r");
}

/** Whether more packets with ACK came than the one with SYN or RST, which has it too. */
function isAcknowledging(flags: number, packets: number): boolean {
  if ((flags & TCP_ACK) === 0) return false;
  return (flags & (TCP_SYN | TCP_RST)) === 0 || packets > 1;
}
