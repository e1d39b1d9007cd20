/** Who is client and who is server by what is seen, packet by packet. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Config, Initiator, LowerPort, PortMatch, Service } from "../../src/config/mod.ts";
import { REASON_NAMES, type ReasonName, strengthOf } from "../../src/model/reason.ts";
import { KIND_FLOW, WORD_ABOUT, WORD_KIND } from "../../src/model/observation_batch.ts";
import { keyText } from "../../src/sink/keys.ts";
import { ACK, bytes, FIN, ip, ipUdp, PSH, RST, SYN, tcp, u16, udp } from "../packets.ts";
import { TestEngine } from "./test_engine.ts";

const NOW = 1_700_000_010;
/** The default rules. */
const RULES: Config = {
  suppressOwnNetwork: false,
  flows: [[null, null, Initiator()], [null, null, Service()], [null, null, LowerPort()]],
};
const INITIATOR_ONLY: Config = { suppressOwnNetwork: false, flows: [[null, null, Initiator()]] };

/** Ports that say nothing, but that the lower one is A's. */
const A = { address: "10.0.0.1", port: 7_001 };
const B = { address: "10.0.0.2", port: 7_777 };
type End = typeof A;

const A6 = { address: "2001:db8::1", port: 7_001 };
const B6 = { address: "2001:db8::2", port: 7_777 };

function packet(from: End, to: End, flags: number, payload: Uint8Array | string = ""): Uint8Array {
  return ip(from.address, to.address, tcp(from.port, to.port, flags, payload));
}

const data = (from: End, to: End, payload: Uint8Array | string = "data") =>
  packet(from, to, PSH | ACK, payload);
const syn = (from: End, to: End) => packet(from, to, SYN);
const synAck = (from: End, to: End) => packet(from, to, SYN | ACK);
const fin = (from: End, to: End) => packet(from, to, FIN | ACK);
const rst = (from: End, to: End) => packet(from, to, RST | ACK);
const datagram = (from: End, to: End, payload: Uint8Array | string = "data") =>
  ipUdp(from.address, to.address, udp(from.port, to.port, payload));

/** Flows of a meter in the order in which they were written, each as its key and what decided. */
function flowsOf(meter: TestEngine): string[] {
  meter.engine.flush();
  return meter.observations.filter((words) => (words[WORD_KIND] & 0xff) === KIND_FLOW)
    .map((words) => `${keyText(words, 0)} ${REASON_NAMES[words[WORD_ABOUT] & 0xff]}`);
}

function flow(client: End, server: End, by: ReasonName): string {
  return `${client.address};${server.address};${server.port};flow ${by}`;
}

/** The flows of packets that all come in one second, with the default rules. */
function flowsOfPackets(packets: readonly Uint8Array[], config = RULES): string[] {
  const meter = new TestEngine({ config });
  meter.take(NOW, ...packets);
  return flowsOf(meter);
}

Deno.test("TCP: a SYN says who opened at any time that a capture can have", () => {
  // From 2038 on, and from a device whose clock was never set.
  for (const time of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1000, 2 ** 32 - 1000, 1]) {
    const meter = new TestEngine({ config: RULES });
    meter.take(time, syn(A, B), synAck(B, A));
    meter.take(time + 1, data(A, B), data(B, A));
    assert.deepEqual(flowsOf(meter), [flow(A, B, "syn")], `at ${time}`);
  }
});

for (const [family, a, b] of [["IPv4", A, B], ["IPv6", A6, B6]] as const) {
  Deno.test(`TCP: whoever sends SYN is the client, also of a lower port, ${family}`, () => {
    const handshake = [syn(a, b), synAck(b, a), packet(a, b, ACK)];
    assert.deepEqual(flowsOfPackets([...handshake, data(a, b), data(b, a)]), [flow(a, b, "syn")]);
    assert.deepEqual(flowsOfPackets([syn(b, a), synAck(a, b), data(b, a)]), [flow(b, a, "syn")]);
  });

  Deno.test(`TCP: only SYN or only SYN-ACK is enough, in any direction, ${family}`, () => {
    for (const [client, server] of [[a, b], [b, a]]) {
      for (const seen of [data(client, server), data(server, client)]) {
        assert.deepEqual(
          flowsOfPackets([syn(client, server), seen]),
          [flow(client, server, "syn")],
        );
        assert.deepEqual(
          flowsOfPackets([synAck(server, client), seen]),
          [flow(client, server, "syn-ack")],
        );
      }
    }
  });
}

Deno.test("TCP: SYN makes no flow of its own, also not with data in it (RFC 7413)", () => {
  assert.deepEqual(flowsOfPackets([syn(A, B), synAck(B, A)]), []);
  const fastOpen = packet(A, B, SYN, "question");
  assert.deepEqual(flowsOfPackets([fastOpen, packet(B, A, SYN | ACK, "answer")]), []);
  assert.deepEqual(flowsOfPackets([fastOpen, synAck(B, A), data(B, A)]), [flow(A, B, "syn")]);
});

Deno.test("TCP: SYN that is sent again says the same", () => {
  const meter = new TestEngine({ config: RULES });
  for (const seconds of [0, 1, 3, 7]) meter.take(NOW + seconds, syn(A, B));
  meter.take(NOW + 15, syn(A, B), synAck(B, A), synAck(B, A), data(A, B), synAck(B, A), syn(A, B));
  assert.deepEqual(flowsOf(meter), [flow(A, B, "syn")]);
});

Deno.test("TCP: a handshake that nothing followed for minutes says nothing of a later one", () => {
  const meter = new TestEngine({ config: RULES });
  meter.take(NOW, syn(B, A));
  meter.take(NOW + 131, synAck(B, A), data(A, B));
  assert.deepEqual(flowsOf(meter), [flow(A, B, "syn-ack")]);
});

Deno.test("TCP: in a simultaneous open neither end is the initiator", () => {
  const both = [syn(A, B), syn(B, A), synAck(A, B), synAck(B, A), data(A, B), data(B, A)];
  assert.deepEqual(flowsOfPackets(both, INITIATOR_ONLY), []);
  assert.deepEqual(flowsOfPackets(both), [flow(B, A, "lower-port")]);
  // Also on ports whose last connection had an initiator.
  const before = [syn(A, B), synAck(B, A), data(A, B), fin(A, B), fin(B, A)];
  assert.deepEqual(flowsOfPackets([...before, ...both], INITIATOR_ONLY), [flow(A, B, "syn")]);
});

for (
  const [how, end] of [
    ["both ends ended", [fin(A, B), fin(B, A), packet(A, B, ACK)]],
    ["was reset", [rst(A, B)]],
    ["was not seen to end", []],
  ] as const
) {
  Deno.test(`TCP: the other end opens again on the ports of a connection that ${how}`, () => {
    const meter = new TestEngine({ config: RULES });
    meter.take(NOW, syn(A, B), synAck(B, A), data(A, B), data(B, A), ...end);
    meter.take(NOW + 5, syn(B, A), synAck(A, B), data(B, A), data(A, B));
    assert.deepEqual(flowsOf(meter), [flow(A, B, "syn"), flow(B, A, "syn")]);
    assert.equal(meter.engine.statistics().corrections, 0);
  });

  Deno.test(`TCP: both connections are attributed in one second, when the first ${how}`, () => {
    const first = [syn(A, B), synAck(B, A), data(A, B), data(B, A), ...end];
    const second = [syn(B, A), synAck(A, B), data(B, A), data(A, B)];
    assert.deepEqual(
      flowsOfPackets([...first, ...second]),
      [flow(A, B, "syn"), flow(B, A, "syn")],
    );
  });
}

Deno.test("TCP: one direction is enough to see that the other end opens again", () => {
  // Only A's packets are seen.
  const first = [syn(A, B), data(A, B), fin(A, B)];
  assert.deepEqual(
    flowsOfPackets([...first, synAck(A, B), data(A, B)]),
    [flow(A, B, "syn"), flow(B, A, "syn-ack")],
  );
});

Deno.test("TCP: a lone SYN in another's name changes nothing of a connection that goes on", () => {
  for (const start of [[syn(A, B), synAck(B, A)], [synAck(B, A)], [syn(A, B)]]) {
    const meter = new TestEngine({ config: INITIATOR_ONLY });
    meter.take(NOW, ...start, data(A, B));
    for (let i = 0; i < 5; i++) {
      meter.take(NOW + i, syn(B, A), packet(A, B, ACK), data(B, A), data(A, B));
    }
    // Half of it is closed; the other half goes on.
    meter.take(NOW + 6, fin(A, B), syn(B, A), data(B, A), data(B, A));
    meter.take(NOW + 200, data(B, A), syn(B, A), data(B, A), data(A, B));
    const by = start.length === 1 && start[0][33] === (SYN | ACK) ? "syn-ack" : "syn";
    const flows = flowsOf(meter);
    assert.deepEqual([...new Set(flows)], [flow(A, B, by)]);
    assert.equal(meter.engine.statistics().corrections, 0);
  }
});

Deno.test("TCP: a lone SYN or SYN-ACK is no evidence about a connection found in the middle", () => {
  for (const forged of [syn(B, A), synAck(A, B)]) {
    const meter = new TestEngine({ config: INITIATOR_ONLY });
    meter.take(NOW, data(A, B), data(B, A));
    meter.take(NOW + 1, forged, data(A, B), data(B, A));
    meter.take(NOW + 100, forged, data(A, B), data(B, A));
    assert.deepEqual(flowsOf(meter), []);
  }
});

Deno.test("TCP: after minutes of silence a SYN by itself is that of a new connection", () => {
  const meter = new TestEngine({ config: RULES });
  meter.take(NOW, syn(A, B), synAck(B, A), data(A, B));
  meter.take(NOW + 241, syn(B, A), data(B, A));
  assert.deepEqual(flowsOf(meter), [flow(A, B, "syn"), flow(B, A, "syn")]);
});

Deno.test("TCP: who is refused has no flow, and teaches nothing about the port", () => {
  const meter = new TestEngine({ config: RULES, ourNets: [] });
  meter.take(NOW, syn(B, A), rst(A, B));
  assert.deepEqual(flowsOf(meter), []);
  // Another connection of that end, found in the middle.
  const other = { address: "10.0.0.3", port: 6_500 };
  meter.take(NOW + 1, data(other, A));
  assert.deepEqual(flowsOf(meter), [flow(A, other, "lower-port")]);
});

Deno.test("what was learned of a server holds for its connections found in the middle", () => {
  const meter = new TestEngine({ config: RULES });
  meter.take(NOW, syn(A, B), synAck(B, A), data(A, B));
  const other = { address: "10.0.0.3", port: 6_500 };
  meter.take(NOW + 10, data(other, B));
  assert.deepEqual(flowsOf(meter).slice(1), [flow(other, B, "learned")]);
});

Deno.test("TCP: an end that talks with several ports serves", () => {
  const clients = [6_001, 6_002, 6_003].map((port, i) => ({ address: `10.0.0.${10 + i}`, port }));
  // Higher than all of theirs.
  assert.deepEqual(
    flowsOfPackets(clients.map((client) => data(client, B))).sort(),
    clients.map((client) => flow(client, B, "fan-in")).sort(),
  );
});

Deno.test("an end that talks to several ports, and is not talked to, does not serve by that", () => {
  const targets = [6_001, 6_002, 6_003].map((port, i) => ({ address: `10.0.0.${10 + i}`, port }));
  for (const send of [data, datagram]) {
    for (const it of flowsOfPackets(targets.map((target) => send(B, target)))) {
      assert.match(it, / lower-port$/);
    }
  }
});

Deno.test("answers to an end that opened are no fan-in: a scanner that uses one port is no server", () => {
  const meter = new TestEngine({ config: RULES });
  const targets = [6_001, 6_002, 6_003].map((port, i) => ({ address: `10.0.0.${10 + i}`, port }));
  meter.take(
    NOW,
    ...targets.flatMap((it) => [syn(B, it), synAck(it, B), data(B, it), data(it, B)]),
  );
  // Picked up in the middle.
  meter.take(NOW + 1, data(A, B));
  assert.deepEqual(
    flowsOf(meter),
    [...targets.map((it) => flow(B, it, "syn")), flow(B, A, "learned")],
  );
});

// UDP

/** A DNS message with these flags and one question. */
const dns = (flags: number) =>
  bytes(u16(7), u16(flags), u16(1), u16(0), u16(0), u16(0), 0, u16(1), u16(1));
const QUESTION = dns(0x0100);
const RESPONSE = dns(0x8180);

Deno.test("UDP: the QR bit tells, whatever packet is seen first, and between two port 53", () => {
  const client = { address: "10.0.0.1", port: 53 };
  const server = { address: "10.0.0.2", port: 53 };
  assert.deepEqual(
    flowsOfPackets([datagram(client, server, QUESTION)]),
    [flow(client, server, "qr")],
  );
  assert.deepEqual(
    flowsOfPackets([datagram(server, client, RESPONSE)]),
    [flow(client, server, "qr")],
  );
});

Deno.test("UDP: a multicast response does not make the group a client", () => {
  for (const group of ["224.0.0.251", "255.255.255.255", "ff02::fb"]) {
    const sender = { address: group.includes(":") ? "fe80::1" : "10.0.0.1", port: 5353 };
    const receivers = { address: group, port: 5353 };
    for (const message of [QUESTION, RESPONSE, "not DNS"]) {
      const [only, ...more] = flowsOfPackets([datagram(sender, receivers, message)]);
      assert.deepEqual(more, []);
      assert.equal(only.split(" ")[0], flow(sender, receivers, "qr").split(" ")[0], group);
    }
  }
});

Deno.test("UDP: the first packet tells only where it was watched well before it", () => {
  const meter = new TestEngine({ config: INITIATOR_ONLY });
  const others = [1, 2, 3, 4].map((i) => ({ address: `10.0.0.${10 + i}`, port: 6_000 }));
  meter.take(NOW, datagram(A, others[0]));
  meter.take(NOW + 29, datagram(A, others[1]));
  assert.deepEqual(flowsOf(meter), []);
  meter.take(NOW + 30, datagram(A, others[2]));
  assert.deepEqual(flowsOf(meter), [flow(A, others[2], "first-packet")]);
  meter.engine.noteGap();
  meter.take(NOW + 31, datagram(A, others[3]));
  assert.equal(flowsOf(meter).length, 1);
});

/** An engine that has watched for long enough, in which nothing of A and B was seen. */
function watching(config = RULES): TestEngine {
  const meter = new TestEngine({ config });
  const [one, other] = [{ address: "10.0.0.8", port: 22 }, { address: "10.0.0.9", port: 50_000 }];
  for (let i = 0; i < 42; i++) meter.take(NOW + i, data(one, other));
  flowsOf(meter);
  meter.observations.length = 0;
  return meter;
}
const WATCHED = NOW + 42;

const BOOTREPLY = bytes(2, new Uint8Array(235), [0x63, 0x82, 0x53, 0x63], 53, 1, 5);
const BOOTREQUEST = bytes(1, new Uint8Array(235), [0x63, 0x82, 0x53, 0x63], 53, 1, 3);
const RPC_REPLY = bytes(new Uint8Array(4), [0, 0, 0, 1], new Uint8Array(16));
const SNMP_RESPONSE = bytes(0x30, 16, 2, 1, 1, 4, 6, "public", 0xa2, 3, 2, 1, 7);

Deno.test("UDP: what a datagram says is stronger than that it is the first that was seen", () => {
  const client = { address: "10.0.0.1", port: 7_777 };
  const server = { address: "10.0.0.2", port: 7_001 };
  for (
    const [payload, port] of [[BOOTREPLY, 67], [RPC_REPLY, 7_001], [SNMP_RESPONSE, 161]] as const
  ) {
    for (const config of [RULES, INITIATOR_ONLY]) {
      const meter = watching(config);
      const answering = { ...server, port };
      meter.take(WATCHED, datagram(answering, client, payload));
      const expected = config === RULES ? [flow(client, answering, "payload")] : [];
      assert.deepEqual(flowsOf(meter), expected);
    }
  }
});

Deno.test("UDP: what comes from another port of a server that was asked is its answer", () => {
  const meter = watching();
  const client = { address: "10.0.0.1", port: 7_777 };
  const asked = { address: "10.0.0.2", port: 69 };
  const answering = { address: "10.0.0.2", port: 7_001 };
  const request = bytes([0, 1], "file\0octet\0");
  meter.take(WATCHED, datagram(client, asked, request), datagram(answering, client, "data"));
  assert.deepEqual(
    flowsOf(meter),
    [flow(client, asked, "first-packet"), flow(client, answering, "first-packet")],
  );
  // Who asks somebody else is asked itself.
  meter.take(WATCHED + 1, datagram({ ...A, address: "10.0.0.5" }, client));
  assert.deepEqual(
    flowsOf(meter).slice(2),
    [flow({ ...A, address: "10.0.0.5" }, client, "first-packet")],
  );
});

Deno.test("UDP: what is sent to an end that asked a group is an answer, for some minutes", () => {
  for (const group of ["224.0.0.9", "255.255.255.255", "10.0.0.255"]) {
    const meter = watching();
    const asking = { address: "10.0.0.1", port: 7_777 };
    meter.take(WATCHED, datagram(asking, { address: group, port: 7_002 }));
    const answering = [1, 2].map((i) => ({ address: `10.0.1.${i}`, port: 7_001 }));
    meter.take(WATCHED + 1, ...answering.map((it) => datagram(it, asking)));
    assert.deepEqual(
      flowsOf(meter).slice(1),
      answering.map((it) => flow(asking, it, "first-packet")),
      group,
    );
  }
});

Deno.test("UDP: who sends from the port that it sends to may be asked there: that is no answer", () => {
  for (const to of ["255.255.255.255", "10.0.0.2"]) {
    const meter = watching();
    const peer = { address: "10.0.0.1", port: 7_777 };
    meter.take(WATCHED, datagram(peer, { address: to, port: 7_777 }));
    const asking = { address: "10.0.0.2", port: 7_001 };
    meter.take(WATCHED + 1, datagram(asking, peer));
    assert.deepEqual(flowsOf(meter).slice(1), [flow(asking, peer, "first-packet")], to);
  }
});

Deno.test("UDP: an answer to broadcast, of a server that is asked by broadcast", () => {
  const meter = watching();
  const [client, server] = [{ address: "0.0.0.0", port: 68 }, { address: "10.0.0.1", port: 67 }];
  const all = "255.255.255.255";
  meter.take(
    WATCHED,
    datagram(client, { address: all, port: 67 }, BOOTREQUEST),
    datagram(server, { address: all, port: 68 }, BOOTREPLY),
  );
  const [asked, answered] = flowsOf(meter);
  assert.match(asked, /^0\.0\.0\.0;255\.255\.255\.255;67;flow /);
  assert.equal(answered, `${all};10.0.0.1;67;flow payload`);
});

Deno.test("UDP: a silence of the whole capture is a gap", () => {
  const meter = new TestEngine({ config: INITIATOR_ONLY });
  meter.take(NOW, datagram(A, B));
  meter.take(NOW + 60, datagram(A, { ...B, port: 9 }));
  assert.deepEqual(flowsOf(meter), []);
});

Deno.test("TCP: a connection's first packet that is seen is not taken for its first", () => {
  const meter = new TestEngine({ config: INITIATOR_ONLY });
  meter.take(NOW, datagram(A, B));
  for (let i = 1; i < 40; i++) meter.take(NOW + i, datagram(A, B));
  meter.take(NOW + 40, data(B, A));
  assert.ok(flowsOf(meter).every((flow) => flow.endsWith(" first-packet") === false));
});

// Corrections

/** Greeting of an SMTP server. */
const GREETING = "220 mail.example.com ESMTP ready\r\n";

Deno.test("a weak decision is corrected by stronger evidence, once, and counted", () => {
  const told: string[] = [];
  const meter = new TestEngine({
    config: RULES,
    onCorrection: (_, before, after) =>
      told.push([before, after].map((it) => REASON_NAMES[(it >>> 8) & 0xff]).join(" ")),
  });
  meter.take(NOW, data(A, B, ""));
  assert.deepEqual(flowsOf(meter), [flow(B, A, "lower-port")]);
  meter.take(NOW + 1, data(B, A, GREETING));
  assert.deepEqual(flowsOf(meter), [flow(B, A, "lower-port"), flow(A, B, "payload")]);
  assert.deepEqual(told, ["lower-port payload"]);
  assert.equal(meter.engine.statistics().corrections, 1);
  for (let i = 0; i < 300; i += 10) meter.take(NOW + 2 + i, data(A, B), data(B, A));
  assert.deepEqual([...new Set(flowsOf(meter).slice(1))], [flow(A, B, "payload")]);
  assert.equal(meter.engine.statistics().corrections, 1);
});

/** What was emitted while time went on, without a last flush. */
function emittedBy(meter: TestEngine): string[] {
  return meter.observations.filter((words) => (words[WORD_KIND] & 0xff) === KIND_FLOW)
    .map((words) => `${keyText(words, 0)} ${REASON_NAMES[words[WORD_ABOUT] & 0xff]}`);
}

const OTHERS = [{ address: "10.0.0.8", port: 53 }, { address: "10.0.0.9", port: 50_000 }] as const;
/** Has time go on. */
function pass(meter: TestEngine, from: number, to: number): void {
  for (let now = from; now <= to; now++) meter.take(now, datagram(OTHERS[1], OTHERS[0], QUESTION));
}
const ofOthers = (it: string) => it.startsWith("10.0.0.9;");

Deno.test("TCP: of a bare ACK nothing is guessed before a payload came", () => {
  const meter = new TestEngine({ config: RULES });
  meter.take(NOW, data(A, B, ""));
  pass(meter, NOW + 1, NOW + 2);
  assert.deepEqual(emittedBy(meter).filter((it) => !ofOthers(it)), []);
  meter.take(NOW + 3, data(B, A, GREETING));
  pass(meter, NOW + 4, NOW + 4);
  assert.deepEqual(
    [...new Set(emittedBy(meter).filter((it) => !ofOthers(it)))],
    [flow(A, B, "payload")],
  );
  assert.equal(meter.engine.statistics().corrections, 0);
});

Deno.test("TCP: a payload that says nothing, or five seconds, end the wait for a better reason", () => {
  for (const payload of ["", "x"]) {
    const meter = new TestEngine({ config: RULES });
    meter.take(NOW, data(A, B, ""));
    meter.take(NOW + 1, data(A, B, payload));
    pass(meter, NOW + 2, NOW + 4);
    const guess = [flow(B, A, "lower-port")];
    assert.deepEqual(
      emittedBy(meter).filter((it) => !ofOthers(it)),
      payload === "" ? [] : guess,
    );
    pass(meter, NOW + 5, NOW + 6);
    assert.deepEqual(emittedBy(meter).filter((it) => !ofOthers(it)), guess);
  }
});

Deno.test("TCP: what decided without guessing is written at once", () => {
  const meter = new TestEngine({ config: RULES });
  meter.take(NOW, syn(A, B), packet(A, B, ACK));
  pass(meter, NOW + 1, NOW + 1);
  assert.deepEqual(emittedBy(meter).filter((it) => !ofOthers(it)), [flow(A, B, "syn")]);
});

Deno.test("TCP: rules of the user's own, and functions, are not waited with", () => {
  const asked: number[] = [];
  const configs: Config[] = [
    { suppressOwnNetwork: false, flows: [[null, null, LowerPort()]] },
    {
      suppressOwnNetwork: false,
      flows: [
        [null, null, Service()],
        [null, null, ({ dport }) => void asked.push(dport)],
        [null, null, LowerPort()],
      ],
    },
    {
      suppressOwnNetwork: false,
      flows: [[null, null, PortMatch([A.port])], [null, null, Service()]],
    },
  ];
  for (const config of configs) {
    const meter = new TestEngine({ config });
    meter.take(NOW, data(A, B, ""));
    pass(meter, NOW + 1, NOW + 1);
    assert.equal(emittedBy(meter).filter((it) => !ofOthers(it)).length, 1);
  }
  assert.equal(asked.filter((port) => port === B.port).length, 1);
});

Deno.test("TCP: what is postponed is written before its conversation is forgotten, or its ports used again", () => {
  const meter = new TestEngine({ config: RULES, maxConversations: 64 });
  meter.take(NOW, data(A, B, ""));
  const many = Array.from(
    { length: 100 },
    (_, i) => datagram({ ...OTHERS[1], port: 40_000 + i }, OTHERS[0]),
  );
  meter.take(NOW + 1, ...many);
  assert.deepEqual(flowsOf(meter).filter((it) => !ofOthers(it)), [flow(B, A, "lower-port")]);
  const again = new TestEngine({ config: RULES });
  again.take(NOW, data(A, B, ""));
  again.take(NOW + 1, fin(A, B), syn(A, B), synAck(B, A), data(A, B));
  assert.deepEqual(flowsOf(again), [flow(B, A, "lower-port"), flow(A, B, "syn")]);
});

Deno.test("a correction is written though the corrected direction sends nothing more", () => {
  // Only what A sends is attributed, and only what B sends says who serves.
  const toOther: Config = {
    suppressOwnNetwork: false,
    networks: [["a", "10.0.0.1/32"], ["b", "10.0.0.2/32"]],
    flows: [["a", "b", Service()], ["a", "b", LowerPort()]],
  };
  const meter = new TestEngine({ config: toOther });
  meter.take(NOW, data(A, B));
  assert.deepEqual(flowsOf(meter), [flow(B, A, "lower-port")]);
  meter.take(NOW + 2, data(A, B), data(B, A, "HTTP/1.1 200 OK\r\n"), data(A, B));
  assert.deepEqual(flowsOf(meter), [flow(B, A, "lower-port"), flow(A, B, "payload")]);
});

Deno.test("both directions keep to a decision whose evidence has gone since", () => {
  const meter = new TestEngine({ config: RULES });
  const others = [1, 2, 3, 4, 5].map((i) => ({ address: `10.0.1.${i}`, port: 6_000 + i }));
  meter.take(NOW, ...others.map((other) => data(other, B, "")), data(B, A, ""));
  assert.ok(flowsOf(meter).includes(flow(A, B, "fan-in")));
  // Fan-in is over after five minutes, and by then the other direction is seen for the first time.
  for (let i = 100; i < 900; i += 100) meter.take(NOW + i, data(B, A, ""));
  meter.take(NOW + 900, data(A, B, ""));
  const flows = flowsOf(meter).filter((flow) => flow.includes(`${A.address};`));
  assert.deepEqual([...new Set(flows)], [flow(A, B, "fan-in")]);
  assert.equal(meter.engine.statistics().corrections, 0);
});

/** Something that happens: packets of the conversation of A and B, and of others, and time. */
type Event =
  | { is: "data"; fromA: boolean; payload: number }
  | { is: "other"; end: "A" | "B"; opens: boolean | null; port: number }
  | { is: "time"; seconds: number };

const PAYLOADS = ["", "x", GREETING, "EHLO example.com\r\n", "\x16\x03\x01\x00\x05\x01"];

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    is: fc.constant("data" as const),
    fromA: fc.boolean(),
    payload: fc.nat(PAYLOADS.length - 1),
  }),
  fc.record({
    is: fc.constant("other" as const),
    end: fc.constantFrom("A" as const, "B" as const),
    opens: fc.constantFrom(true, false, null),
    port: fc.integer({ min: 6_000, max: 6_010 }),
  }),
  fc.record({ is: fc.constant("time" as const), seconds: fc.integer({ min: 1, max: 400 }) }),
);

/** Packets of one end's connection with a third one, whose start is or is not seen. */
function otherPackets({ end, opens, port }: Event & { is: "other" }): Uint8Array[] {
  const own = end === "A" ? A : B;
  const third = { address: "10.0.0.9", port };
  if (opens === null) return [data(own, third, "")];
  const [client, server] = opens ? [own, third] : [third, own];
  return [syn(client, server), synAck(server, client), data(client, server, "")];
}

Deno.test("attribution gives way to stronger evidence only, in any order of events", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const meter = new TestEngine({ config: RULES, maxConversations: 100 });
      let now = NOW;
      for (const it of events) {
        if (it.is === "time") now += it.seconds;
        else if (it.is === "other") meter.take(now, ...otherPackets(it));
        else if (it.fromA) meter.take(now, data(A, B, PAYLOADS[it.payload]));
        else meter.take(now, data(B, A, PAYLOADS[it.payload]));
      }
      const ab = `${A.address};${B.address};`;
      const ba = `${B.address};${A.address};`;
      const flows = flowsOf(meter).filter((it) => it.startsWith(ab) || it.startsWith(ba))
        .map((it) => it.split(" ") as [string, ReasonName]);
      let strongest = 0;
      let key = "";
      let changes = 0;
      for (const [next, by] of flows) {
        const strength = strengthOf(REASON_NAMES.indexOf(by));
        if (key !== "" && next !== key) {
          assert.ok(strength > strongest, `${flows.join(" ")}`);
          changes++;
        }
        key = next;
        strongest = Math.max(strongest, strength);
      }
      assert.ok(changes === 0 || meter.engine.statistics().corrections >= changes);
    }),
    { numRuns: 300 },
  );
});
