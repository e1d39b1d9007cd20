/** Initiator() and Service(): what they say of evidence, whichever way a packet goes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Initiator, Service } from "../../../src/config/mod.ts";
import type { Action } from "../../../src/config/action.ts";
import {
  DESTINATION_END,
  type EndEvidence,
  type EvidentEnd,
  NEITHER,
  SOURCE_END,
} from "../../../src/model/evidence.ts";
import { emptyFacts, type Facts } from "../../../src/model/facts.ts";
import {
  clientIsDestination,
  FLOW,
  flowOutcome,
  NO_MATCH,
  portOf,
  reasonOf,
  turned,
  verdictOf,
} from "../../../src/model/outcome.ts";
import { MARGIN } from "../../../src/config/mapping_layout.ts";
import { EVIDENCE } from "../../../src/config/service_evidence.ts";
import { BY_FIRST_PACKET, REASON_NAMES } from "../../../src/model/reason.ts";
import { parseAddress } from "../../../src/model/address.ts";
import { decidedBy, explainedBy, programOfAction } from "../../engine/asked.ts";

const TCP = 6;
const SERVICE = Service();
const UDP = 17;
const OPENED_BY = ["syn", "syn-ack", "qr", "first-packet"].map((name) =>
  REASON_NAMES.indexOf(name as typeof REASON_NAMES[number])
);

const port = fc.integer({ min: 0, max: 65_535 });
const whichEnd = fc.constantFrom(NEITHER, SOURCE_END, DESTINATION_END);
const endEvidence: fc.Arbitrary<EndEvidence> = fc.record({
  listens: fc.boolean(),
  announced: fc.boolean(),
  served: fc.boolean(),
  opened: fc.boolean(),
  fanIn: fc.integer({ min: 0, max: 255 }),
});
const address = fc.constantFrom("10.0.0.1", "192.0.2.1", "224.0.0.251", "255.255.255.255");

const facts: fc.Arbitrary<Facts> = fc.record({
  protocol: fc.constantFrom(TCP, UDP),
  from: address,
  to: address,
  sourcePort: port,
  destinationPort: port,
  evidence: fc.record({
    opener: whichEnd,
    openerBy: fc.constantFrom(...OPENED_BY),
    payloadServer: whichEnd,
    firstSender: whichEnd,
    source: endEvidence,
    destination: endEvidence,
  }),
}).map(({ from, to, ...rest }) => ({
  ...emptyFacts(),
  ...rest,
  source: parseAddress(from)!.words,
  destination: parseAddress(to)!.words,
}));

/** Facts of what is given, between two ports that say nothing. */
function factsWith(given: Partial<Facts["evidence"]>, ports = [7_001, 7_777]): Facts {
  const made = emptyFacts();
  Object.assign(made.evidence, given);
  return { ...made, protocol: TCP, sourcePort: ports[0], destinationPort: ports[1] };
}

const end = (given: Partial<EndEvidence>): EndEvidence => ({
  listens: false,
  announced: false,
  served: false,
  opened: false,
  fanIn: 0,
  ...given,
});

/** The same of a packet that goes the other way. */
function reversed(given: Facts): Facts {
  const otherEnd = (it: EvidentEnd) =>
    it === SOURCE_END ? DESTINATION_END : it === DESTINATION_END ? SOURCE_END : NEITHER;
  const { evidence } = given;
  return {
    ...given,
    source: given.destination,
    destination: given.source,
    sourcePort: given.destinationPort,
    destinationPort: given.sourcePort,
    evidence: {
      opener: otherEnd(evidence.opener),
      openerBy: evidence.openerBy,
      payloadServer: otherEnd(evidence.payloadServer),
      firstSender: otherEnd(evidence.firstSender),
      source: evidence.destination,
      destination: evidence.source,
    },
  };
}

/** What an action says, in words: the server's end, and what decided. */
function said(action: Action, given: Facts): string {
  const outcome = decidedBy(action, given);
  if (outcome === NO_MATCH) return "no match";
  const server = clientIsDestination(outcome) ? "source" : "destination";
  assert.equal(portOf(outcome), server === "source" ? given.sourcePort : given.destinationPort);
  return `${server} serves by ${REASON_NAMES[reasonOf(outcome)]}`;
}

for (const action of [Initiator(), Service()]) {
  Deno.test(`${action} says the same of both directions`, () => {
    fc.assert(fc.property(facts, (given) => {
      const there = decidedBy(action, given);
      const back = decidedBy(action, reversed(given));
      if (there === NO_MATCH) return assert.equal(back, NO_MATCH);
      assert.equal(verdictOf(there), FLOW);
      assert.equal(back, turned(there));
    }));
  });

  Deno.test(`${action} explains what it decides`, () => {
    fc.assert(fc.property(facts, (given) => {
      const outcome = decidedBy(action, given);
      const text = explainedBy(action, given);
      assert.ok(!text.endsWith("."));
      if (outcome === NO_MATCH) assert.doesNotMatch(text, /, so /);
      else {
        const client = clientIsDestination(outcome) ? "destination" : "source";
        const server = clientIsDestination(outcome) ? "source" : "destination";
        assert.ok(
          text.endsWith(`so the ${server} serves`) ||
            text.startsWith(`the ${client} opened the conversation`),
          text,
        );
      }
    }));
  });
}

Deno.test("Initiator() names who opened the client, by what was seen", () => {
  for (const openerBy of OPENED_BY) {
    const by = REASON_NAMES[openerBy];
    const opened = (opener: EvidentEnd) => said(Initiator(), factsWith({ opener, openerBy }));
    assert.equal(opened(SOURCE_END), `destination serves by ${by}`);
    assert.equal(opened(DESTINATION_END), `source serves by ${by}`);
    assert.equal(opened(NEITHER), "no match");
  }
});

Deno.test("Initiator() does not go by the first packet where much speaks for its sender as the server", () => {
  const sent = { opener: SOURCE_END, openerBy: BY_FIRST_PACKET, firstSender: SOURCE_END };
  const first = (given: Partial<Facts["evidence"]>, ports?: number[]) =>
    said(Initiator(), { ...factsWith({ ...sent, ...given }, ports), protocol: UDP });
  assert.equal(first({ payloadServer: DESTINATION_END }), "destination serves by first-packet");
  assert.equal(first({ payloadServer: SOURCE_END }), "no match");
  assert.equal(first({}, [161, 50_000]), "no match");
  assert.equal(first({}, [50_000, 161]), "destination serves by first-packet");
  assert.equal(first({}, [161, 162]), "destination serves by first-packet");
  assert.equal(first({}, [7_001, 50_000]), "destination serves by first-packet");
  assert.equal(first({ source: end({ served: true }) }), "destination serves by first-packet");
});

Deno.test("Service() takes no end that sends for a group", () => {
  const group = parseAddress("236.1.2.3")!.words;
  const given = { ...factsWith({ firstSender: SOURCE_END }, [40_000, 427]), source: group };
  assert.equal(said(Service(), { ...given, protocol: UDP }), "destination serves by registered");
});

Deno.test("Service() says nothing where nothing speaks, and of close calls", () => {
  assert.equal(said(Service(), factsWith({})), "no match");
  assert.equal(said(Service(), factsWith({ firstSender: SOURCE_END })), "no match");
  // Both ports are ones that clients get, of different systems.
  assert.equal(said(Service(), factsWith({}, [40_000, 60_000])), "no match");
  // Both served.
  const served = end({ served: true });
  assert.equal(said(Service(), factsWith({ source: served, destination: served })), "no match");
  fc.assert(fc.property(facts, (given) => {
    const balance = programOfAction(SERVICE).weigh(given).reduce((sum, weight) => sum + weight);
    assert.equal(decidedBy(SERVICE, given) === NO_MATCH, Math.abs(balance) < MARGIN);
  }));
});

Deno.test("Service() goes by each kind of evidence", () => {
  const cases: [Facts, string][] = [
    [factsWith({ payloadServer: SOURCE_END }), "source serves by payload"],
    [factsWith({ source: end({ listens: true }) }), "source serves by listening"],
    [factsWith({ source: end({ announced: true }) }), "source serves by announced"],
    [factsWith({ source: end({ served: true }) }), "source serves by learned"],
    [factsWith({ destination: end({ opened: true }) }), "source serves by learned"],
    [factsWith({ source: end({ fanIn: 1 }) }), "source serves by fan-in"],
    [factsWith({}, [443, 7_777]), "source serves by registered"],
    [factsWith({}, [61_000, 7_777]), "destination serves by ephemeral"],
  ];
  for (const [given, expected] of cases) assert.equal(said(Service(), given), expected);
  const group = parseAddress("224.0.0.251")!.words;
  assert.equal(
    said(Service(), { ...factsWith({}), destination: group }),
    "destination serves by multicast",
  );
  const group6 = parseAddress("ff02::fb")!.words;
  assert.equal(
    said(Service(), { ...factsWith({}), family: 6, source: group6 }),
    "source serves by multicast",
  );
});

Deno.test("Service() takes the lower port for nothing", () => {
  assert.equal(said(Service(), factsWith({}, [7_777, 9_999])), "no match");
  assert.equal(said(Service(), factsWith({}, [40_000, 8_443])), "destination serves by ephemeral");
});

Deno.test("Service() names among what speaks for the server what weighs most", () => {
  fc.assert(fc.property(facts, (given) => {
    const outcome = decidedBy(SERVICE, given);
    const balance = programOfAction(SERVICE).weigh(given).reduce((sum, weight) => sum + weight);
    assert.equal(outcome === NO_MATCH, Math.abs(balance) < MARGIN);
    if (outcome === NO_MATCH) return;
    const isSource = clientIsDestination(outcome);
    const weighed = programOfAction(SERVICE).weigh(given);
    const weights = EVIDENCE.map((_, i) => weighed[i] * (isSource ? 1 : -1));
    const heaviest = weights.indexOf(Math.max(...weights));
    assert.equal(reasonOf(outcome), EVIDENCE[heaviest].by);
  }));
});

Deno.test("turned() is the same attribution, of the other direction", () => {
  const outcome = flowOutcome(true, 443, 5);
  assert.equal(turned(outcome), flowOutcome(false, 443, 5));
  assert.equal(turned(turned(outcome)), outcome);
});
