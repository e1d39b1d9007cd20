import assert from "node:assert/strict";
import { readDnsMessage } from "../../src/dns/dns_message.ts";
import { addressText } from "../../src/model/address_text.ts";
import { DNS_OUTCOME_NAMES } from "../../src/dns/dns_outcome.ts";
import { addressBytes, type Bytes, bytes, u16 } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import {
  address,
  alias,
  header,
  hints,
  nameError,
  parameter,
  pointer,
  record,
  response,
  serviceData,
  TYPE_CNAME,
  TYPE_HTTPS,
  TYPE_SVCB,
  wireName,
} from "./dns_messages.ts";

const TYPE_A = 1;
const TYPE_TXT = 16;
const TYPE_AAAA = 28;
const QUESTION_END = [0, 1, 0, 1];

function read(message: Uint8Array, withAdditionals = false) {
  // Within other bytes, so that a read outside of the message would find something.
  const around = bytes(new Uint8Array(7).fill(0xc0), message, new Uint8Array(300).fill(1));
  const { outcome, response } = readDnsMessage(around, 7, 7 + message.length, withAdditionals);
  return { outcome: DNS_OUTCOME_NAMES[outcome], response };
}

function outcomeOf(message: Uint8Array): string {
  return read(message).outcome;
}

/** What a response says as text. */
function textsOf(message: Bytes, withAdditionals = false): string[] {
  const { response } = read(message, withAdditionals);
  return [
    ...response!.aliases.map(({ owner, target }) => `${owner} -> ${target}`),
    ...response!.addresses.map(({ owner, address }) => `${owner} = ${address}`),
  ];
}

Deno.test("readDnsMessage() reads chains, addresses of both families and the question", () => {
  const message = response("WWW.example.com", [
    alias("www.example.com", "CDN.example.net"),
    address("cdn.example.net", "192.0.2.1"),
    address("cdn.example.net", "2001:db8::1"),
    { type: "TXT", name: "cdn.example.net", data: "text" },
  ]);
  assert.equal(read(message).response?.question, "www.example.com.");
  assert.deepEqual(textsOf(message), [
    "www.example.com. -> cdn.example.net.",
    "cdn.example.net. = 192.0.2.1",
    "cdn.example.net. = 2001:db8::1",
  ]);
});

Deno.test("readDnsMessage() follows compression", () => {
  const message = bytes(
    header([1, 2, 0, 0]),
    wireName("www", "example", "com"),
    QUESTION_END,
    record(pointer(12), TYPE_CNAME, bytes([3], "cdn", pointer(16))),
    record(pointer(12 + 17 + 4 + 12), TYPE_A, bytes(192, 0, 2, 1)),
  );
  assert.deepEqual(textsOf(message), [
    "www.example.com. -> cdn.example.com.",
    "cdn.example.com. = 192.0.2.1",
  ]);
});

Deno.test("readDnsMessage() says NXDOMAIN, with the chain that led there", () => {
  const message = nameError("www.example.com", [alias("www.example.com", "gone.example.com")]);
  assert.equal(outcomeOf(message), "NXDOMAIN");
  assert.deepEqual(textsOf(message), ["www.example.com. -> gone.example.com."]);
});

Deno.test("readDnsMessage() takes additional records only if told so", () => {
  const message = response("a.local", [address("a.local", "10.0.0.1")], {
    additionals: [address("b.local", "10.0.0.2")],
  });
  assert.deepEqual(textsOf(message), ["a.local. = 10.0.0.1"]);
  assert.deepEqual(textsOf(message, true), ["a.local. = 10.0.0.1", "b.local. = 10.0.0.2"]);
});

Deno.test("readDnsMessage() keeps apart what is a dot and what is a byte within a label", () => {
  const message = bytes(
    header([1, 1, 0, 0]),
    wireName("a.b;c", Uint8Array.of(0, 0xff)),
    QUESTION_END,
    record(pointer(12), TYPE_A, bytes(192, 0, 2, 1)),
  );
  assert.deepEqual(textsOf(message), ["a\\.b\\059c.\\000\\255. = 192.0.2.1"]);
});

Deno.test("readDnsMessage() says why a message is not used", () => {
  const questionOnly = bytes(wireName("a"), QUESTION_END);
  const message = (flags: number) => bytes(header([1, 0, 0, 0], flags), questionOnly);
  assert.equal(outcomeOf(message(0x0100)), "queries");
  assert.equal(outcomeOf(message(0xa000)), "of another opcode");
  assert.equal(outcomeOf(message(0x8182)), "of another response code");
  assert.equal(outcomeOf(message(0x8180)), "without an address");
  assert.equal(outcomeOf(new Uint8Array(11)), "malformed");
});

Deno.test("readDnsMessage() counts loops and lies as malformed", () => {
  const question = bytes(wireName("a"), QUESTION_END);
  const good = record(pointer(12), TYPE_A, bytes(192, 0, 2, 1));
  const at = 12 + question.length;
  const lies: Record<string, Bytes> = {
    "a pointer to itself": record(pointer(at), TYPE_A, bytes(192, 0, 2, 1)),
    "two pointers to each other": bytes(
      record(pointer(at + 12), TYPE_CNAME, bytes(pointer(at))),
    ),
    "a pointer forward": record(pointer(at + 300), TYPE_A, bytes(192, 0, 2, 1)),
    "a name that is cut": bytes(63, "abc"),
    "an unknown kind of label": record([0x80, 1], TYPE_A, bytes(192, 0, 2, 1)),
    "data longer than the message": bytes(pointer(12), u16(1), u16(1), new Uint8Array(4), u16(999)),
    "an A record of three bytes": record(pointer(12), TYPE_A, bytes(192, 0, 2)),
    "an AAAA record of four bytes": record(pointer(12), TYPE_AAAA, bytes(192, 0, 2, 1)),
    "a CNAME with bytes behind its name": record(pointer(12), TYPE_CNAME, bytes(pointer(12), 1)),
  };
  for (const [lie, answer] of Object.entries(lies)) {
    assert.equal(outcomeOf(bytes(header([1, 1, 0, 0]), question, answer)), "malformed", lie);
    // Elsewhere a pointer is another one.
    if (lie.includes("pointer")) continue;
    // What stands before it does not count either.
    const second = bytes(header([1, 2, 0, 0]), question, good, answer);
    assert.equal(outcomeOf(second), "malformed", `${lie}, second`);
  }
  const more = bytes(header([1, 9, 0, 0]), question, good);
  assert.equal(outcomeOf(more), "malformed", "more answers than there are");
  assert.equal(outcomeOf(bytes(header([65_535, 1, 0, 0]), question, good)), "malformed");
});

/** A response whose answer's name is a chain of pointers, held by a record that nobody asked for. */
function pointerChain(length: number): Bytes {
  const start = 12 + wireName("a").length + QUESTION_END.length + 11;
  const links = Array.from({ length }, (_, i) => pointer(i === 0 ? 12 : start + 2 * (i - 1)));
  return bytes(
    header([1, 2, 0, 0]),
    wireName("a"),
    QUESTION_END,
    record([0], TYPE_TXT, bytes(...links)),
    record(pointer(start + 2 * (length - 1)), TYPE_A, bytes(192, 0, 2, 1)),
  );
}

Deno.test("readDnsMessage() follows no more pointers than a name can need", () => {
  assert.deepEqual(textsOf(pointerChain(100)), ["a. = 192.0.2.1"]);
  assert.equal(outcomeOf(pointerChain(128)), "malformed");
});

Deno.test("readDnsMessage() is not spoilt by other records, whatever is in them", () => {
  const odd = record(pointer(12), 46, bytes(1, 2, 3));
  const message = bytes(
    header([1, 2, 1, 1]),
    wireName("a"),
    QUESTION_END,
    odd,
    record(pointer(12), TYPE_A, bytes(192, 0, 2, 1)),
    // The authority section is not even there.
  );
  assert.deepEqual(textsOf(message), ["a. = 192.0.2.1"]);
});

/** What the hints of a response say as text. */
function hintsOf(message: Bytes): string[] {
  return (read(message).response?.hints ?? []).map(({ owner, isIpv6, words }) =>
    `${owner} ~ ${addressText(words, 0, isIpv6)}`
  );
}

Deno.test("readDnsMessage() reads what HTTPS and SVCB records hint at, behind a CNAME too", () => {
  for (const type of [TYPE_HTTPS, TYPE_SVCB]) {
    for (const target of [[0], wireName("svc", "example", "net")]) {
      const data = serviceData(
        1,
        bytes(target),
        ...hints("192.0.2.10", "192.0.2.11", "2001:db8::10"),
      );
      const message = bytes(
        header([1, 2, 0, 0]),
        wireName("w"),
        bytes(u16(type), u16(1)),
        record(pointer(12), TYPE_CNAME, wireName("h")),
        record(wireName("h"), type, data),
      );
      assert.equal(outcomeOf(message), "with addresses");
      assert.deepEqual(textsOf(message), ["w. -> h."]);
      assert.deepEqual(hintsOf(message), [
        "h. ~ 192.0.2.10",
        "h. ~ 192.0.2.11",
        "h. ~ 2001:db8::10",
      ]);
    }
  }
});

Deno.test("readDnsMessage() takes no hints of records that contradict themselves, and all of the rest", () => {
  const [, ipv4] = hints("192.0.2.10");
  const cases: Record<string, Bytes> = {
    "nothing": bytes(),
    "a priority that is cut": bytes(0),
    "no target": bytes(u16(1)),
    "an alias": serviceData(0, wireName("svc")),
    "a target that does not end": bytes(u16(1), 63, "abc"),
    "a compressed target": serviceData(1, bytes(pointer(12)), ipv4),
    "a parameter that is cut": serviceData(1, bytes(0), ipv4.slice(0, -1)),
    "a parameter without its length": serviceData(1, bytes(0), ipv4, bytes(u16(9), 0)),
    "a hint of five bytes": serviceData(1, bytes(0), parameter(4, bytes(192, 0, 2, 10, 1))),
    "an IPv6 hint of four bytes": serviceData(1, bytes(0), parameter(6, bytes(192, 0, 2, 10))),
    "no hints": serviceData(1, bytes(0), parameter(1, bytes(2, "h2"))),
  };
  for (const [name, data] of Object.entries(cases)) {
    const message = (...records: Bytes[]) =>
      bytes(
        header([1, records.length, 0, 0]),
        wireName("a"),
        QUESTION_END,
        ...records,
      );
    const odd = record(pointer(12), TYPE_HTTPS, data);
    assert.equal(outcomeOf(message(odd)), "without an address", name);
    const both = message(odd, record(pointer(12), TYPE_A, bytes(192, 0, 2, 1)));
    assert.deepEqual([textsOf(both), hintsOf(both)], [["a. = 192.0.2.1"], []], name);
  }
});

Deno.test("readDnsMessage() reads where HTTPS records lead, and their configurations of hellos", () => {
  const configuration = (number: number, publicName: string) => {
    const key = bytes(u16(32), new Uint8Array(32));
    const content = bytes(
      ...[number, u16(0x20), key, u16(4), u16(1), u16(1), 0, publicName.length, publicName, u16(0)],
    );
    return bytes(u16(0xfe0d), u16(content.length), content);
  };
  const list = bytes(configuration(7, "cover.example"), configuration(8, "Other.example"));
  const ech = parameter(5, bytes(u16(list.length), list));
  const message = (...data: Bytes[]) =>
    bytes(
      header([1, data.length, 0, 0]),
      ...[wireName("a"), QUESTION_END, ...data.map((it) => record(pointer(12), TYPE_HTTPS, it))],
    );
  const services = (data: Bytes) => read(message(data)).response?.services;
  assert.deepEqual(services(serviceData(0, wireName("svc", "example"))), [
    { owner: "a.", target: "svc.example.", configurations: [] },
  ]);
  assert.deepEqual(services(serviceData(1, bytes(0), ech)), [{
    owner: "a.",
    target: null,
    configurations: [
      { number: 7, publicName: "cover.example." },
      { number: 8, publicName: "other.example." },
    ],
  }]);
  for (let cut = 1; cut < list.length; cut++) {
    const part = parameter(5, bytes(u16(list.length), list.subarray(0, cut)));
    assert.ok((services(serviceData(1, bytes(0), part))?.[0]?.configurations.length ?? 0) < 2);
  }
});

Deno.test("readDnsMessage() reads the names of addresses, and no other PTR records", () => {
  const ipv6 = "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
  const message = response("x", [
    { type: "PTR", name: "10.2.0.192.in-addr.arpa", data: "host.example" },
    { type: "PTR", name: ipv6, data: "host6.example" },
    { type: "PTR", name: "300.2.0.192.in-addr.arpa", data: "odd.example" },
    { type: "PTR", name: "_http._tcp.local", data: "printer._http._tcp.local" },
  ]);
  assert.equal(outcomeOf(message), "without an address");
  assert.deepEqual(
    read(message).response?.reverse?.map(({ name, isIpv6, words }) =>
      `${addressText(words, 0, isIpv6)} ${name}`
    ),
    ["192.0.2.10 host.example.", "2001:db8::567:89ab host6.example."],
  );
});

Deno.test("readDnsMessage() has the least time to live of what it has read", () => {
  const message = response("a", [
    { ...alias("a", "b"), ttl: 30 },
    { ...address("b", "192.0.2.1"), ttl: 3600 },
    { type: "TXT", name: "b", data: "text", ttl: 1 },
  ]);
  assert.equal(read(message).response?.ttl, 30);
  const greatest = response("a", [{ ...address("a", "192.0.2.1"), ttl: 0xffff_ffff }]);
  assert.equal(read(greatest).response?.ttl, 0);
});

Deno.test("readDnsMessage() never throws, and makes nothing up, however a message is changed", () => {
  const random = new SeededRandom();
  const original = bytes(
    response("www.example.com", [
      alias("www.example.com", "cdn.example.net"),
      address("cdn.example.net", "192.0.2.1"),
    ]),
    record(pointer(12), TYPE_HTTPS, serviceData(1, bytes(0), ...hints("192.0.2.1", "::1"))),
  );
  original[7]++;
  for (let i = 0; i < 20_000; i++) {
    const changed = original.slice(0, random.below(original.length + 1));
    for (let changes = random.below(5); changes > 0 && changed.length > 0; changes--) {
      changed[random.below(changed.length)] = random.below(256);
    }
    const { outcome, response } = read(changed);
    const used = ["with addresses", "NXDOMAIN", "without an address"];
    assert.equal(response === null, !used.includes(outcome));
    for (const { owner } of response?.addresses ?? []) assert.match(owner, /^[!-:<-~]*\.$/);
  }
});

Deno.test("readDnsMessage() reads which resolvers are designated, by RFC 9461 and RFC 9462", () => {
  const protocols = parameter(1, bytes(3, "dot", 2, "h2"));
  const path = parameter(7, bytes("/dns-query{?dns}"));
  const designating = (owner: string[], data: Bytes) =>
    bytes(
      header([1, 1, 0, 0]),
      wireName(...owner),
      bytes(u16(TYPE_SVCB), u16(1)),
      record(pointer(12), TYPE_SVCB, data),
    );
  const target = wireName("dns", "example");
  const data = serviceData(
    1,
    target,
    protocols,
    parameter(3, bytes(u16(8443))),
    parameter(4, bytes(addressBytes("192.0.2.53"))),
    parameter(6, bytes(addressBytes("2001:db8::53"))),
    path,
  );
  const said = {
    name: "dns.example.",
    addresses: ["192.0.2.53", "2001:db8::53"],
    applicationProtocols: ["dot", "h2"],
    port: 8443,
  };
  const designatedOf = (message: Bytes) => read(message).response?.designated;
  const ofResolver = designating(["_dns", "resolver", "arpa"], data);
  assert.deepEqual(designatedOf(ofResolver), [said]);
  // They are not what the client asked for to connect to.
  assert.deepEqual(hintsOf(ofResolver), []);
  assert.equal(outcomeOf(ofResolver), "without an address");
  const itself = serviceData(1, bytes(0), protocols);
  assert.deepEqual(designatedOf(designating(["_8053", "_dns", "dns", "example"], itself)), [
    { ...said, addresses: [], port: null },
  ]);
  for (
    const [owner, odd] of [
      [["_dns", "resolver", "arpa"], serviceData(0, target)],
      [["_dns", "resolver", "arpa"], serviceData(1, target, path)],
      [["_dns", "resolver", "arpa"], serviceData(1, target, protocols.slice(0, -1))],
      [["dns", "example"], itself],
    ] as const
  ) {
    assert.deepEqual(designatedOf(designating([...owner], odd)) ?? [], []);
  }
});
