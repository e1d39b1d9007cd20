/** The rules of the Redis contract, in its order, then what is suppressed and for how long. */
import assert from "node:assert/strict";
import {
  Assign,
  type Config,
  DST,
  LowerPort,
  OUR_NETS,
  PortMatch,
  Service,
  SRC,
} from "../../src/config/mod.ts";
import { parseAddress } from "../../src/model/address.ts";
import { emptyFacts } from "../../src/model/facts.ts";
import { BY_ASSIGN, BY_LOWER_PORT, BY_PORT_MATCH } from "../../src/model/reason.ts";
import {
  KIND_FLOW,
  WORD_ABOUT,
  WORD_KIND,
  WORD_SECONDS,
} from "../../src/model/observation_batch.ts";
import {
  MAYBE_OURS,
  NOT_OURS,
  OURS,
  type OwnConnections,
} from "../../src/model/own_connections.ts";
import { mappingOf } from "../observed_keys.ts";
import { ACK, FIN, icmp, ip, ipIcmp, ipUdp, PSH, RST, SYN, tcp, udp } from "../packets.ts";
import { TestEngine } from "./test_engine.ts";

/** The beginning of a window of 30 s. */
const NOW = 1_700_000_010;
const WINDOW = 30;

/** Own address, one more, and two that are not own, of each family. */
const FAMILIES = [
  { name: "IPv4", ours: "10.0.0.1", ours2: "10.0.0.2", theirs: "192.0.2.1", theirs2: "192.0.2.2" },
  {
    name: "IPv6",
    ours: "2001:db8::1",
    ours2: "2001:db8::2",
    theirs: "fd00::1",
    theirs2: "fd00::2",
  },
];
type Family = typeof FAMILIES[number];

function forEachFamily(name: string, test: (family: Family) => void): void {
  for (const family of FAMILIES) Deno.test(`${name}, ${family.name}`, () => test(family));
}

/** An ICMP or ICMPv6 message that something is unreachable. */
function unreachable(from: string, to: string, code: number, bounced: Uint8Array): Uint8Array {
  return ipIcmp(from, to, icmp(from.includes(":") ? 1 : 3, code, bounced));
}

function flowKeys(client: string, server: string, port: number): string[] {
  return [`client;${client}`, `${client};${server};${port};flow`, ...peerKeys(client, server)]
    .sort();
}

function peerKeys(one: string, other: string): string[] {
  return [`${one};${other};peer`, `${other};${one};peer`];
}

function refusalKeys(client: string, rest: string): string[] {
  return [`client;${client}`, `${client};${rest}`].sort();
}

const NOT_SUPPRESSED: Config = { suppressOwnNetwork: false };

// 1. What can't be read

forEachFamily(
  "rule 1: other protocols, later fragments and short headers give nothing and are counted",
  ({ ours, theirs }) => {
    const later = ours.includes(":")
      ? ip(ours, theirs, tcp(1, 2), { extensions: [[44, [0, 0, 0, 8, 0, 0, 0, 1]]] })
      : ip(ours, theirs, tcp(1, 2), { fragment: 1 });
    const meter = new TestEngine();
    const keys = meter.keysOf(
      NOW,
      ip(ours, theirs, tcp(1, 2), { protocol: 132 }),
      later,
      ip(ours, theirs, tcp(1, 2)).subarray(0, 35),
      ip(ours, theirs, tcp(1, 2).fill(0, 12, 13)),
    );
    assert.deepEqual(keys, []);
    assert.equal(meter.decoded("other protocol"), 1);
    assert.equal(meter.decoded("later fragment"), 1);
    assert.equal(meter.decoded("cut by snapshot length"), 1);
    assert.equal(meter.decoded("bad length"), 1);
  },
);

// 2. ICMP

forEachFamily(
  "rule 2: something unreachable gives client and icmp, of the bounced header",
  ({ ours, ours2, theirs, theirs2 }) => {
    for (const [i, segment] of [tcp(4000, 53), udp(4000, 53)].entries()) {
      const bounced = ip(ours2, theirs2, segment, { protocol: i === 0 ? 6 : 17 });
      const keys = new TestEngine().keysOf(NOW, unreachable(theirs, ours, 3, bounced));
      assert.deepEqual(keys, refusalKeys(ours, `${theirs2};4000:53;3;icmp`));
    }
  },
);

forEachFamily("rule 2: something unreachable counts between own hosts too", ({ ours, ours2 }) => {
  const bounced = ipUdp(ours, ours2, udp(4000, 53));
  assert.deepEqual(
    new TestEngine().keysOf(NOW, unreachable(ours2, ours, 4, bounced)),
    refusalKeys(ours, `${ours2};4000:53;4;icmp`),
  );
});

forEachFamily("rule 2: codes make keys of their own", ({ ours, theirs }) => {
  const bounced = ipUdp(ours, theirs, udp(4000, 53));
  const packets = [0, 1, 13].map((code) => unreachable(theirs, ours, code, bounced));
  assert.deepEqual(
    new TestEngine().keysOf(NOW, ...packets, ...packets),
    [`client;${ours}`, ...[0, 1, 13].map((code) => `${ours};${theirs};4000:53;${code};icmp`)]
      .sort(),
  );
});

forEachFamily(
  "rule 2: nothing of an ICMP message to others, or of another kind",
  ({ ours, theirs, theirs2 }) => {
    const bounced = ipUdp(ours, theirs, udp(4000, 53));
    const keys = new TestEngine({ config: NOT_SUPPRESSED }).keysOf(
      NOW,
      unreachable(ours, theirs, 3, bounced),
      unreachable(theirs, theirs2, 3, bounced),
      ipIcmp(theirs, ours, icmp(ours.includes(":") ? 3 : 11, 0, bounced)),
      ipIcmp(theirs, ours, icmp(ours.includes(":") ? 128 : 8, 0, bounced)),
    );
    assert.deepEqual(keys, []);
  },
);

// 3. RST

forEachFamily(
  "rule 3: a reset to own addresses gives client and rst, whatever the source is",
  ({ ours, ours2, theirs }) => {
    for (const flags of [RST, RST | ACK, RST | SYN, RST | FIN | PSH]) {
      for (const source of [theirs, ours2]) {
        const keys = new TestEngine().keysOf(NOW, ip(source, ours, tcp(80, 40_000, flags)));
        assert.deepEqual(keys, refusalKeys(ours, `${source};40000:80;rst`));
      }
    }
  },
);

forEachFamily(
  "rule 3: a reset to others goes on to the flow mapping, of a connection that worked",
  ({ ours, theirs, theirs2 }) => {
    for (const source of [ours, theirs2]) {
      const reset = ip(source, theirs, tcp(40_000, 80, RST | ACK));
      const engine = new TestEngine();
      assert.deepEqual(engine.keysOf(NOW, reset), []);
      assert.deepEqual(
        engine.keysOf(NOW, ip(source, theirs, tcp(40_000, 80))),
        flowKeys(source, theirs, 80),
      );
      assert.deepEqual(engine.keysOf(NOW + 90, reset), flowKeys(source, theirs, 80));
    }
    const withSyn = ip(ours, theirs, tcp(40_000, 80, RST | SYN));
    assert.deepEqual(new TestEngine().keysOf(NOW, withSyn), []);
  },
);

// 4. suppressOwnNetwork

forEachFamily(
  "rule 4: nothing between own hosts, unless suppressOwnNetwork is off",
  ({ ours, ours2, theirs }) => {
    const inside = [ip(ours, ours2, tcp(40_000, 80)), ipUdp(ours2, ours, udp(53, 5000))];
    assert.deepEqual(new TestEngine().keysOf(NOW, ...inside), []);
    assert.deepEqual(
      new TestEngine({ config: NOT_SUPPRESSED }).keysOf(NOW, inside[0]),
      flowKeys(ours, ours2, 80),
    );
    for (const [source, destination] of [[ours, theirs], [theirs, ours]]) {
      const keys = new TestEngine().keysOf(NOW, ip(source, destination, tcp(40_000, 80)));
      assert.deepEqual(keys, flowKeys(source, destination, 80));
    }
  },
);

forEachFamily("rule 4: several own networks are one", ({ name, ours, ours2 }) => {
  const bits = name === "IPv4" ? 32 : 128;
  const meter = new TestEngine({ ourNets: [`${ours}/${bits}`, `${ours2}/${bits}`] });
  assert.deepEqual(meter.keysOf(NOW, ip(ours, ours2, tcp(40_000, 80))), []);
});

// 5. SYN and FIN

forEachFamily(
  "rule 5: packets with SYN or FIN make no flow, payload packets of the same connection do",
  ({ ours, theirs }) => {
    const meter = new TestEngine();
    for (const flags of [SYN, SYN | ACK, FIN, FIN | ACK, FIN | PSH | ACK, SYN | FIN]) {
      assert.deepEqual(meter.keysOf(NOW, ip(ours, theirs, tcp(40_000, 80, flags))), [], `${flags}`);
    }
    assert.equal(meter.engine.statistics().conversations, 0);
    for (const flags of [ACK, PSH | ACK, 0]) {
      const keys = new TestEngine().keysOf(NOW, ip(ours, theirs, tcp(40_000, 80, flags)));
      assert.deepEqual(keys, flowKeys(ours, theirs, 80), `${flags}`);
    }
  },
);

// 6. The mapping

forEachFamily(
  "rule 6: nothing of an address in no network, also where a rule is for any",
  ({ ours, theirs }) => {
    const config: Config = { networks: [["ours", OUR_NETS]], flows: [[null, null, LowerPort()]] };
    const packets = [ip(ours, theirs, tcp(40_000, 80)), ip(theirs, ours, tcp(80, 40_000))];
    assert.deepEqual(new TestEngine({ config }).keysOf(NOW, ...packets), []);
  },
);

forEachFamily(
  "rule 6: nothing where no rule matches or one drops, and each direction is judged alone",
  ({ ours, theirs }) => {
    const config: Config = {
      networks: [["ours", OUR_NETS], ["others", "0.0.0.0/0", "::/0"]],
      flows: [
        ["ours", "others", PortMatch([443], { drop: true })],
        [null, null, PortMatch([443])],
      ],
    };
    const meter = new TestEngine({ config });
    assert.deepEqual(meter.keysOf(NOW, ip(ours, theirs, tcp(40_000, 80))), []);
    assert.deepEqual(meter.keysOf(NOW, ip(ours, theirs, tcp(40_000, 443))), []);
    const back = ip(theirs, ours, tcp(443, 40_000));
    assert.deepEqual(meter.keysOf(NOW, back), flowKeys(ours, theirs, 443));
  },
);

forEachFamily(
  "rule 6: a function is asked once for each direction of a conversation",
  ({ ours, theirs }) => {
    const asked: string[] = [];
    const config: Config = {
      networks: [["all", "0.0.0.0/0", "::/0"]],
      flows: [[null, null, ({ src, sport, dst, dport }) => {
        asked.push(`${src} ${sport} ${dst} ${dport}`);
        return undefined;
      }]],
    };
    const meter = new TestEngine({ config });
    for (let i = 0; i < 300; i++) {
      meter.keysOf(NOW + i, ip(ours, theirs, tcp(40_000, 80)), ip(theirs, ours, tcp(80, 40_000)));
    }
    assert.deepEqual(asked, [`${ours} 40000 ${theirs} 80`, `${theirs} 80 ${ours} 40000`]);
  },
);

Deno.test("observations of flows say what decided, the protocol and when", () => {
  const [{ ours, theirs }] = FAMILIES;
  const cases: [Config["flows"], number][] = [
    [[[null, null, LowerPort()]], BY_LOWER_PORT],
    [[[null, null, PortMatch([80])]], BY_PORT_MATCH],
    [[[null, null, Assign(SRC, DST)]], BY_ASSIGN],
  ];
  for (const [flows, by] of cases) {
    const meter = new TestEngine({ config: { flows } });
    meter.keysOf(NOW, ip(ours, theirs, tcp(40_000, 80)));
    meter.keysOf(NOW + 7, ipUdp(ours, theirs, udp(40_000, 80)), ipUdp(ours, theirs, udp(9, 80)));
    const found = meter.observations.filter((words) => (words[WORD_KIND] & 0xff) === KIND_FLOW);
    assert.equal(found[0][WORD_ABOUT], by | (6 << 8));
    assert.equal(found[0][WORD_SECONDS], NOW);
    for (const words of found.slice(1)) {
      assert.equal(words[WORD_ABOUT], by | (17 << 8));
      assert.equal(words[WORD_SECONDS], NOW + 7);
    }
  }
});

// 7. ignoreFlows

forEachFamily(
  "rule 7: ignoreFlows leaves out the flow key where either end is named, nothing else",
  ({ ours, theirs }) => {
    const there = ipUdp(ours, theirs, udp(5000, 53));
    const back = ipUdp(theirs, ours, udp(53, 5000));
    for (const packet of [there, back]) {
      for (const ignored of [[theirs, 53], [ours, 5000]] as const) {
        const keys = new TestEngine({ config: { ignoreFlows: [ignored] } }).keysOf(NOW, packet);
        assert.deepEqual(keys, [`client;${ours}`, ...peerKeys(ours, theirs)].sort());
      }
      for (const other of [[theirs, 54], [ours, 53], [theirs, 5000]] as const) {
        const keys = new TestEngine({ config: { ignoreFlows: [other] } }).keysOf(NOW, packet);
        assert.deepEqual(keys, flowKeys(ours, theirs, 53));
      }
    }
  },
);

forEachFamily("rule 7: ignoreFlows does not touch rst and icmp", ({ ours, theirs }) => {
  const meter = new TestEngine({ config: { ignoreFlows: [[theirs, 53], [ours, 5000]] } });
  const bounced = ipUdp(ours, theirs, udp(5000, 53));
  assert.deepEqual(
    meter.keysOf(NOW, ip(theirs, ours, tcp(53, 5000, RST)), unreachable(theirs, ours, 3, bounced)),
    [`client;${ours}`, `${ours};${theirs};5000:53;3;icmp`, `${ours};${theirs};5000:53;rst`].sort(),
  );
});

// Keys

forEachFamily("both directions of a conversation are one flow", ({ ours, theirs }) => {
  const packets = [ip(ours, theirs, tcp(40_000, 80)), ip(theirs, ours, tcp(80, 40_000))];
  for (const order of [packets, packets.toReversed()]) {
    assert.deepEqual(new TestEngine().keysOf(NOW, ...order), flowKeys(ours, theirs, 80));
  }
});

forEachFamily(
  "peers are the packet's two addresses both ways, written once",
  ({ ours, theirs, theirs2 }) => {
    const meter = new TestEngine();
    meter.keysOf(NOW, ip(ours, theirs, tcp(40_000, 80)));
    assert.deepEqual(
      meter.keysOf(NOW, ip(theirs, ours, tcp(40_000, 22)), ip(ours, theirs, tcp(40_000, 443))),
      [`client;${theirs}`, `${theirs};${ours};22;flow`, `${ours};${theirs};443;flow`].sort(),
    );
    assert.deepEqual(
      meter.keysOf(NOW, ip(ours, theirs2, tcp(40_000, 80))),
      [`${ours};${theirs2};80;flow`, ...peerKeys(ours, theirs2)].sort(),
    );
  },
);

forEachFamily("an address that talks with itself has its peer key once", ({ ours }) => {
  const keys = new TestEngine({ config: NOT_SUPPRESSED }).keysOf(
    NOW,
    ip(ours, ours, tcp(9000, 80)),
  );
  assert.deepEqual(
    keys,
    [`client;${ours}`, `${ours};${ours};80;flow`, `${ours};${ours};peer`].sort(),
  );
});

forEachFamily("a client has its key with an event of any kind", ({ ours, theirs }) => {
  const events = [
    ip(ours, theirs, tcp(40_000, 80)),
    ip(theirs, ours, tcp(80, 40_000, RST)),
    unreachable(theirs, ours, 3, ipUdp(ours, theirs, udp(1, 2))),
  ];
  for (const event of events) {
    assert.ok(new TestEngine().keysOf(NOW, event).includes(`client;${ours}`));
  }
  const all = new TestEngine().keysOf(NOW, ...events);
  assert.equal(all.filter((key) => key === `client;${ours}`).length, 1);
});

Deno.test("families in one batch do not disturb each other", () => {
  const [v4, v6] = FAMILIES;
  const packets = FAMILIES.flatMap(({ ours, theirs }) => [
    ip(theirs, ours, tcp(80, 40_000, RST)),
    ip(ours, theirs, tcp(40_000, 443)),
    unreachable(theirs, ours, 3, ipUdp(ours, theirs, udp(1, 2))),
  ]);
  const mixed = [0, 3, 1, 4, 2, 5].map((i) => packets[i]);
  const expected = [v4, v6].flatMap(({ ours, theirs }) => [
    ...flowKeys(ours, theirs, 443),
    `${ours};${theirs};40000:80;rst`,
    `${ours};${theirs};1:2;3;icmp`,
  ]);
  assert.deepEqual(new TestEngine().keysOf(NOW, ...mixed, ...mixed.toReversed()), expected.sort());
});

// Holding back

forEachFamily(
  "keys are suppressed for 60 to 90 s of the packets' time, however busy",
  ({ ours, theirs }) => {
    const events = [
      ip(ours, theirs, tcp(40_000, 80)),
      ip(theirs, ours, tcp(80, 40_000, RST)),
      unreachable(theirs, ours, 3, ipUdp(ours, theirs, udp(1, 2))),
    ];
    for (const offset of [0, 1, 29]) {
      const meter = new TestEngine();
      const written: number[] = [];
      let size = 0;
      for (let second = NOW + offset; second < NOW + 300; second++) {
        const keys = meter.keysOf(second, ...events);
        if (keys.length > 0) written.push(second - NOW);
        size = Math.max(size, keys.length);
        if (keys.length > 0) assert.equal(keys.length, size);
      }
      assert.deepEqual(written, [offset, 90, 180, 270]);
      assert.equal(size, 6);
    }
  },
);

forEachFamily(
  "a key that was not seen for long is written when it is seen again",
  ({ ours, theirs }) => {
    const meter = new TestEngine();
    const packet = ip(ours, theirs, tcp(40_000, 80));
    const expected = flowKeys(ours, theirs, 80);
    for (
      const second of [NOW, NOW + 3 * WINDOW, NOW + 7 * WINDOW + 5, NOW + 86_400, NOW + 10 ** 8]
    ) {
      assert.deepEqual(meter.keysOf(second, packet), expected, `${second}`);
      assert.deepEqual(meter.keysOf(second + 1, packet), []);
    }
  },
);

forEachFamily(
  "keys of a conversation are written each when it is free",
  ({ ours, theirs, theirs2 }) => {
    const meter = new TestEngine();
    meter.keysOf(NOW, ip(ours, theirs2, tcp(40_000, 80)));
    const packet = ip(ours, theirs, tcp(40_000, 80));
    const withoutClient = [`${ours};${theirs};80;flow`, ...peerKeys(ours, theirs)].sort();
    assert.deepEqual(meter.keysOf(NOW + WINDOW, packet), withoutClient);
    assert.deepEqual(meter.keysOf(NOW + 2 * WINDOW, packet), []);
    assert.deepEqual(meter.keysOf(NOW + 3 * WINDOW, packet), [`client;${ours}`]);
    assert.deepEqual(meter.keysOf(NOW + 4 * WINDOW, packet), withoutClient);
  },
);

forEachFamily("packets a little out of order change no window", ({ ours, theirs }) => {
  const meter = new TestEngine();
  const packet = ip(ours, theirs, tcp(40_000, 80));
  const seconds = [0, -30, 1, -29, 31, 5, 59, 30, 61, 58, 89, 60].map((second) => NOW + second);
  assert.deepEqual(meter.keysOf(seconds[0], packet), flowKeys(ours, theirs, 80));
  for (const second of seconds) assert.deepEqual(meter.keysOf(second, packet), [], `${second}`);
  assert.deepEqual(meter.keysOf(NOW + 90, packet), flowKeys(ours, theirs, 80));
});

forEachFamily("a capture of an earlier time starts again", ({ ours, theirs }) => {
  const meter = new TestEngine();
  const packet = ip(ours, theirs, tcp(40_000, 80));
  const expected = flowKeys(ours, theirs, 80);
  for (const second of [NOW, NOW - 3600, NOW - 3 * 10 ** 7]) {
    assert.deepEqual(meter.keysOf(second, packet), expected, `${second}`);
    for (const later of [1, 59, 89]) assert.deepEqual(meter.keysOf(second + later, packet), []);
  }
});

Deno.test("what was observed in a second is emitted when the next begins", () => {
  const [{ ours, theirs }] = FAMILIES;
  const meter = new TestEngine();
  meter.take(NOW, ip(ours, theirs, tcp(40_000, 80)), ip(theirs, ours, tcp(80, 40_000, RST)));
  assert.deepEqual(meter.emitted(), []);
  meter.take(NOW + 1, ip(ours, theirs, tcp(40_000, 81)));
  assert.equal(meter.emitted().length, 5);
});

Deno.test("with a clock, time is the clock's and not the packets'", () => {
  const [{ ours, theirs }] = FAMILIES;
  let now = NOW;
  const meter = new TestEngine({ clock: () => now });
  const packet = ip(ours, theirs, tcp(40_000, 80));
  assert.deepEqual(meter.keysOf(5, packet), flowKeys(ours, theirs, 80));
  assert.deepEqual(meter.keysOf(100_000, packet), []);
  assert.equal(meter.observations[0][WORD_SECONDS], NOW);
  now += 3 * WINDOW;
  assert.deepEqual(meter.keysOf(6, packet), flowKeys(ours, theirs, 80));
});

// Room, mappings, own connections

forEachFamily(
  "no flow is lost when conversations are forgotten to make room",
  ({ ours, theirs }) => {
    for (const maxConversations of [1, 2, 100]) {
      const meter = new TestEngine({ maxConversations });
      const ports = Array.from({ length: 2000 }, (_, i) => i + 1);
      const keys = meter.keysOf(NOW, ...ports.map((port) => ip(ours, theirs, tcp(40_000, port))));
      const expected = ports.map((port) => `${ours};${theirs};${port};flow`);
      assert.deepEqual(keys.filter((key) => key.endsWith(";flow")), expected.sort());
      const { conversations, forgotten, flows } = meter.engine.statistics();
      assert.ok(conversations <= maxConversations);
      assert.equal(conversations + forgotten, 2000);
      assert.equal(flows, 2000);
    }
  },
);

forEachFamily(
  "more conversations than wait for judgement at once are all judged",
  ({ ours, theirs, theirs2 }) => {
    const meter = new TestEngine();
    const packets = [theirs, theirs2].flatMap((server) =>
      Array.from({ length: 35_000 }, (_, i) => ipUdp(ours, server, udp(65_000, i + 1)))
    );
    meter.take(NOW, ...packets);
    meter.keys();
    assert.equal(meter.engine.statistics().flows, packets.length);
  },
);

forEachFamily(
  "setMapping() judges known conversations again, and what is pending by the old mapping",
  ({ ours, theirs }) => {
    const meter = new TestEngine();
    const ourNets = ["10.0.0.0/8", "2001:db8::/32"];
    const packet = ip(ours, theirs, tcp(40_000, 80));
    meter.take(NOW, packet);
    meter.engine.setMapping(mappingOf({ flows: [[null, null, Assign(DST, SRC)]] }, ourNets));
    assert.deepEqual(meter.emitted(), flowKeys(ours, theirs, 80));
    assert.deepEqual(
      meter.keysOf(NOW + 1, packet),
      [`client;${theirs}`, `${theirs};${ours};40000;flow`].sort(),
    );
    meter.engine.setMapping(mappingOf({ flows: [[null, null, LowerPort()]] }, ourNets));
    assert.deepEqual(meter.keysOf(NOW + 2, packet), []);
  },
);

forEachFamily("setMapping() changes which addresses are own", ({ ours, theirs, theirs2 }) => {
  const meter = new TestEngine();
  const reset = ip(theirs2, theirs, tcp(80, 4000, RST));
  meter.engine.setMapping(mappingOf({}, [`${theirs}/${theirs.includes(":") ? 128 : 32}`]));
  assert.deepEqual(meter.keysOf(NOW, reset), refusalKeys(theirs, `${theirs2};4000:80;rst`));
  assert.deepEqual(
    meter.keysOf(NOW, ip(ours, theirs2, tcp(4000, 80))),
    flowKeys(ours, theirs2, 80),
  );
});

/** Connections that a test says are the sensor's own. It is told words, and compares them all. */
class SomeConnections implements OwnConnections {
  answer = OURS;
  readonly #port: number;
  readonly asked: string[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  judge(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
  ): number {
    this.asked.push(`${isIpv6} ${[...one]} ${onePort} ${[...other]} ${otherPort}`);
    return onePort === this.#port || otherPort === this.#port ? this.answer : NOT_OURS;
  }

  wasAttempt(): boolean {
    return false;
  }
}

forEachFamily("own connections give no flow, no rst and no icmp", ({ ours, theirs }) => {
  const events = (port: number) => [
    ip(ours, theirs, tcp(40_000, port)),
    ip(theirs, ours, tcp(port, 40_000)),
    ip(theirs, ours, tcp(port, 40_000, RST)),
    unreachable(theirs, ours, 1, ip(ours, theirs, tcp(40_000, port))),
  ];
  for (const answer of [OURS, MAYBE_OURS]) {
    const ownConnections = new SomeConnections(6379);
    ownConnections.answer = answer;
    const meter = new TestEngine({ ownConnections });
    assert.deepEqual(meter.keysOf(NOW, ...events(6379)), []);
    assert.equal(meter.keysOf(NOW, ...events(6380)).length, 6);
  }
});

forEachFamily("UDP is never one of the own connections", ({ ours, theirs }) => {
  const meter = new TestEngine({ ownConnections: new SomeConnections(6379) });
  assert.deepEqual(
    meter.keysOf(NOW, ipUdp(ours, theirs, udp(40_000, 6379))),
    flowKeys(ours, theirs, 6379),
  );
  const bounced = ipUdp(ours, theirs, udp(40_000, 6379));
  assert.deepEqual(
    meter.keysOf(NOW, unreachable(theirs, ours, 3, bounced)),
    [`${ours};${theirs};40000:6379;3;icmp`],
  );
});

forEachFamily("what may be an own connection is judged when that is known", ({ ours, theirs }) => {
  const packet = ip(ours, theirs, tcp(40_000, 6379));
  for (
    const [answer, expected] of [[NOT_OURS, flowKeys(ours, theirs, 6379)], [OURS, []]] as const
  ) {
    const ownConnections = new SomeConnections(6379);
    ownConnections.answer = MAYBE_OURS;
    const meter = new TestEngine({ ownConnections });
    for (let i = 0; i < 3; i++) assert.deepEqual(meter.keysOf(NOW, packet), []);
    ownConnections.answer = answer;
    assert.deepEqual(meter.keysOf(NOW, packet), expected);
    ownConnections.answer = OURS;
    assert.deepEqual(meter.keysOf(NOW + 1, packet), []);
  }
});

Deno.test("what was judged before something failed is written, and all else when it is judged again", () => {
  let left = Infinity;
  const localServices = {
    has: () => {
      if (left-- === 0) throw new Error("what is listening can't be told");
      return false;
    },
  };
  const config: Config = { flows: [[null, null, Service()]] };
  const meter = new TestEngine({ localServices, config });
  const clients = Array.from({ length: 1000 }, (_, i) => `198.18.${i >> 8}.${i & 255}`);
  // Each has its two ends asked about, and 128 of them are judged at once.
  left = 2 * 500;
  meter.take(NOW, ...clients.map((client) => ip(client, "192.0.2.1", tcp(40_000, 443))));
  assert.throws(() => meter.engine.flush(), /can't be told/);
  const flows = meter.keys().filter((key) => key.endsWith(";flow"));
  assert.deepEqual(flows, clients.map((client) => `${client};192.0.2.1;443;flow`).sort());
  assert.equal(meter.engine.statistics().keys, meter.observations.length);
});

forEachFamily("evidence of a conversation that is not known changes nothing that is", (family) => {
  const { ours, theirs, theirs2 } = family;
  const isIpv6 = family.name === "IPv6";
  const meter = new TestEngine();
  const packet = ip(ours, theirs, tcp(40_000, 443));
  assert.deepEqual(meter.keysOf(NOW, packet), flowKeys(ours, theirs, 443));
  const facts = emptyFacts();
  facts.family = isIpv6 ? 6 : 4;
  facts.source.set(parseAddress(theirs2)!.words);
  facts.destination.set(parseAddress(ours)!.words);
  [facts.sourcePort, facts.destinationPort, facts.protocol] = [1, 2, 6];
  assert.equal(meter.engine.readEvidence(facts), false);
  const { conversations } = meter.engine.statistics();
  assert.deepEqual(meter.keysOf(NOW + 300, packet), flowKeys(ours, theirs, 443));
  assert.equal(conversations, 1);
});

Deno.test("declassify() has own connections judged again", () => {
  const [{ ours, theirs }] = FAMILIES;
  const ownConnections = new SomeConnections(6379);
  const meter = new TestEngine({ ownConnections });
  const packet = ip(ours, theirs, tcp(40_000, 6379));
  assert.deepEqual(meter.keysOf(NOW, packet), []);
  ownConnections.answer = NOT_OURS;
  assert.deepEqual(meter.keysOf(NOW + 1, packet), []);
  meter.engine.declassify();
  assert.deepEqual(meter.keysOf(NOW + 2, packet), flowKeys(ours, theirs, 6379));
});

Deno.test("own connections are asked with IPv4 in the last word and 0 in the others, after IPv6 too", () => {
  const [v4, v6] = FAMILIES;
  const ownConnections = new SomeConnections(1);
  const events = ({ ours, theirs }: Family) => [
    ip(theirs, ours, tcp(80, 4000, RST)),
    unreachable(theirs, ours, 1, ip(ours, theirs, tcp(4000, 80))),
    ip(ours, theirs, tcp(4000, 80)),
  ];
  const meter = new TestEngine({ ownConnections });
  meter.keysOf(NOW, ...events(v6));
  const before = ownConnections.asked.length;
  meter.keysOf(NOW, ...events(v4));
  const ours = `0,0,0,${0x0a000001}`;
  const theirs = `0,0,0,${0xc0000201}`;
  assert.deepEqual(
    ownConnections.asked.slice(before).sort(),
    [
      `false ${ours} 4000 ${theirs} 80`,
      `false ${ours} 4000 ${theirs} 80`,
      `false ${theirs} 80 ${ours} 4000`,
    ],
  );
});
