import { emptyEvidence, type Evidence } from "./evidence.ts";

/**
 * What an action is told of one direction of a conversation. One object is used for all
 * conversations: an action reads it and keeps nothing of it.
 */
export interface Facts {
  /** 4 or 6. */
  family: 4 | 6;
  /** IANA protocol number: 6 for TCP, 17 for UDP. */
  protocol: number;
  /** The packet's source: four words in network order, IPv4 in the last of them, the others 0. */
  readonly source: Uint32Array;
  /** The packet's destination, in the same way. */
  readonly destination: Uint32Array;
  /** The port of the packet's source. */
  sourcePort: number;
  /** The port of the packet's destination. */
  destinationPort: number;
  /** Index of the source's network in the mapping, or -1 when it is in none. */
  sourceNetwork: number;
  /** Index of the destination's network in the mapping, or -1 when it is in none. */
  destinationNetwork: number;
  /** What was seen of the conversation, and of its ends in others. */
  readonly evidence: Evidence;
}

/** New facts, all zero. */
export function emptyFacts(): Facts {
  return {
    family: 4,
    protocol: 0,
    source: new Uint32Array(4),
    destination: new Uint32Array(4),
    sourcePort: 0,
    destinationPort: 0,
    sourceNetwork: -1,
    destinationNetwork: -1,
    evidence: emptyEvidence(),
  };
}
