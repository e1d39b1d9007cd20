import assert from "node:assert/strict";
import fc from "fast-check";
import { presumedReplay } from "../../src/cli/presumed_replay.ts";
import { parseOwnNetworks } from "../../src/config/own_networks.ts";

const SILENT = { info: () => {} };

/** What is presumed of own networks, beside what they are. */
function assertPresumes(networks: string[]): void {
  const capture = presumedReplay(["replay", "a.pcap", ...networks]);
  assert.deepEqual(capture?.settings.ownNetworks, parseOwnNetworks(networks, SILENT));
}

Deno.test("presumedReplay() takes the first name for the file, whatever options there are", () => {
  for (
    const words of [
      ["10.0.0.0/8", "a.pcap", "b.pcap"],
      ["--no-redis", "a.pcap", "--json", "2001:db8::/32"],
      ["-c", "config.ts", "--redis", "redis://127.0.0.1", "a.pcap", "--stats", "5"],
      ["--log-level", "debug", "a.pcap"],
    ]
  ) {
    const capture = presumedReplay(["replay", ...words]);
    assert.equal(capture?.path, "a.pcap");
    assert.equal(capture.filter, undefined);
  }
});

Deno.test("presumedReplay() presumes nothing where an option may change what is sifted", () => {
  for (
    const words of [
      ["capture", "a.pcap"],
      ["--log-level", "debug", "replay", "a.pcap"],
      ["replay", "10.0.0.0/8"],
      ["replay", "--filter", "tcp", "a.pcap"],
      ["replay", "--max-conversations=5", "a.pcap"],
      ["replay", "a.pcap", "--unknown"],
    ]
  ) assert.equal(presumedReplay(words), null, words.join(" "));
});

Deno.test("presumedReplay() reads own networks as they are read later", () => {
  assertPresumes(["0.0.0.0/0", "::/0", "10.0.0.1", "10.1.2.3/8", "2001:db8::1", "::1/128"]);
  assertPresumes(["2001:DB8:0:0:1::/80", "1:2:3:4:5:6:7::/112", "255.255.255.255/32"]);
  fc.assert(fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, length) => {
    assertPresumes([`${address}/${length}`]);
  }));
  fc.assert(fc.property(fc.ipV6(), fc.integer({ min: 0, max: 95 }), (address, length) => {
    assertPresumes([`${address}/${length}`]);
  }));
});

Deno.test("presumedReplay() takes any words, as whatever they are", () => {
  fc.assert(fc.property(fc.array(fc.string()), (words) => {
    presumedReplay(["replay", ...words]);
  }));
});
