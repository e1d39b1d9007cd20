import assert from "node:assert/strict";
import {
  CELL4_SHIFT,
  CELL6_SHIFT,
  CELL_OCTETS,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
} from "../../src/engine/layout.ts";
import { fragmentsOf } from "../fragments.ts";
import { ipUdp, udp } from "../packets.ts";
import { TestEngine } from "./test_engine.ts";

const SECOND = 1_700_000_000;

/** Bytes of the first conversation, in both directions. */
function octetsOf({ engine: { memory: { view } } }: TestEngine, isIpv6: boolean): number {
  const cells = view.getUint32((isIpv6 ? TABLE6 : TABLE4) + TABLE_CELLS, true);
  const cell = cells + 2 ** (isIpv6 ? CELL6_SHIFT : CELL4_SHIFT);
  return [0, 8].reduce((sum, at) => sum + view.getUint32(cell + CELL_OCTETS + at, true), 0);
}

for (
  const [family, client, server] of [
    ["IPv4", "10.0.0.1", "192.0.2.1"],
    ["IPv6", "2001:db8::1", "2001:db9::1"],
  ] as const
) {
  const isIpv6 = family === "IPv6";
  const datagram = ipUdp(client, server, udp(50_000, 2049, new Uint8Array(5000)));
  const fragments = fragmentsOf(datagram, 7, 1400);
  const octets = fragments.reduce((sum, { length }) => sum + length, 0);

  Deno.test(`later fragments of ${family} count with the conversation of the first, also those before it`, () => {
    const [first, ...others] = fragments;
    for (
      const packets of [fragments, [...others, first], [
        others[1],
        first,
        ...others.slice(2),
        others[0],
      ]]
    ) {
      const engine = new TestEngine();
      assert.ok(engine.keysOf(SECOND, ...packets).includes(`${client};${server};2049;flow`));
      assert.equal(octetsOf(engine, isIpv6), octets);
      assert.equal(engine.engine.statistics().conversations, 1);
      assert.equal(engine.decoded("transport"), fragments.length);
      assert.equal(engine.decoded("later fragment"), 0);
    }
  });

  Deno.test(`later fragments of ${family} whose first was not seen make no conversation`, () => {
    const engine = new TestEngine();
    assert.deepEqual(engine.keysOf(SECOND, ...fragments.slice(1)), []);
    assert.equal(engine.decoded("later fragment"), fragments.length - 1);
    assert.equal(engine.engine.statistics().conversations, 0);
  });
}

Deno.test("of datagrams whose fragments come, the last 4,096 are known, whatever their hash is", () => {
  const datagrams = Array.from({ length: 5000 }, (_, i) => {
    const client = `10.0.${i >> 8}.${i & 255}`;
    return fragmentsOf(ipUdp(client, "192.0.2.1", udp(50_000, 2049, new Uint8Array(80))), i, 48);
  });
  const engine = new TestEngine();
  engine.take(SECOND, ...datagrams.map(([first]) => first));
  // Those that are not known make room for themselves, so they come last.
  engine.take(SECOND, ...datagrams.map(([, second]) => second).reverse());
  assert.equal(engine.decoded("transport"), 5000 + 4096);
  assert.equal(engine.decoded("later fragment"), 5000 - 4096);
});
