import {
  IPV6_BIT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_RST,
  OBSERVATION_WORDS,
  WORD_ABOUT,
  WORD_KIND,
  WORD_SECONDS,
} from "../model/observation_batch.ts";
import { REASON_NAMES } from "../model/reason.ts";
import { keyText } from "../sink/keys.ts";
import { unreachableReason } from "../sink/unreachable_reason.ts";
import type { FlowObservations, Refusals } from "./store_batch.ts";

/** IP protocol number (RFC 9293, section 3.1). */
const TCP = 6;

/** Takes what observations say. */
export interface ObservationTaker {
  takeFlow(observations: FlowObservations): void;
  takeRefusals(refusals: Refusals): void;
}

/**
 * Reads observations of flows and refusals; others are passed over.
 *
 * @param words Laid out as in an `ObservationBatch`.
 * @param nameOf The name of a flow's server, by where its observation's first word is.
 * @param origin From when on times are counted, in seconds since 1970-01-01 UTC.
 */
export function readObservations(
  words: Uint32Array,
  count: number,
  nameOf: (offset: number) => string | null,
  origin: number,
  taker: ObservationTaker,
): void {
  for (let i = 0; i < count; i++) {
    const offset = i * OBSERVATION_WORDS;
    const head = words[offset + WORD_KIND];
    const kind = head & 0xff;
    if (kind !== KIND_FLOW && kind !== KIND_RST && kind !== KIND_ICMP) continue;
    const [a, b, ports] = keyText(words, offset).split(";");
    const time = (words[offset + WORD_SECONDS] + origin) * 1000;
    const about = words[offset + WORD_ABOUT];
    if (kind === KIND_FLOW) {
      taker.takeFlow({
        client: a,
        server: b,
        port: Number(ports),
        protocol: ((about >>> 8) & 0xff) === TCP ? "tcp" : "udp",
        by: REASON_NAMES[about & 0xff],
        name: nameOf(offset),
        count: 1,
        time,
      });
      continue;
    }
    const isRst = kind === KIND_RST;
    taker.takeRefusals({
      kind: isRst ? "rst" : "icmp",
      prober: a,
      target: b,
      // Of both, the second is the port that was tried.
      port: Number(ports.split(":")[1]),
      reason: isRst ? "" : unreachableReason((head >>> 16) & 0xff, (head & IPV6_BIT) !== 0),
      count: 1,
      time,
    });
  }
}
