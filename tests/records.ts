import type { ConversationRecord } from "../src/model/conversation_record.ts";
import { ACK, FIN, PSH, RST, SYN } from "./packets.ts";

/** A conversation's record: a whole HTTPS connection, but for what is given. */
export function record(given: Partial<ConversationRecord> = {}): ConversationRecord {
  return {
    id: 1,
    isOver: true,
    protocol: "tcp",
    client: "192.168.1.23",
    clientPort: 50_123,
    server: "192.0.2.10",
    port: 443,
    by: "syn",
    state: "closed",
    packets: [12, 10],
    bytes: [1_840, 9_310],
    flags: [SYN | ACK | PSH | FIN, SYN | ACK | PSH | FIN],
    first: 1_795_756_467_123,
    last: 1_795_756_469_623,
    interface: "eth0",
    vlan: null,
    tunnel: null,
    names: [{ name: "www.example.com", from: "lookup" }],
    isExplained: true,
    why: null,
    ...given,
  };
}

/** A DNS conversation over IPv6, in a VLAN, of which the rest is not known. */
export const UDP_RECORD: ConversationRecord = record({
  id: 2,
  protocol: "udp",
  client: "2001:db8:1::7",
  clientPort: 40_000,
  server: "2001:db8::53",
  port: 53,
  by: "qr",
  state: "open",
  packets: [1, 1],
  bytes: [79, 143],
  flags: [0, 0],
  last: 1_795_756_467_140,
  interface: null,
  vlan: 20,
  names: [],
  isExplained: null,
});

/** A connection that was refused. */
export const REFUSED_RECORD: ConversationRecord = record({
  id: 3,
  port: 8080,
  state: "refused",
  packets: [1, 1],
  bytes: [60, 40],
  flags: [SYN, RST | ACK],
  last: 1_795_756_467_124,
  names: [],
  isExplained: false,
  why: "no lookup of 192.168.1.23, nor of another client",
});
