import type { ConversationRecord } from "../model/conversation_record.ts";
import { TCP_FIN, TCP_RST, TCP_SYN } from "./tcp_flags.ts";

/**
 * Zeek's `conn_state` (its `base/protocols/conn/main.zeek` has the rules), from what a record has: how
 * the conversation ended, and all flags of each end. Which flag came first is not in a record.
 */
export function zeekState(record: ConversationRecord): string {
  return record.protocol === "udp" ? udpState(record) : tcpState(record);
}

function udpState({ packets: [client, server] }: ConversationRecord): string {
  if (client > 0) return server > 0 ? "SF" : "S0";
  return server > 0 ? "SHR" : "OTH";
}

function tcpState({ state, packets, flags }: ConversationRecord): string {
  // "Inactive" to Zeek is an end that sent nothing, or was picked up in the middle.
  const isInactive = (end: 0 | 1) => packets[end] === 0 || (flags[end] & TCP_SYN) === 0;
  const sent = (end: 0 | 1, flag: number) => (flags[end] & flag) !== 0;
  if (state === "refused") return "REJ";
  // Those that said FIN may send RST after it, for what comes too late.
  if (state === "closed") return "SF";
  if (sent(1, TCP_RST)) return isInactive(0) ? "RSTRH" : "RSTR";
  if (sent(0, TCP_RST)) {
    if (!isInactive(1)) return "RSTO";
    return sent(0, TCP_SYN) && packets[1] === 0 ? "RSTOS0" : "OTH";
  }
  if (sent(0, TCP_FIN) && sent(1, TCP_FIN)) return "SF";
  if (sent(0, TCP_FIN)) return isInactive(1) ? "SH" : "S2";
  if (sent(1, TCP_FIN)) return isInactive(0) ? "SHR" : "S3";
  if (isInactive(0) || packets[1] > 0 && isInactive(1)) return "OTH";
  return packets[1] === 0 ? "S0" : "S1";
}
