import { NEITHER } from "./evidence_layout.ts";

export * from "./evidence_layout.ts";

/** `NEITHER`, `SOURCE_END` or `DESTINATION_END`. */
export type EvidentEnd = number;

/** What is known of one end, an address and a port, from all conversations that it had. */
export interface EndEvidence {
  /** Whether the sensor's own host listens there. */
  listens: boolean;
  /** Whether somebody announced that it would be connected to. */
  announced: boolean;
  /** Whether it was seen to be the server of another conversation. */
  served: boolean;
  /** Whether it was seen to open another conversation. */
  opened: boolean;
  /** How often its conversations were with another port than the one before. */
  fanIn: number;
}

/** What was seen of a conversation besides its addresses and ports. */
export interface Evidence {
  /** Which end opened the conversation. */
  opener: EvidentEnd;
  /** How that was seen, a number of `reason_numbers.ts`. */
  openerBy: number;
  /** Which end serves, by what the payload says. */
  payloadServer: EvidentEnd;
  /** Which end sent the first packet that was seen, which may not have been the first there was. */
  firstSender: EvidentEnd;
  /** What is known of the packet's source. */
  readonly source: EndEvidence;
  /** What is known of the packet's destination. */
  readonly destination: EndEvidence;
}

/** New evidence: none. */
export function emptyEvidence(): Evidence {
  return {
    opener: NEITHER,
    openerBy: 0,
    payloadServer: NEITHER,
    firstSender: NEITHER,
    source: emptyEndEvidence(),
    destination: emptyEndEvidence(),
  };
}

function emptyEndEvidence(): EndEvidence {
  return { listens: false, announced: false, served: false, opened: false, fanIn: 0 };
}
