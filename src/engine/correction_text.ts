import type { Facts } from "../model/facts.ts";
import { clientIsDestination, FLOW, type Outcome, reasonOf, verdictOf } from "../model/outcome.ts";
import { addressText } from "../model/address_text.ts";
import { REASON_NAMES } from "../model/reason.ts";

const TCP = 6;

/** How a flow was attributed, and how it is now: two clients and servers, each with what decided. */
export function correctionText(facts: Facts, before: Outcome, after: Outcome): string {
  const protocol = facts.protocol === TCP ? "TCP" : "UDP";
  return `${protocol}: ${attributionText(facts, before)} is now ${attributionText(facts, after)}`;
}

/** Client, server, and what decided: `10.0.0.1:51000 -> 192.0.2.1:443 (syn)`. */
function attributionText(facts: Facts, outcome: Outcome): string {
  const by = REASON_NAMES[reasonOf(outcome)];
  if (verdictOf(outcome) !== FLOW) return "no flow";
  const source = endText(facts, facts.source, facts.sourcePort);
  const destination = endText(facts, facts.destination, facts.destinationPort);
  return clientIsDestination(outcome)
    ? `${destination} -> ${source} (${by})`
    : `${source} -> ${destination} (${by})`;
}

function endText({ family }: Facts, words: Uint32Array, port: number): string {
  const address = addressText(words, 0, family === 6);
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
