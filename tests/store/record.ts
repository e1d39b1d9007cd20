import type { ConversationRecord } from "../../src/model/conversation_record.ts";

/** 2026-11-27 00:00:00 UTC, in milliseconds. */
export const MIDNIGHT = 1_795_737_600_000;

/** A record of a conversation; what is not given is that of a short one over HTTPS, which has ended. */
export function record(given: Partial<ConversationRecord> = {}): ConversationRecord {
  return {
    id: 1,
    isOver: true,
    protocol: "tcp",
    client: "10.0.0.1",
    clientPort: 40_000,
    server: "192.0.2.1",
    port: 443,
    by: "syn",
    state: "closed",
    packets: [10, 12],
    bytes: [1_000, 20_000],
    flags: [0x1b, 0x1b],
    first: MIDNIGHT,
    last: MIDNIGHT + 3_000,
    interface: "eth0",
    vlan: null,
    tunnel: null,
    names: [],
    isExplained: null,
    why: null,
    ...given,
  };
}
