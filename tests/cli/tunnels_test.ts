import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseAddress } from "../../src/model/address.ts";
import { addressText } from "../../src/model/address_text.ts";
import {
  HAS_SHARED_CAPTURES,
  sharedCapture,
  sharedJson,
  WITHOUT_SHARED_CAPTURES,
} from "../shared_captures.ts";
import { flosensor } from "./program.ts";

const CONFIG = fileURLToPath(new URL("../../config.ts", import.meta.url));

/** What `encapsulated/inner.json` has for each capture. */
type Inner = Record<
  string,
  { conversations: [protocol: string, string, number, string, number, stack: string][] }
>;

/** An address as flosensor writes it: of a mapped one tshark writes the last part in its old form. */
function canonical(address: string): string {
  const { words, family } = parseAddress(address)!;
  return addressText(words, 0, family === 6);
}

Deno.test({
  name:
    `replay gives flows of 95 % of the conversations that tshark reads in tunnels${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const inner = Object.entries(sharedJson<Inner>("encapsulated/inner.json"));
    const files = inner.map(([name]) => sharedCapture(`encapsulated/pcap/${name}`));
    const { status, stdout, stderr } = await flosensor([
      "replay",
      ...files,
      "--json",
      "--no-redis",
      "-c",
      CONFIG,
    ]);
    assert.equal(status, 0, stderr);
    const keys = new Set(stdout.trim().split("\n").map((line) => JSON.parse(line).key));
    const missing: string[] = [];
    let count = 0;
    for (const [name, { conversations }] of inner) {
      for (const [protocol, one, onePort, other, otherPort] of conversations) {
        count++;
        const [from, to] = [canonical(one), canonical(other)];
        const expected = [
          ...[onePort, otherPort].map((port) => `${from};${to};${port};flow`),
          ...[onePort, otherPort].map((port) => `${to};${from};${port};flow`),
        ];
        if (expected.some((key) => keys.has(key))) continue;
        missing.push(`${name}: ${protocol} ${one} ${onePort} ${other} ${otherPort}`);
      }
    }
    assert.ok(count > 200);
    assert.ok(
      missing.length <= count * 0.05,
      `${missing.length} of ${count}:\n${missing.join("\n")}`,
    );
  },
});
