import { NEITHER, SOURCE_END } from "../model/evidence.ts";
import type { Facts } from "../model/facts.ts";
import { EVIDENCE } from "../config/service_evidence.ts";
import { REASON_NAMES } from "../model/reason.ts";
import { aligned } from "./aligned.ts";

/**
 * What speaks for who opened a conversation and who serves, a line each.
 *
 * @param weights What each of `EVIDENCE` weighs, for the source.
 * @param wasSeen Whether captures were looked at.
 */
export function evidenceLines(
  facts: Facts,
  weights: ArrayLike<number>,
  wasSeen: boolean,
): string[] {
  const { opener, openerBy } = facts.evidence;
  const rows: string[][] = [];
  if (opener !== NEITHER) {
    const end = opener === SOURCE_END ? "source" : "destination";
    rows.push([
      REASON_NAMES[openerBy],
      `the ${end} opened`,
      "",
      OPENINGS[REASON_NAMES[openerBy]] ?? "",
    ]);
  }
  for (const [i, evidence] of EVIDENCE.entries()) {
    const weight = weights[i];
    if (weight === 0) continue;
    const end = weight > 0 ? "source" : "destination";
    rows.push([
      REASON_NAMES[evidence.by],
      `the ${end} serves`,
      `+${Math.abs(weight)}`,
      // The first sentence: docs/attribution.md has all of them.
      evidence.reason.split(". ")[0].replace(/\.?$/, "."),
    ]);
  }
  const where = wasSeen ? "" : ", without a capture (--from FILE adds what one has of it)";
  return rows.length === 0 ? [`Evidence${where}: none`] : [`Evidence${where}:`, ...aligned(rows)];
}

/** What was seen of an opening, by what `--json` calls it. */
const OPENINGS: Partial<Record<string, string>> = {
  "syn": "It sent a SYN.",
  "syn-ack": "A SYN-ACK was sent to it.",
  "qr": "It sent a DNS query, or was sent a response.",
  "first-packet": "It sent the first packet, and it was watched well before.",
};
