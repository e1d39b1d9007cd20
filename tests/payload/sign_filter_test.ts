import assert from "node:assert/strict";
import { payloadSays } from "../../src/payload/payload_says.ts";
import { FIRST, NOBODY } from "../../src/payload/sign.ts";
import { makeSignFilter } from "../../src/payload/sign_filter.ts";
import { MOST_FILTER_WORDS } from "../../src/payload/sign_filter_layout.ts";
import { TCP_SIGNS } from "../../src/payload/tcp_signs.ts";
import { UDP_SIGNS } from "../../src/payload/udp_signs.ts";

Deno.test("the filter of signs has the room that it is given, and not much more", () => {
  const { length } = makeSignFilter();
  assert.ok(length <= MOST_FILTER_WORDS && length > MOST_FILTER_WORDS / 8, String(length));
});

for (const { protocol, atLeast, words = [], ports } of [...TCP_SIGNS, ...UDP_SIGNS]) {
  Deno.test(`words and ports that ${protocol} asks for are within what a filter can say`, () => {
    for (const { at, mask, value } of words) {
      const bytes = 4 - Math.floor(Math.log2(mask & -mask) / 8);
      assert.ok(at >= 0 && at + bytes <= atLeast, `${at}: ${mask.toString(16)}`);
      assert.equal((value & ~mask) >>> 0, 0, "a bit that the mask leaves out");
    }
    assert.ok(ports === undefined || ports.length > 0 && ports.every((port) => port > 0));
    assert.ok(atLeast > 0 && atLeast < 65_536);
  });
}

Deno.test("payloads of zeros say nothing, over TCP and UDP", () => {
  const view = new DataView(new ArrayBuffer(64));
  for (const protocol of [6, 17]) {
    assert.equal(payloadSays(protocol, view, 0, 64, 40_000, 8080, FIRST), NOBODY);
  }
});
