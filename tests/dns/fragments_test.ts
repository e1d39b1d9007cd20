import assert from "node:assert/strict";
import { DnsMeter } from "../../src/dns/dns_meter.ts";
import { DnsPackets } from "../../src/dns/dns_packets.ts";
import { KnownNames } from "../../src/dns/known_names.ts";
import type { NameWrite } from "../../src/dns/name_write.ts";
import { TestEngine } from "../engine/test_engine.ts";
import { fragmentOf, fragmentsOf } from "../fragments.ts";
import { type Bytes, bytes, ethernet, ipUdp, u32, udp } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { writeText } from "./dns_keys_of.ts";
import { address, response } from "./dns_messages.ts";

const SECOND = 1_700_000_000;
const MANY = 40;
const FAMILIES = [
  ["IPv4", "10.0.0.7", "192.0.2.53"],
  ["IPv6", "2001:db8::7", "2001:db8:53::53"],
] as const;

/** An engine that reads DNS, and what comes of it. */
class Sensor {
  readonly writes: NameWrite[] = [];
  readonly flows: TestEngine;

  constructor() {
    const meter = new DnsMeter({
      emit: (writes) => this.writes.push(...writes),
      onClient: (isIpv6, client) => this.flows.engine.writeClient(isIpv6, client),
      names: new KnownNames(),
    });
    this.flows = new TestEngine({
      payloadReader: new DnsPackets({ dnsPorts: [53], multicastDns: false }, meter),
    });
  }

  /** How many addresses some packets gave names. */
  namesOf(packets: Bytes[], seconds = SECOND): number {
    this.writes.length = 0;
    this.flows.take(seconds, ...packets);
    this.flows.engine.flush();
    return new Set(this.writes.map(writeText).filter((text) => text.includes(";dns "))).size;
  }
}

/** A DNS response with many addresses, longer than a packet may be. */
function longAnswer(client: string, server: string, name = "www.example.com"): Bytes {
  const addresses = Array.from({ length: MANY }, (_, i) => address(name, `198.51.100.${i}`));
  return ipUdp(server, client, udp(53, 50_000, response(name, addresses)));
}

for (const [family, client, server] of FAMILIES) {
  const answer = longAnswer(client, server);

  Deno.test(`a DNS answer in ${family} fragments is read after what came before it, wherever batches end`, () => {
    const before = ipUdp(
      server,
      client,
      udp(53, 50_001, response("first.example", [address("first.example", "192.0.2.1")])),
    );
    const packets = [before, ...fragmentsOf(answer, 7, 400)];
    for (let end = 1; end <= packets.length; end++) {
      const sensor = new Sensor();
      sensor.flows.take(SECOND, ...packets.slice(0, end));
      sensor.flows.take(SECOND, ...packets.slice(end));
      sensor.flows.engine.flush();
      assert.equal(sensor.writes[0].name, "first.example.");
      assert.equal(sensor.writes.length, 1 + MANY);
    }
  });

  Deno.test(`a DNS answer in ${family} fragments is read, in whichever order they come`, () => {
    const random = new SeededRandom();
    for (let round = 0; round < 50; round++) {
      const fragments = fragmentsOf(answer, 7 + round, 8 * (10 + random.below(60)));
      assert.ok(fragments.length > 1);
      const shuffled = fragments.map((fragment) => ({ fragment, at: random.below(1000) }))
        .sort((one, other) => one.at - other.at).map(({ fragment }) => fragment);
      const about = `FLOSENSOR_TEST_SEED=${random.seed}`;
      assert.equal(new Sensor().namesOf(shuffled), MANY, about);
    }
  });

  Deno.test(`a fragment of a DNS answer in ${family} that comes twice does no harm`, () => {
    const fragments = fragmentsOf(answer, 7, 400);
    assert.equal(new Sensor().namesOf(fragments.flatMap((it) => [it, it])), MANY);
  });

  Deno.test(`a DNS answer in ${family} whose fragments overlap is discarded`, () => {
    const [first, ...others] = fragmentsOf(answer, 7, 400);
    const overlapping = fragmentOf(answer, 7, { from: 392, to: 600 });
    for (const packets of [[first, overlapping, ...others], [overlapping, first, ...others]]) {
      const sensor = new Sensor();
      assert.equal(sensor.namesOf(packets), 0);
      sensor.flows.engine.end();
      assert.equal(sensor.writes.length, 0);
    }
    // The same bytes at the same place, but one of them another.
    const forged = first.slice();
    forged[forged.length - 1] ^= 1;
    assert.equal(new Sensor().namesOf([first, forged, ...others]), 0);
  });

  Deno.test(`a DNS answer in ${family} is discarded whose fragments contradict its end`, () => {
    const [first, ...others] = fragmentsOf(answer, 7, 400);
    const early = fragmentOf(answer, 7, { from: 400, to: 408, hasMore: false });
    assert.equal(new Sensor().namesOf([first, early, ...others]), 0);
  });

  Deno.test(`a DNS answer in ${family} is read while others send fragments that lead to nothing`, () => {
    const sensor = new Sensor();
    const lonely = Array.from({ length: 5000 }, (_, i) => {
      const other = longAnswer(client, server.replace(/53$/, String(60 + i % 100)));
      return fragmentsOf(other, i, 800)[i % 2];
    });
    sensor.flows.take(SECOND, ...lonely);
    assert.equal(sensor.namesOf(fragmentsOf(answer, 7, 400)), MANY);
  });

  Deno.test(`fragments in ${family} with the same identification are of two answers after a while`, () => {
    const sensor = new Sensor();
    const [first] = fragmentsOf(longAnswer(client, server, "old.example.com"), 7, 400);
    sensor.flows.take(SECOND, first);
    assert.equal(sensor.namesOf(fragmentsOf(answer, 7, 400), SECOND + 60), MANY);
  });
}

Deno.test("a DNS answer in fragments is read inside of a tunnel", () => {
  const [, client, server] = FAMILIES[0];
  const packets = fragmentsOf(longAnswer(client, server), 7, 400).map((fragment) =>
    ipUdp(
      "198.51.100.1",
      "198.51.100.2",
      udp(1, 4789, bytes([8, 0, 0, 0], u32(7 << 8), ethernet(fragment))),
    )
  );
  assert.equal(new Sensor().namesOf(packets), MANY);
});
