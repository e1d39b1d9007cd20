import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAddress } from "../../src/model/address.ts";
import { type Cidr, cidrText, parseCidr } from "../../src/config/cidr.ts";
import { maskWords } from "../../src/config/prefix_mask.ts";
import { parseOwnNetworks } from "../../src/config/own_networks.ts";
import { emptyFacts } from "../../src/model/facts.ts";
import { programOf } from "../engine/asked.ts";
import { mappingOf } from "../observed_keys.ts";
import { addressText } from "../../src/model/address_text.ts";
import { UserError } from "../../src/user_error.ts";
import { MemoryLog } from "../memory_log.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });

/** Any prefix; short and long ones alike, so that some hold others. */
const anyPrefix: fc.Arbitrary<Cidr> = fc.oneof(
  fc.tuple(word, fc.integer({ min: 0, max: 32 })).map(([last, prefixLength]) => ({
    family: 4 as const,
    words: Uint32Array.of(0, 0, 0, (last & maskWords(4, prefixLength)[3]) >>> 0),
    prefixLength,
  })),
  fc.tuple(fc.array(word, { minLength: 4, maxLength: 4 }), fc.integer({ min: 0, max: 128 })).map(
    ([words, prefixLength]) => ({
      family: 6 as const,
      words: Uint32Array.from(words, (word, i) => word & maskWords(6, prefixLength)[i]),
      prefixLength,
    }),
  ),
);

/** The bits of an address as text, which is the plain way to compare prefixes. */
function bits({ family, words }: { family: 4 | 6; words: Uint32Array }): string {
  const all = [...words].map((word) => word.toString(2).padStart(32, "0")).join("");
  return family === 4 ? all.slice(96) : all;
}

Deno.test("parseCidr() reads back what cidrText() writes", () => {
  fc.assert(fc.property(anyPrefix, (prefix) => {
    const text = cidrText(prefix);
    fc.pre(!text.startsWith("::ffff:"));
    assert.deepEqual(parseCidr(text), prefix);
  }));
});

Deno.test("parseCidr() takes a bare address as the prefix of that address alone", () => {
  assert.equal(cidrText(parseCidr("10.0.0.1")), "10.0.0.1/32");
  assert.equal(cidrText(parseCidr("2001:DB8::1")), "2001:db8::1/128");
});

Deno.test("parseAddress() takes the forms of RFC 4291, and no other", () => {
  const good = {
    "1.2.3.4": "1.2.3.4",
    "::": "::",
    "2001:DB8:0:0:8:800:200C:417A": "2001:db8::8:800:200c:417a",
    "::13.1.68.3": "::d01:4403",
    "::ffff:129.144.52.38": "::ffff:8190:3426",
  };
  for (const [text, canonical] of Object.entries(good)) {
    const { words, family } = parseAddress(text)!;
    assert.equal(addressText(words, 0, family === 6), canonical);
  }
  const bad = [
    ..."10.1 010.0.0.1 0x7f.0.0.1 256.0.0.1 1.2.3 1.2.3.4.5 1.2.3.4/32 :: fe80::1%eth0 1::2::3"
      .split(" "),
    ..."::ffff:010.0.0.1 ::ffff:1.2.3 ::1.2.3.4.5 [::1] 12345:: 1:2:3:4:5:6:7:8:9 localhost".split(
      " ",
    ),
    "",
    " 1.2.3.4",
  ].filter((text) => text !== "::");
  for (const text of bad) assert.equal(parseAddress(text), null, text);
});

Deno.test("an address is in the network of the first prefix that holds it", () => {
  const address = fc.oneof(
    word.map((last) => ({ family: 4 as const, words: Uint32Array.of(0, 0, 0, last) })),
    fc.array(word, { minLength: 4, maxLength: 4 }).map((words) => ({
      family: 6 as const,
      words: Uint32Array.from(words),
    })),
  );
  fc.assert(
    fc.property(
      fc.array(anyPrefix, { maxLength: 8 }),
      address,
      fc.nat(7),
      (prefixes, any, near) => {
        // Half of the addresses are in one of the prefixes.
        const asked = near < prefixes.length ? prefixes[near] : any;
        const expected = prefixes.findIndex((prefix) =>
          prefix.family === asked.family &&
          bits(asked).startsWith(bits(prefix).slice(0, prefix.prefixLength))
        );
        const facts = emptyFacts();
        facts.family = asked.family;
        facts.source.set(asked.words);
        programOf(mappingOf({
          networks: prefixes.map((prefix, i) => [`network ${i}`, cidrText(prefix)]),
        }, [])).findNetworks(facts);
        assert.equal(facts.sourceNetwork, expected);
      },
    ),
  );
});

Deno.test("parseOwnNetworks() takes an interface's address for its network, and says so", () => {
  const log = new MemoryLog();
  const networks = parseOwnNetworks(["10.0.11.23/16", "2001:DB8:0::/32", "10.1.1.1"], log);
  assert.deepEqual(networks.map(cidrText), ["10.0.0.0/16", "2001:db8::/32", "10.1.1.1/32"]);
  assert.deepEqual(log.lines, ["info: own network 10.0.11.23/16 is taken as 10.0.0.0/16"]);
});

Deno.test("parseOwnNetworks() refuses what is no prefix as wrong usage", () => {
  assert.throws(
    () => parseOwnNetworks(["10.0.0.0/33"], new MemoryLog()),
    (error) =>
      error instanceof UserError && error.exitStatus === 2 &&
      error.message === 'own network: "10.0.0.0/33" has no prefix length from 0 to 32 after the ' +
          'slash: after "10.0.0.0/" write a number from 0 to 32',
  );
});

Deno.test("parseCidr() says of what is no prefix what it is, and what to write", () => {
  const cases = {
    "10.0.0.0/8,192.168.0.0/16":
      '"10.0.0.0/8,192.168.0.0/16" is a list in one text: write "10.0.0.0/8", "192.168.0.0/16"',
    "fe80::%eth0/64": '"fe80::%eth0/64" has a zone, which packets do not carry: write "fe80::/64"',
    "[2001:db8::]/32": '"[2001:db8::]/32" is in brackets, as in a URL: write "2001:db8::/32"',
    "10/8":
      '"10/8" is not an address of four decimal numbers: if "10.0.0.0/8" is meant, write that',
    "192.168/16":
      '"192.168/16" is not an address of four decimal numbers: if "192.168.0.0/16" is meant, write that',
    "010.001.000.000/16":
      '"010.001.000.000/16" is not an address of four decimal numbers: if "10.1.0.0/16" is meant, write that',
    "10.1": '"10.1" is not an address of four decimal numbers: if "10.0.0.1" is meant, write that',
  };
  for (const [text, message] of Object.entries(cases)) {
    assert.throws(() => parseCidr(text), { message });
  }
});

Deno.test("parseOwnNetworks() takes lists with commas, zones and brackets", () => {
  const log = new MemoryLog();
  const texts = ["10.0.0.0/8,192.168.0.0/16,", " fe80::1%eth0/64 , [2001:db8::1]/32", "10.9.9.9"];
  assert.deepEqual(parseOwnNetworks(texts, log).map(cidrText), [
    ..."10.0.0.0/8 192.168.0.0/16 fe80::/64 2001:db8::/32 10.9.9.9/32".split(" "),
  ]);
  assert.deepEqual(log.lines, [
    "info: own network fe80::1%eth0/64 is taken as fe80::/64",
    "info: own network [2001:db8::1]/32 is taken as 2001:db8::/32",
  ]);
  assert.throws(() => parseOwnNetworks([","], log), /"," is /);
});
