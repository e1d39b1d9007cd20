import { EVIDENCE } from "../config/service_evidence.ts";
import { REASON_NAMES, type ReasonName } from "../model/reason.ts";

/** What decided by itself, without being weighed. */
const DECIDED: Partial<Record<ReasonName, string>> = {
  "none": "Nothing decided yet.",
  "lower-port": "Nothing better was known, and a rule takes the lower port for the service.",
  "port-match": "A rule of the configuration lists the port as that of a service.",
  "assign": "A rule of the configuration says which of the networks has the client.",
  "function": "A function of the configuration decided.",
  "syn": "The client sent the SYN that opened the connection.",
  "syn-ack": "The server answered the opening of the connection with SYN-ACK.",
  "qr": "DNS messages say which is a query, and which a response.",
  "first-packet": "The client sent the first packet, after the port had been watched for a while.",
};

/** Why a flow has this client and this server, in words, by what decided. */
export function byMeaning(by: string): string {
  const number = (REASON_NAMES as readonly string[]).indexOf(by);
  return DECIDED[by as ReasonName] ?? EVIDENCE.find((it) => it.by === number)?.reason ?? "";
}
