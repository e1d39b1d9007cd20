import assert from "node:assert/strict";
import fc from "fast-check";
import { addressText } from "../../src/model/address_text.ts";

function words(groups: number[]): Uint32Array {
  const words = new Uint32Array(4);
  groups.forEach((group, i) => words[i >> 1] |= group << (i % 2 === 0 ? 16 : 0));
  return words;
}

const CASES: [number[], string][] = [
  [[0, 0, 0, 0, 0, 0, 0, 0], "::"],
  [[0, 0, 0, 0, 0, 0, 0, 1], "::1"],
  [[1, 0, 0, 0, 0, 0, 0, 0], "1::"],
  [[0, 1, 0, 1, 0, 1, 0, 1], "0:1:0:1:0:1:0:1"],
  [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"],
  [[0x2001, 0xdb8, 0, 1, 0, 0, 0, 1], "2001:db8:0:1::1"],
  [[0xfe80, 0, 0, 0, 0xabcd, 0xef, 0xfff, 0x1000], "fe80::abcd:ef:fff:1000"],
  [[0, 0, 1, 2, 3, 4, 0, 0], "::1:2:3:4:0:0"],
  [[0, 0, 0, 0, 0, 0xffff, 0x102, 0x304], "::ffff:102:304"],
  [
    [0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff],
    Array(8).fill("ffff").join(":"),
  ],
];

Deno.test("addressText() compresses the first of the longest runs of two or more zero groups", () => {
  for (const [groups, text] of CASES) assert.equal(addressText(words(groups), 0, true), text);
});

Deno.test("addressText() writes IPv4 as a dotted quad, from the last word at the offset", () => {
  assert.equal(addressText(Uint32Array.of(9, 0, 0, 0, 0xc0a80001), 1, false), "192.168.0.1");
  assert.equal(addressText(Uint32Array.of(0, 0, 0, 0xffffffff), 0, false), "255.255.255.255");
  assert.equal(addressText(new Uint32Array(4), 0, false), "0.0.0.0");
});

/** Zero groups are the interesting ones, so half of them are. */
const anyGroup = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const anyGroups = fc.array(anyGroup, { minLength: 8, maxLength: 8 });

Deno.test("addressText() of any IPv6 address reads back as that address", () => {
  fc.assert(fc.property(anyGroups, (groups) => {
    const host = new URL(`http://[${addressText(words(groups), 0, true)}]/`).hostname;
    assert.equal(
      host,
      new URL(`http://[${groups.map((g) => g.toString(16)).join(":")}]/`).hostname,
    );
  }));
});

Deno.test("addressText() of any IPv6 address is what the URL standard's serializer writes", () => {
  // Both follow RFC 5952 section 4 and neither writes a dotted quad inside IPv6.
  fc.assert(fc.property(anyGroups, (groups) => {
    const text = addressText(words(groups), 0, true);
    assert.equal(`[${text}]`, new URL(`http://[${text}]/`).hostname);
  }));
});
