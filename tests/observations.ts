import { parseAddress } from "../src/model/address.ts";
import { REASON_NAMES, type ReasonName } from "../src/model/reason.ts";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_PEER,
  KIND_RST,
  OBSERVATION_WORDS,
  ObservationBatch,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
} from "../src/model/observation_batch.ts";

/** An observation as a test writes it. What is left out is 0. */
export interface Observed {
  kind: "client" | "flow" | "peer" | "rst" | "icmp";
  a: string;
  b?: string;
  /** A flow's service port, or the first of two ports. */
  port?: number;
  /** The second of two ports. */
  otherPort?: number;
  code?: number;
  by?: ReasonName;
  protocol?: number;
  seconds?: number;
}

const KINDS = {
  client: KIND_CLIENT,
  flow: KIND_FLOW,
  peer: KIND_PEER,
  rst: KIND_RST,
  icmp: KIND_ICMP,
};

/** A batch of the observations. */
export function observations(...observed: Observed[]): ObservationBatch {
  const batch = new ObservationBatch(observed.length);
  for (const it of observed) {
    const at = batch.count++ * OBSERVATION_WORDS;
    const a = parseAddress(it.a)!;
    const { words } = batch;
    const family = a.family === 6 ? IPV6_BIT : 0;
    words[at + WORD_KIND] = KINDS[it.kind] | family | ((it.code ?? 0) << 16);
    words.set(a.words, at + WORD_A);
    if (it.b !== undefined) words.set(parseAddress(it.b)!.words, at + WORD_B);
    const hasTwoPorts = it.kind === "rst" || it.kind === "icmp";
    words[at + WORD_PORTS] = hasTwoPorts
      ? ((it.port ?? 0) << 16) | (it.otherPort ?? 0)
      : it.port ?? 0;
    words[at + WORD_ABOUT] = REASON_NAMES.indexOf(it.by ?? "none") | ((it.protocol ?? 0) << 8);
    words[at + WORD_SECONDS] = it.seconds ?? 0;
  }
  return batch;
}

/** Observations of `count` clients, `10.0.0.0` upwards. Their keys are `client;10.0.0.0` and so on. */
export function clients(count: number, first = 0): ObservationBatch {
  const batch = new ObservationBatch(count);
  for (let i = 0; i < count; i++) {
    const at = batch.count++ * OBSERVATION_WORDS;
    batch.words[at + WORD_KIND] = KIND_CLIENT;
    batch.words[at + WORD_A + 3] = 0x0a000000 + first + i;
  }
  return batch;
}
