import assert from "node:assert/strict";
import {
  CELL4_SHIFT,
  CELL_OCTETS,
  CELL_PACKETS,
  TABLE4,
  TABLE_CELLS,
} from "../../src/engine/layout.ts";
import { parseAddress } from "../../src/model/address.ts";
import { emptyFacts } from "../../src/model/facts.ts";
import { tunnelText } from "../../src/model/tunnel_names.ts";
import {
  KIND_FLOW,
  TUNNEL_KIND_SHIFT,
  WORD_ABOUT,
  WORD_KIND,
  WORD_TUNNEL,
} from "../../src/model/observation_batch.ts";
import { keyText } from "../../src/sink/keys.ts";
import {
  ACK,
  type Bytes,
  bytes,
  ethernet,
  ip,
  ipUdp,
  PSH,
  tcp,
  u16,
  u32,
  udp,
} from "../packets.ts";
import { TestEngine, type TestEngineOptions } from "./test_engine.ts";

const SECOND = 1_700_000_000;
const CLIENT = "10.0.0.1";
const SERVER = "10.9.0.1";
const LEFT = "198.51.100.1";
const RIGHT = "198.51.100.2";
const PEERS = [`${LEFT};${RIGHT};peer`, `${RIGHT};${LEFT};peer`];
const INNER_KEYS = [
  `${CLIENT};${SERVER};443;flow`,
  `${CLIENT};${SERVER};peer`,
  `${SERVER};${CLIENT};peer`,
  `client;${CLIENT}`,
];

const request = ip(CLIENT, SERVER, tcp(50_000, 443, PSH | ACK, "request"));
const answer = ip(SERVER, CLIENT, tcp(443, 50_000, PSH | ACK, "answer"));

function vxlan(vni: number, packet: Uint8Array, from = LEFT, to = RIGHT): Bytes {
  const inside = bytes([8, 0, 0, 0], u32(vni << 8), ethernet(packet));
  return ipUdp(from, to, udp(50_001, 4789, inside));
}

function gtpU(teid: number, packet: Uint8Array, from = LEFT, to = RIGHT): Bytes {
  const inside = bytes([0x30, 255], u16(packet.length), u32(teid), packet);
  return ipUdp(from, to, udp(2152, 2152, inside));
}

function gre(packet: Uint8Array, from = LEFT, to = RIGHT): Bytes {
  return ip(from, to, bytes(u16(0), u16(0x0800), packet), { protocol: 47 });
}

function engineWith(tunnels?: "inner" | "outer" | "both", rest: TestEngineOptions = {}) {
  const config = { suppressOwnNetwork: false, ...(tunnels === undefined ? {} : { tunnels }) };
  return new TestEngine({ ...rest, config });
}

/** Packets and bytes of each direction of an IPv4 conversation. */
function cellOf({ engine: { memory: { view } } }: TestEngine, number: number): number[][] {
  const cell = view.getUint32(TABLE4 + TABLE_CELLS, true) + number * 2 ** CELL4_SHIFT;
  return [0, 1].map((direction) => [
    view.getUint32(cell + CELL_PACKETS + 4 * direction, true),
    view.getUint32(cell + CELL_OCTETS + 8 * direction, true),
  ]);
}

/** Flow keys with the tunnel that each is in. */
function flowsOf(engine: TestEngine): string[] {
  engine.keys();
  return engine.observations.filter((words) => (words[WORD_KIND] & 0xff) === KIND_FLOW)
    .map((words) => {
      const kind = (words[WORD_ABOUT] >>> TUNNEL_KIND_SHIFT) & 0xff;
      return `${keyText(words, 0)} ${tunnelText(kind, words[WORD_TUNNEL])}`;
    });
}

for (
  const [name, wrap, outerPort] of [
    ["VXLAN", (packet: Uint8Array) => vxlan(7, packet), 4789],
    ["GTP-U", (packet: Uint8Array) => gtpU(7, packet), 2152],
    ["GRE", gre, null],
  ] as const
) {
  Deno.test(`a packet in ${name} gives the inner ends' keys and makes peers of the tunnel's ends`, () => {
    const keys = engineWith().keysOf(SECOND, wrap(request));
    assert.deepEqual(keys, [...INNER_KEYS, ...PEERS, `client;${LEFT}`].sort());
  });

  Deno.test(`tunnels: "outer" does not look into ${name}`, () => {
    const keys = engineWith("outer").keysOf(SECOND, wrap(request));
    const flow = keys.filter((key) => key.endsWith(";flow"));
    assert.equal(flow.length, outerPort === null ? 0 : 1);
    assert.ok(flow.every((key) => key.includes(`;${outerPort};`)));
    assert.ok(keys.every((key) => !key.includes(CLIENT)));
  });

  Deno.test(`tunnels: "both" gives flows inside of ${name}, and the tunnel's own where it has ports`, () => {
    const keys = engineWith("both").keysOf(SECOND, wrap(request));
    assert.ok([...INNER_KEYS, ...PEERS].every((key) => keys.includes(key)));
    const outer = keys.filter((key) => key.endsWith(";flow") && key.includes(LEFT));
    assert.equal(outer.length, outerPort === null ? 0 : 1);
    assert.ok(outer.every((key) => key.includes(`;${outerPort};`)));
  });
}

Deno.test("a tunnel whose inside is not TCP or UDP still makes peers of its ends", () => {
  const arp = bytes(new Uint8Array(12), u16(0x0806), new Uint8Array(28));
  const packet = ipUdp(LEFT, RIGHT, udp(1, 4789, bytes([8, 0, 0, 0], u32(7 << 8), arp)));
  assert.deepEqual(engineWith().keysOf(SECOND, packet), [...PEERS, `client;${LEFT}`].sort());
});

Deno.test("the ends of a tunnel are in no keys where they are in no network", () => {
  const engine = new TestEngine({
    config: { suppressOwnNetwork: false, networks: [["inside", "10.0.0.0/8"]] },
  });
  assert.deepEqual(engine.keysOf(SECOND, vxlan(7, request)), INNER_KEYS);
});

Deno.test("the same ends in two tunnels are two conversations, and so are those in none", () => {
  const engine = engineWith();
  engine.take(SECOND, vxlan(7, request), vxlan(8, request), request, gre(request));
  const flow = `${CLIENT};${SERVER};443;flow`;
  assert.deepEqual(flowsOf(engine).sort(), [
    `${flow} GRE`,
    `${flow} VXLAN 7`,
    `${flow} VXLAN 8`,
    `${flow} null`,
  ]);
  // Four, and the one between the tunnels' ends.
  assert.equal(engine.engine.statistics().conversations, 5);
});

Deno.test("a flow in a tunnel is suppressed as any other is", () => {
  const engine = engineWith();
  assert.equal(engine.keysOf(SECOND, vxlan(7, request)).length, 7);
  assert.deepEqual(engine.keysOf(SECOND + 1, vxlan(7, request), vxlan(7, request)), []);
});

Deno.test("both directions of a GTP-U tunnel are one conversation, though each has its own TEID", () => {
  const engine = engineWith();
  const packets = Array.from({ length: 3 }, () => [
    gtpU(0x1111, request),
    gtpU(0x2222, answer, RIGHT, LEFT),
  ]).flat();
  engine.take(SECOND, ...packets);
  assert.deepEqual(flowsOf(engine), [`${CLIENT};${SERVER};443;flow GTP-U ${0x1111}`]);
  assert.equal(engine.engine.statistics().conversations, 2);
  // Another TEID in the same direction is another subscriber's.
  engine.take(SECOND, gtpU(0x3333, request));
  assert.equal(engine.engine.statistics().conversations, 3);
});

Deno.test("the ends of a tunnel have the packets and bytes of all that goes through it, in each direction", () => {
  const engine = engineWith();
  const there = vxlan(7, ip(CLIENT, SERVER, tcp(1, 443, ACK, "n".repeat(60_000))));
  const back = vxlan(7, answer, RIGHT, LEFT);
  const elsewhere = vxlan(7, request, LEFT, "198.51.100.3");
  for (let round = 0; round < 7; round++) {
    engine.take(SECOND, ...Array(100).fill([there, there, back, elsewhere]).flat());
  }
  engine.keys();
  // The first is the conversation inside.
  assert.deepEqual(cellOf(engine, 2), [[1400, 1400 * there.length], [700, 700 * back.length]]);
});

Deno.test("the record of a conversation has its tunnel, and the ends of a tunnel have no record", () => {
  const engine = engineWith();
  engine.take(SECOND, vxlan(7, request), vxlan(7, answer, RIGHT, LEFT));
  const records: string[] = [];
  engine.engine.forEachConversation(({ ports, packets, tunnel, tunnelId }) => {
    records.push(`${ports} ${packets} ${tunnelText(tunnel, tunnelId)}`);
  });
  assert.deepEqual(records, ["50000,443 1,1 VXLAN 7"]);
});

Deno.test("packets with ever other TEIDs make 16 conversations of the same ends at most", () => {
  const engine = engineWith();
  for (let round = 0; round < 20; round++) {
    const packets = Array.from({ length: 200 }, (_, i) => gtpU(1 + round * 200 + i, request));
    engine.take(SECOND, ...packets);
  }
  engine.keys();
  assert.equal(engine.engine.statistics().conversations, 16 + 1);
});

Deno.test("many VXLAN networks with the same ends are as many conversations", () => {
  const engine = engineWith();
  for (let vni = 1; vni <= 5000; vni += 100) {
    const packets = Array.from({ length: 100 }, (_, i) => vxlan(vni + i, request));
    engine.take(SECOND, ...packets);
  }
  engine.keys();
  assert.equal(engine.engine.statistics().conversations, 5000 + 1);
});

Deno.test("what is known of a conversation in a tunnel is found by its ends", () => {
  const engine = engineWith();
  engine.take(SECOND, vxlan(7, request));
  const facts = emptyFacts();
  facts.protocol = 6;
  facts.source.set(parseAddress(CLIENT)!.words);
  facts.destination.set(parseAddress(SERVER)!.words);
  [facts.sourcePort, facts.destinationPort] = [50_000, 443];
  assert.ok(engine.engine.readEvidence(facts));
  facts.destinationPort = 444;
  assert.ok(!engine.engine.readEvidence(facts));
});
