import assert from "node:assert/strict";
import { parseAddress } from "../../src/model/address.ts";
import { DnsMeter } from "../../src/dns/dns_meter.ts";
import { DnsPackets } from "../../src/dns/dns_packets.ts";
import { SuppressedNames } from "../../src/dns/suppressed_names.ts";
import { KnownNames } from "../../src/dns/known_names.ts";
import type { Lookup } from "../../src/dns/lookup.ts";
import type { NameWrite } from "../../src/dns/name_write.ts";
import { TestEngine } from "../engine/test_engine.ts";
import { ACK, type Bytes, bytes, ip, ipUdp, PSH, tcp, u16, udp } from "../packets.ts";
import {
  address,
  alias,
  header,
  hints,
  nameError,
  pointer,
  record,
  response,
  serviceData,
  TYPE_HTTPS,
  wireName,
  withLength,
} from "./dns_messages.ts";
import { outcomesOf, writeText } from "./dns_keys_of.ts";

const CLIENT = "10.0.0.7";
const CLIENT_V6 = "2001:db8::7";
const RESOLVER = "192.0.2.53";
const ANSWER = response("www.example.com", [
  alias("www.example.com", "cdn.example.net"),
  address("cdn.example.net", "198.51.100.1"),
]);
const ANSWER_KEYS = [
  `${CLIENT};198.51.100.1;dns cdn.example.net.`,
  `${CLIENT};cdn.example.net.;cname www.example.com.`,
];

/** IPv4 addresses, each as four words. */
function addresses(...last: number[]): Uint32Array {
  return Uint32Array.from(last.flatMap((word) => [0, 0, 0, word]));
}

/** That an IPv4 client looked up an address. */
function lookup(client: number, address: number, name: string): Lookup {
  const ends = { client: addresses(client), address: addresses(address) };
  const times = { seconds: 100, ttl: 60 };
  return {
    kind: "address",
    isClientIpv6: false,
    isIpv6: false,
    target: "",
    name,
    ...ends,
    ...times,
  };
}

/** A flow meter that reads DNS. */
class Sensor {
  readonly writes: NameWrite[] = [];
  readonly names = new KnownNames();
  /** How often a client key was asked for. */
  clients = 0;
  readonly dns: DnsMeter;
  readonly flows: TestEngine;

  constructor(
    { ignored, multicastDns = false }: { ignored?: string[]; multicastDns?: boolean } = {},
  ) {
    this.dns = new DnsMeter({
      emit: (writes) => this.writes.push(...writes),
      onClient: (isIpv6, client) => {
        this.clients++;
        this.flows.engine.writeClient(isIpv6, client);
      },
      ignored,
      names: this.names,
    });
    this.flows = new TestEngine({
      payloadReader: new DnsPackets({ dnsPorts: [53], multicastDns }, this.dns),
    });
  }

  /** The writes of names that some packets of one second give, sorted. */
  namesOf(seconds: number, ...packets: Bytes[]): string[] {
    this.writes.length = 0;
    this.flows.take(seconds, ...packets);
    this.flows.engine.flush();
    return this.writes.map(writeText).sort();
  }
}

function overUdp(message: Uint8Array, client = CLIENT, port = 53): Bytes {
  const server = client.includes(":") ? "2001:db8:53::53" : RESOLVER;
  return ipUdp(server, client, udp(port, 40_000, message));
}

function overTcp(payload: Uint8Array, sequence: number, flags = PSH | ACK): Bytes {
  const segment = tcp(53, 40_000, flags, payload);
  new DataView(segment.buffer).setUint32(4, sequence);
  return ip(RESOLVER, CLIENT, segment);
}

Deno.test("DnsPackets reads responses over UDP, of both families; the client is the destination", () => {
  const sensor = new Sensor();
  assert.deepEqual(sensor.namesOf(100, overUdp(ANSWER)), ANSWER_KEYS);
  assert.deepEqual(
    sensor.namesOf(100, overUdp(ANSWER, CLIENT_V6)),
    ANSWER_KEYS.map((key) => key.replace(CLIENT, CLIENT_V6)),
  );
});

Deno.test("DnsPackets reads responses over TCP, also over several segments", () => {
  const stream = withLength(ANSWER);
  assert.deepEqual(new Sensor().namesOf(100, overTcp(stream, 1)), ANSWER_KEYS);
  const inParts = [overTcp(stream.slice(0, 2), 1), overTcp(stream.slice(2, 30), 3)];
  assert.deepEqual(
    new Sensor().namesOf(100, ...inParts, overTcp(stream.slice(30), 31)),
    ANSWER_KEYS,
  );
});

Deno.test("DnsPackets reads no other ports, and mDNS and LLMNR only if told so", () => {
  for (const port of [5353, 5355]) {
    assert.deepEqual(new Sensor().namesOf(100, overUdp(ANSWER, CLIENT, port)), []);
    const sensor = new Sensor({ multicastDns: true });
    assert.deepEqual(sensor.namesOf(100, overUdp(ANSWER, CLIENT, port)), ANSWER_KEYS);
  }
  assert.deepEqual(new Sensor().namesOf(100, overUdp(ANSWER, CLIENT, 5300)), []);
});

Deno.test("DnsPackets counts what is cut by its own name, unless what is missing was not needed", () => {
  const sensor = new Sensor();
  const packet = overUdp(ANSWER);
  assert.deepEqual(sensor.namesOf(100, packet.slice(0, -10)), []);
  assert.deepEqual(outcomesOf(sensor.dns), { "cut short": 1 });
  const withMore = response("a.example", [address("a.example", "192.0.2.1")], {
    additionals: [address("ns.example", "192.0.2.9")],
  });
  assert.equal(sensor.namesOf(100, overUdp(withMore).slice(0, -10)).length, 1);
});

Deno.test("DnsPackets reads what is there of joined segments, and counts that the rest is cut", () => {
  const other = response("other.example", [address("other.example", "198.51.100.2")]);
  const segment = bytes(withLength(ANSWER), withLength(other));
  for (const missing of [1, withLength(other).length - 1, withLength(other).length]) {
    const sensor = new Sensor();
    const joined = overTcp(segment, 1).slice(0, -missing);
    assert.deepEqual(sensor.namesOf(100, joined), ANSWER_KEYS);
    assert.deepEqual(outcomesOf(sensor.dns), { "with addresses": 1, "cut short": 1 });
    assert.equal(sensor.namesOf(100, overTcp(withLength(other), 1 + segment.length)).length, 1);
    assert.deepEqual(outcomesOf(sensor.dns), { "with addresses": 2, "cut short": 1 });
  }
});

Deno.test("DnsPackets reads on after a keep-alive probe", () => {
  const sensor = new Sensor();
  const stream = withLength(ANSWER);
  assert.deepEqual(sensor.namesOf(100, overTcp(stream, 1)), ANSWER_KEYS);
  for (const probe of [bytes(0), bytes("A"), stream.slice(-1), bytes()]) {
    assert.deepEqual(sensor.namesOf(110, overTcp(probe, stream.length, ACK)), []);
  }
  assert.deepEqual(sensor.namesOf(1000, overTcp(stream, 1 + stream.length)), ANSWER_KEYS);
  assert.deepEqual(outcomesOf(sensor.dns), { "with addresses": 2 });
});

Deno.test("DnsMeter writes client keys with the names, and holds all of them back as flows are", () => {
  const sensor = new Sensor();
  const clientKey = `client;${CLIENT}`;
  // As SuppressedKeys: in the window of 30 s in which it was written and the two after it.
  const steps: [number, number][] = [[0, 2], [10, 0], [89, 0], [90, 2], [179, 0], [180, 2]];
  for (const [seconds, names] of steps) {
    assert.equal(sensor.namesOf(3000 + seconds, overUdp(ANSWER)).length, names, `${seconds} s`);
    const keys = sensor.flows.emitted().filter((key) => key === clientKey);
    assert.equal(keys.length, names > 0 ? 1 : 0, `${seconds} s`);
  }
});

Deno.test("DnsMeter writes a name that is new for a key at once", () => {
  const sensor = new Sensor();
  sensor.namesOf(100, overUdp(response("a.example", [address("a.example", "192.0.2.1")])));
  const other = overUdp(response("b.example", [address("b.example", "192.0.2.1")]));
  assert.deepEqual(sensor.namesOf(101, other), [`${CLIENT};192.0.2.1;dns b.example.`]);
});

Deno.test("DnsMeter writes nx keys, and the chain that led to the missing name", () => {
  const sensor = new Sensor();
  const message = nameError("www.example.com", [alias("www.example.com", "gone.example")]);
  assert.deepEqual(sensor.namesOf(100, overUdp(message)), [
    `${CLIENT};gone.example.;cname www.example.com.`,
    `${CLIENT};www.example.com.;nx`,
  ]);
});

Deno.test("DnsMeter leaves ignored names out, with all below them", () => {
  const sensor = new Sensor({ ignored: ["example.com."] });
  assert.deepEqual(sensor.namesOf(100, overUdp(ANSWER)), []);
  assert.deepEqual(sensor.namesOf(100, overUdp(nameError("x.Example.com"))), []);
  assert.deepEqual(outcomesOf(sensor.dns), { "of ignored names": 2 });
  // What was asked for decides, not where it led.
  const other = response("a.example", [alias("a.example", "www.example.com")]);
  assert.equal(sensor.namesOf(100, overUdp(other)).length, 1);
});

Deno.test("DnsMeter remembers the name that was asked for, for the client that asked", () => {
  const sensor = new Sensor();
  sensor.namesOf(100, overUdp(ANSWER));
  const server = (198 << 24 | 51 << 16 | 100 << 8 | 1) >>> 0;
  const asker = 10 << 24 | 7;
  assert.equal(sensor.names.find(false, addresses(asker, server), 0, 4), "www.example.com.");
  assert.equal(sensor.names.find(false, addresses(asker + 1, server), 0, 4), null);
  // The last lookup counts.
  const again = response("other.example", [address("other.example", "198.51.100.1")]);
  sensor.namesOf(100, overUdp(again));
  assert.equal(sensor.names.find(false, addresses(asker, server), 0, 4), "other.example.");
});

Deno.test("DnsMeter names flows by the hints of HTTPS records, of which no key is made", () => {
  const sensor = new Sensor();
  const https = record(
    wireName("h", "example"),
    TYPE_HTTPS,
    serviceData(1, bytes(0), ...hints("192.0.2.10", "2001:db8::10")),
  );
  const question = bytes(wireName("w", "example"), u16(TYPE_HTTPS), u16(1));
  const pointing = record(pointer(12), 5, wireName("h", "example"));
  const message = bytes(header([1, 2, 0, 0]), question, pointing, https);
  assert.deepEqual(sensor.namesOf(100, overUdp(message)), [
    `${CLIENT};h.example.;cname w.example.`,
  ]);
  const client = addresses(0x0a000007, 0xc000020a);
  assert.equal(sensor.names.find(false, client, 0, 4), "w.example.");
  sensor.namesOf(100, overUdp(message, CLIENT_V6));
  const words = (text: string) => parseAddress(text)!.words;
  const pair = Uint32Array.of(...words(CLIENT_V6), ...words("2001:db8::10"));
  assert.equal(sensor.names.find(true, pair, 0, 4), "w.example.");
  // A response with nothing but hints makes no key at all.
  const alone = bytes(header([1, 1, 0, 0]), question, https);
  assert.deepEqual(sensor.namesOf(200, overUdp(alone, "10.0.0.8")), []);
  assert.equal(sensor.clients, 2);
  assert.deepEqual(outcomesOf(sensor.dns), { "with addresses": 3 });
});

Deno.test("DnsMeter tells all who hear it of what is answered to a multicast group", () => {
  const sensor = new Sensor({ multicastDns: true });
  const message = response("printer.local", [address("printer.local", "10.0.0.9")]);
  sensor.namesOf(100, overUdp(message, "224.0.0.251", 5353));
  const pair = addresses(10 << 24 | 7, 10 << 24 | 9);
  assert.equal(sensor.names.find(false, pair, 0, 4), "printer.local.");
});

Deno.test("KnownNames forgets what was not looked up for longest", () => {
  const names = new KnownNames(6);
  for (const last of [1, 2, 3, 1, 4, 5, 6]) {
    names.learn(lookup(9, last, `${last}.example.`));
  }
  const known = [1, 2, 3, 4, 5, 6].filter((last) => names.find(false, addresses(9, last), 0, 4));
  assert.deepEqual(known, [1, 4, 5, 6]);
});

Deno.test("SuppressedNames tells texts apart in whatever they differ", () => {
  const suppressed = new SuppressedNames();
  const texts = [
    "",
    "a",
    "aa",
    "aaa",
    "aaaa",
    "aaaaa",
    "aaaab",
    "baaaa",
    "abaaa",
    "aabaa",
    "aaaba",
  ];
  const long = texts.map((text) => "n".repeat(1000) + text);
  for (const text of [...texts, ...long]) assert.ok(suppressed.admit(text, 1000), text);
  for (const text of [...texts, ...long]) assert.ok(!suppressed.admit(text, 1002), text);
  for (const text of [...texts, ...long]) assert.ok(suppressed.admit(text, 1003), text);
});

Deno.test("SuppressedNames holds no more than it may: what was written first is let go", () => {
  const suppressed = new SuppressedNames(1000);
  for (let i = 0; i < 100_000; i++) suppressed.admit(`${i}`, 1000 + Math.floor(i / 50_000));
  const again = Array.from({ length: 100_000 }, (_, i) => i)
    .filter((i) => suppressed.admit(`${i}`, 1001));
  assert.ok(again.length > 95_000, `${again.length} were let go`);
  assert.ok(!suppressed.admit("99999", 1001));
});

Deno.test("KnownNames needs no more bytes than it may, however long names are", () => {
  const long = "n".repeat(1000);
  const names = new KnownNames(1_000_000, 100_000);
  for (let i = 0; i < 10_000; i++) {
    names.learn(lookup(9, i, `${i}.${long}`));
  }
  const known = Array.from({ length: 10_000 }, (_, last) => last)
    .filter((last) => names.find(false, addresses(9, last), 0, 4) !== null);
  assert.ok(known.length > 40 && known.length < 100, `${known.length} known`);
  assert.equal(known.at(-1), 9999);
  assert.equal(names.forgotten, 10_000 - known.length);
});

Deno.test("flows of DNS itself are written as before, whatever is in their packets", () => {
  const sensor = new Sensor();
  sensor.namesOf(100, overUdp(bytes("no DNS at all")));
  assert.deepEqual(
    sensor.flows.keys(),
    [
      `${CLIENT};${RESOLVER};53;flow`,
      `${CLIENT};${RESOLVER};peer`,
      `${RESOLVER};${CLIENT};peer`,
      `client;${CLIENT}`,
    ].sort(),
  );
});
