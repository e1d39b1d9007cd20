import assert from "node:assert/strict";
import fc from "fast-check";
import { type Cidr, cidrText, parseCidr } from "../../src/config/cidr.ts";
import { PrefixSet } from "../../src/config/coverage.ts";

function setOf(...texts: string[]): PrefixSet {
  return new PrefixSet(texts.map(parseCidr));
}

Deno.test("a PrefixSet covers what several of its prefixes cover together", () => {
  const everything = parseCidr("0.0.0.0/0");
  assert.ok(setOf("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/2").covers(everything));
  assert.ok(!setOf("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3").covers(everything));
  assert.ok(!setOf("0.0.0.0/0").covers(parseCidr("::/0")));
  assert.ok(setOf("2001:db8::", "2001:db8::1").covers(parseCidr("2001:db8::/127")));
  assert.ok(setOf("10.0.0.0/8").covers(parseCidr("10.1.0.0/16")));
});

/** Prefixes of few addresses, so that they meet: of each family the last five bits differ. */
const prefix = fc.record({ isIpv6: fc.boolean(), end: fc.nat(31), free: fc.nat(5) }).map(
  ({ isIpv6, end, free }) => {
    const first = (end >>> free) << free;
    return parseCidr(
      isIpv6 ? `2001:db8::${first.toString(16)}/${128 - free}` : `10.0.0.${first}/${32 - free}`,
    );
  },
);

function addresses({ family, words, prefixLength }: Cidr): string[] {
  const count = 1 << ((family === 4 ? 32 : 128) - prefixLength);
  return Array.from({ length: count }, (_, i) => `${family} ${words[3] + i}`);
}

Deno.test("a PrefixSet says what its prefixes' addresses say, in whatever order they are added", () => {
  fc.assert(fc.property(fc.array(prefix, { maxLength: 20 }), prefix, (prefixes, asked) => {
    const set = new PrefixSet(prefixes);
    const all = new Set(prefixes.flatMap(addresses));
    const own = addresses(asked);
    assert.equal(set.covers(asked), own.every((address) => all.has(address)));
    assert.equal(set.overlaps(asked), own.some((address) => all.has(address)));
    const holder = prefixes.find((it) => {
      const itsAddresses = new Set(addresses(it));
      return own.every((address) => itsAddresses.has(address));
    });
    const found = set.holderOf(asked);
    assert.equal(found && cidrText(found), holder && cidrText(holder));
    // What is added after it was asked counts as well.
    set.add(asked);
    assert.ok(set.covers(asked) && set.overlaps(asked) && set.holderOf(asked) !== undefined);
  }));
});
