/** docs/attribution.md has the evidence as the program has it. */
import assert from "node:assert/strict";
import { emptyFacts, type Facts } from "../../src/model/facts.ts";
import { AGAINST_FIRST_PACKET, MARGIN } from "../../src/config/mapping_layout.ts";
import { Service } from "../../src/config/mod.ts";
import { EVIDENCE } from "../../src/config/service_evidence.ts";
import { SOURCE_END } from "../../src/model/evidence.ts";
import { REASON_NAMES, strengthOf } from "../../src/model/reason.ts";
import { programOfAction } from "../engine/asked.ts";

const TEXT = Deno.readTextFileSync(new URL("../../docs/attribution.md", import.meta.url));
const PROTOCOLS = [6, 17];
const MOST_PORTS = 65_536;

/** Cells of a table's rows, after the row whose first cell is `title`. */
function rowsOf(title: string): string[][] {
  const lines = TEXT.split("\n");
  const head = lines.findIndex((line) => line.startsWith("|") && cells(line)[0] === title);
  const rows: string[][] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(cells(line));
  }
  return rows;
}

function cells(line: string): string[] {
  return line.split("|").slice(1, -1).map((cell) => cell.trim());
}

/** All that each evidence can weigh for the source, when nothing is known of the other end. */
function allWeights(): number[][] {
  const program = programOfAction(Service());
  const found = EVIDENCE.map(() => new Set<number>());
  for (const facts of variants()) {
    const weights = program.weigh(facts);
    for (const [i, all] of found.entries()) all.add(Math.abs(weights[i]));
  }
  return found.map((all) => [...all].filter((weight) => weight !== 0).sort((a, b) => b - a));
}

function* variants(): Generator<Facts> {
  // Neither registered nor one that clients get.
  const neutral = { ...emptyFacts(), destinationPort: 5_139, sourcePort: 5_140 };
  for (const protocol of PROTOCOLS) {
    for (let sourcePort = 0; sourcePort < MOST_PORTS; sourcePort++) {
      yield { ...neutral, protocol, sourcePort };
    }
    for (let fanIn = 0; fanIn < 256; fanIn++) yield withSource(neutral, protocol, { fanIn });
    yield withSource(neutral, protocol, { listens: true });
    yield withSource(neutral, protocol, { announced: true });
    yield withSource(neutral, protocol, { served: true });
    yield withSource(neutral, protocol, { opened: true });
    const facts = withSource(neutral, protocol, {});
    Object.assign(facts.evidence, { payloadServer: SOURCE_END, firstSender: SOURCE_END });
    yield facts;
    const group = withSource(neutral, protocol, {});
    group.source.set([0, 0, 0, 0xe00000fb]);
    yield group;
  }
}

function withSource(facts: Facts, protocol: number, source: object): Facts {
  const made = { ...emptyFacts(), protocol };
  made.sourcePort = facts.sourcePort;
  made.destinationPort = facts.destinationPort;
  Object.assign(made.evidence.source, source);
  return made;
}

Deno.test("docs/attribution.md has the evidence with its weights and reasons", () => {
  const weights = allWeights();
  assert.deepEqual(
    rowsOf("evidence").map(([by, weights, reason]) => [
      by.replaceAll("`", ""),
      [...new Set(weights.match(/\d+/g)!.map(Number))].sort((a, b) => b - a),
      reason,
    ]),
    EVIDENCE.map(({ by, reason }, i) => [
      REASON_NAMES[by],
      weights[i],
      reason,
    ]),
  );
});

Deno.test("docs/attribution.md has the margin", () => {
  assert.ok(TEXT.replaceAll("\n", " ").replaceAll(/ +/g, " ").includes(`less than ${MARGIN} is`));
});

Deno.test("docs/attribution.md says how much has to speak against a first packet", () => {
  const text = TEXT.replaceAll(/\s+/g, " ");
  assert.ok(text.includes(`where ${AGAINST_FIRST_PACKET} or more speaks for its sender`));
});

Deno.test("docs/attribution.md has the strength of each kind of decision", () => {
  const documented = rowsOf("strength").flatMap(([strength, names]) =>
    [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => [name, Number(strength)] as const)
  );
  const strengths = REASON_NAMES.map((name, by) => [name, strengthOf(by)] as const)
    .filter(([name]) => name !== "none");
  assert.deepEqual(new Map([...documented].sort()), new Map([...strengths].sort()));
});
