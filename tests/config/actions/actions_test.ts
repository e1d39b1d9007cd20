import assert from "node:assert/strict";
import fc from "fast-check";
import { Assign, DST, type End, LowerPort, PortMatch, SRC } from "../../../src/config/mod.ts";
import type { Action } from "../../../src/config/action.ts";
import {
  clientIsDestination,
  DROP,
  FLOW,
  NO_MATCH,
  portOf,
  reasonOf,
  verdictOf,
} from "../../../src/model/outcome.ts";
import { REASON_NAMES } from "../../../src/model/reason.ts";
import { decidedBy, explainedBy } from "../../engine/asked.ts";
import { factsOfPorts } from "../facts_of.ts";

/** What an action says, in words: the server's end, the port, and what decided. */
function said(action: Action, sourcePort: number, destinationPort: number): string {
  const outcome = decidedBy(action, factsOfPorts(sourcePort, destinationPort));
  if (outcome === NO_MATCH) return "no match";
  if (outcome === DROP) return "drop";
  assert.equal(verdictOf(outcome), FLOW);
  const server = clientIsDestination(outcome) ? "source" : "destination";
  return `${server} serves ${portOf(outcome)} by ${REASON_NAMES[reasonOf(outcome)]}`;
}

const port = fc.integer({ min: 0, max: 65535 });
const servicePort = fc.integer({ min: 1, max: 65535 });
const ports = fc.uniqueArray(servicePort, { minLength: 1, maxLength: 5 });
const end = fc.constantFrom<End>(SRC, DST);

Deno.test("LowerPort() names the source on a tie", () => {
  assert.equal(said(LowerPort(), 500, 500), "source serves 500 by lower-port");
});

Deno.test("LowerPort(DST) names the destination on a tie", () => {
  assert.equal(said(LowerPort(DST), 500, 500), "destination serves 500 by lower-port");
});

Deno.test("LowerPort() names the end with the lower port, whatever the tie is", () => {
  fc.assert(fc.property(end, port, port, (tie, source, destination) => {
    fc.pre(source !== destination);
    const expected = source < destination
      ? `source serves ${source}`
      : `destination serves ${destination}`;
    assert.equal(said(LowerPort(tie), source, destination), `${expected} by lower-port`);
  }));
});

Deno.test("LowerPort() names the same server for both directions, but on a tie", () => {
  fc.assert(fc.property(end, port, port, (tie, source, destination) => {
    const there = said(LowerPort(tie), source, destination);
    const back = said(LowerPort(tie), destination, source);
    const turned = there.startsWith("source")
      ? there.replace("source", "destination")
      : there.replace("destination", "source");
    assert.equal(back, source === destination ? there : turned);
  }));
});

Deno.test("PortMatch() tries both ends, that of precedence first", () => {
  assert.equal(said(PortMatch([53, 80]), 53, 4000), "source serves 53 by port-match");
  assert.equal(said(PortMatch([53, 80]), 4000, 80), "destination serves 80 by port-match");
  assert.equal(said(PortMatch([53, 80]), 53, 80), "source serves 53 by port-match");
  const destinationFirst = PortMatch([53, 80], { precedence: DST });
  assert.equal(said(destinationFirst, 53, 80), "destination serves 80 by port-match");
  assert.equal(said(destinationFirst, 53, 4000), "source serves 53 by port-match");
});

Deno.test("PortMatch() takes any iterable, also of 1 and 65535", () => {
  assert.equal(said(PortMatch(new Set([1, 65535])), 65535, 2), "source serves 65535 by port-match");
  assert.equal(said(PortMatch(new Set([1, 65535])), 2, 1), "destination serves 1 by port-match");
});

Deno.test("PortMatch() agrees with its words for any ports", () => {
  fc.assert(
    fc.property(
      ports,
      end,
      fc.boolean(),
      port,
      port,
      fc.boolean(),
      (set, precedence, drop, a, b, hit) => {
        const [source, destination] = hit ? [set[0], b] : [a, b];
        const order: [string, number][] = [["source", source], ["destination", destination]];
        if (precedence === DST) order.reverse();
        const first = order.find(([, port]) => set.includes(port));
        const expected = first === undefined
          ? "no match"
          : drop
          ? "drop"
          : `${first[0]} serves ${first[1]} by port-match`;
        assert.equal(said(PortMatch(set, { precedence, drop }), source, destination), expected);
      },
    ),
  );
});

Deno.test("Assign() takes client and port from the ends named", () => {
  assert.equal(said(Assign(SRC, DST), 1, 2), "destination serves 2 by assign");
  assert.equal(said(Assign(DST, SRC), 1, 2), "source serves 1 by assign");
  assert.equal(said(Assign(SRC, SRC), 1, 2), "destination serves 1 by assign");
  assert.equal(said(Assign(DST, DST), 1, 2), "source serves 2 by assign");
});

Deno.test("Assign() agrees with its words for any ports", () => {
  const set = fc.option(ports, { nil: undefined });
  fc.assert(
    fc.property(
      end,
      end,
      set,
      fc.boolean(),
      port,
      port,
      fc.boolean(),
      (client, of, set, drop, a, b, hit) => {
        const [source, destination] = hit && set ? [set[0], set[0]] : [a, b];
        const interest = of === SRC ? source : destination;
        const matches = set === undefined || set.includes(interest);
        const server = client === SRC ? "destination" : "source";
        const expected = !matches
          ? "no match"
          : drop
          ? "drop"
          : `${server} serves ${interest} by assign`;
        const action = Assign(client, of, set === undefined ? { drop } : { ports: set, drop });
        assert.equal(said(action, source, destination), expected);
      },
    ),
  );
});

const anyAction: fc.Arbitrary<Action> = fc.oneof(
  end.map((tie) => LowerPort(tie)),
  fc.tuple(ports, end, fc.boolean()).map(([set, precedence, drop]) =>
    PortMatch(set, { precedence, drop })
  ),
  fc.tuple(end, end, fc.boolean()).map(([client, of, drop]) => Assign(client, of, { drop })),
  fc.tuple(end, end, ports).map(([client, of, ports]) => Assign(client, of, { ports })),
);

Deno.test("an action that says it always matches does so for any ports", () => {
  fc.assert(fc.property(anyAction, port, port, (action, source, destination) => {
    const outcome = decidedBy(action, factsOfPorts(source, destination));
    if (action.alwaysMatches) assert.notEqual(outcome, NO_MATCH);
  }));
});

Deno.test("what an action explains agrees with what it decides", () => {
  fc.assert(fc.property(anyAction, port, port, (action, source, destination) => {
    const facts = factsOfPorts(source, destination);
    const outcome = decidedBy(action, facts);
    const text = explainedBy(action, facts);
    assert.equal(text.includes("dropped"), outcome === DROP, text);
    assert.equal(/\b(neither|not in)\b/.test(text), outcome === NO_MATCH, text);
    const server = /so the (\w+) serves|tie the (\w+) serves/.exec(text);
    if (server === null) return;
    assert.equal((server[1] ?? server[2]) === "source", clientIsDestination(outcome), text);
  }));
});

Deno.test("an action's text is what config.ts has", () => {
  const written = [
    "LowerPort(DST)",
    "PortMatch([80, 443], { precedence: SRC })",
    "PortMatch([53], { precedence: DST, drop: true })",
    "Assign(SRC, DST)",
    "Assign(DST, SRC, { ports: [53], drop: true })",
  ];
  const actions = [
    LowerPort(DST),
    PortMatch([443, 80, 80]),
    PortMatch([53], { precedence: DST, drop: true }),
    Assign(SRC, DST),
    Assign(DST, SRC, { ports: [53], drop: true }),
  ];
  assert.deepEqual(actions.map(String), written);
});
