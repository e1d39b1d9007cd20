/** Messages that others send, besides packets, and texts that the program reads. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonLinesOf } from "../json_lines_of.ts";
import { ConfigError } from "../../src/config/config_error.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Mapping } from "../../src/config/mapping.ts";
import { defineConfig, LowerPort } from "../../src/config/mod.ts";
import { validate } from "../../src/config/validate.ts";

import { DnsMeter } from "../../src/dns/dns_meter.ts";
import { type DnsReading, readDnsMessage } from "../../src/dns/dns_message.ts";
import { decodeDnstap, DNSTAP_CONTENT_TYPE, encodeDnstap } from "../../src/dns/dnstap.ts";
import { FIRST_WINDOW, WINDOWS_SUPPRESSED } from "../../src/model/windows.ts";
import { addressWords, dnstapJson } from "../../src/dns/dnstap_json.ts";
import { frames, FrameStreamError } from "../../src/dns/frame_streams.ts";
import { readLookup } from "../../src/dns/lookup_datagram.ts";
import type { Announcement } from "../../src/names/devices/announcement.ts";
import { DeviceBook } from "../../src/names/devices/device_book.ts";
import { readDhcp } from "../../src/names/devices/dhcp.ts";
import { readDhcpv6 } from "../../src/names/devices/dhcpv6.ts";
import {
  readArp,
  readLldp,
  readNeighbourDiscovery,
} from "../../src/names/devices/link_announcements.ts";
import { readMdns } from "../../src/names/devices/mdns.ts";
import { readNetbios } from "../../src/names/devices/netbios.ts";
import { CarriedNames } from "../../src/names/carried_names.ts";
import { takePacket } from "../names/take_packet.ts";
import { decode } from "../../src/packet/decode.ts";
import { PacketHeader } from "../../src/packet/packet_header.ts";
import { printable } from "../../src/printable.ts";
import { readJsonLines } from "../../src/report/json_lines_source.ts";
import { renderReport } from "../../src/report/render_report.ts";
import { Report } from "../../src/report/report.ts";
import { reportData } from "../../src/report/report_data.ts";
import { JsonLines } from "../../src/sink/json_lines.ts";
import { UserError } from "../../src/user_error.ts";
import { FilterError, filterText, parseFilter } from "../../src/web/filter.ts";
import { control, frame, READY, START, STOP } from "../dns/frame_writer.ts";
import { assertPrintable, hostileText } from "../hostile_text.ts";
import {
  ADVERTISEMENT,
  ARP,
  dhcp,
  dhcpv6,
  FQDN,
  LLDP,
  MDNS,
  NAME_OPTION,
  netbios,
  option,
} from "../names/devices/messages.ts";
import { clientHello, crypto, initial, records } from "../names/hellos.ts";
import { ACK, bytes, ethernet, ipUdp, PSH, udp } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { DNS_MESSAGES } from "./corpus.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { Mutator } from "./mutator.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a target of messages does with one. */
interface Messages {
  readonly name: string;
  readonly weight: number;
  readonly samples: readonly Uint8Array[];
  /** In the place of changing one. */
  readonly make?: (random: SeededRandom, mutator: Mutator) => Uint8Array;
  readonly check: (input: Uint8Array) => void | Promise<void>;
}

function targetOf({ name, weight, samples, make, check }: Messages): FuzzTarget {
  const given = { messages: 0 };
  return {
    name,
    weight,
    given,
    make(random, kept) {
      const mutator = new Mutator(random);
      if (make !== undefined && random.below(3) === 0) return make(random, mutator);
      const all = kept.length > 0 && random.below(2) === 0 ? kept : samples;
      const sample = random.of(all);
      return random.below(30) === 0 ? sample : mutator.mutated(sample, all);
    },
    async check(input) {
      given.messages++;
      await check(input);
    },
  };
}

/** The value that fast-check makes of a number: the same one each time. */
function sampleOf<Value>(arbitrary: fc.Arbitrary<Value>, random: SeededRandom): Value {
  const seed = random.below(2 ** 31);
  return fc.sample(arbitrary, { seed, numRuns: 1 + random.below(20) }).at(-1)!;
}

const CLIENT = Uint32Array.of(0, 0, 0, 0x0a000007);
const json = new JsonLines({ interfaces: ["eth0"] });

let written: string[] = [];
const meter = new DnsMeter({
  emit: (writes) =>
    written.push(...jsonLinesOf(json, () => writes.forEach((write) => json.name(write, 1)))),
  onClient: () => {},
});
let window = FIRST_WINDOW;

/** Whatever a message says comes out as lines of JSON that are lines. */
function requireLines(reading: DnsReading): string[] {
  // So late that no key is suppressed.
  meter.take(reading, false, CLIENT, window += WINDOWS_SUPPRESSED);
  meter.flush();
  const lines = written;
  written = [];
  for (const line of lines) {
    assert.equal(line.indexOf("\n"), line.length - 1);
    assertPrintable(line);
    assert.equal(typeof JSON.parse(line).key, "string");
  }
  return lines;
}

const dns = targetOf({
  name: "dns",
  weight: 40,
  samples: DNS_MESSAGES,
  check(input) {
    for (const isMdns of [false, true]) {
      const [one, other] = [0x00, 0xc0].map((filler) => {
        const around = new Uint8Array(input.length + 600).fill(filler);
        around.set(input, 300);
        return readDnsMessage(around, 300, 300 + input.length, isMdns);
      });
      assert.deepEqual(other, one, "it is read beyond the message");
      requireLines(one);
    }
  },
});

/** Frames as they are sent, each with what a name server says of a message. */
const DNSTAP_STREAMS = [READY, START].map((first) =>
  bytes(
    ...first === READY ? [control(READY), control(START)] : [control(START)],
    ...DNS_MESSAGES.map((responseMessage, i) =>
      frame(encodeDnstap({
        identity: encoder.encode("\x1b[2Jserver\n"),
        message: {
          type: i % 2 === 0 ? 6 : 1 + i,
          socketFamily: 1,
          queryAddress: i % 3 === 0 ? new Uint8Array(16).fill(i) : Uint8Array.of(10, 0, 0, 7),
          queryPort: 40_000,
          queryTimeSec: 2 ** 31 * i,
          responseMessage,
        },
      }))
    ),
    control(STOP, null),
  )
);

/** What is read of a stream that comes in pieces. */
async function framesOf(stream: Uint8Array, random: SeededRandom): Promise<string[]> {
  let at = 0;
  const read: string[] = [];
  const connection = {
    read: (into: Uint8Array) => {
      if (at === stream.length) return Promise.resolve(null);
      const part = stream.subarray(at, at + 1 + random.below(Math.min(into.length, 700)));
      at += part.length;
      into.set(part);
      return Promise.resolve(part.length);
    },
    write: (answer: Uint8Array) => Promise.resolve(answer.length),
  };
  try {
    for await (const taken of frames(connection, { contentType: DNSTAP_CONTENT_TYPE })) {
      read.push(payloadText(taken));
    }
  } catch (error) {
    if (!(error instanceof FrameStreamError)) throw error;
    read.push(error.message);
  }
  return read;
}

/** As `dnstap` takes a payload. */
function payloadText(taken: Uint8Array): string {
  const payload = decodeDnstap(taken);
  if (payload === null) return "no dnstap";
  const line = printable(JSON.stringify(dnstapJson(payload)));
  assertPrintable(line);
  JSON.parse(line);
  const { queryAddress, responseMessage } = payload.message ?? {};
  if (queryAddress !== undefined) addressWords(queryAddress);
  if (responseMessage === undefined) return line;
  return line + requireLines(readDnsMessage(responseMessage, 0, responseMessage.length)).join("");
}

const dnstap = targetOf({
  name: "dnstap",
  weight: 3,
  samples: DNSTAP_STREAMS,
  async check(input) {
    const [one, other] = [
      await framesOf(input, new SeededRandom(1)),
      await framesOf(input, new SeededRandom(2)),
    ];
    assert.deepEqual(other, one, "it matters in which pieces a stream comes");
  },
});

const LOOKUPS = [
  {
    client: "10.0.0.7",
    status: "NOERROR",
    address: "192.0.2.1",
    chain: ["h.example.", "w.example."],
  },
  { client: "2001:db8::7", status: "NXDOMAIN", chain: ["missing.example."], bkf: 0 },
  {
    client: "::ffff:10.0.0.7",
    status: "NOERROR",
    address: "2001:db8::1",
    chain: ["\\027[31m\\010."],
  },
  { client: "10.0.0.7", status: "SERVFAIL", chain: ["w.example."] },
].map((lookup) => encoder.encode(JSON.stringify(lookup)));

const anyLookup = fc.record({
  client: fc.oneof(fc.ipV4(), fc.ipV6(), hostileText),
  status: fc.oneof(fc.constantFrom("NOERROR", "NXDOMAIN"), fc.anything()),
  address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.anything()),
  chain: fc.oneof(fc.array(hostileText.map((text) => `${text}.`)), fc.anything()),
  bkf: fc.oneof(fc.integer(), fc.anything()),
}, { requiredKeys: [] });

const lookup = targetOf({
  name: "lookup",
  weight: 20,
  samples: LOOKUPS,
  make: (random) => textOf(sampleOf(anyLookup, random)),
  check(input) {
    const read = readLookup(decoder.decode(input));
    if (read !== null) requireLines(read.reading);
  },
});

function textOf(value: unknown): Uint8Array {
  try {
    return encoder.encode(JSON.stringify(value) ?? "null");
  } catch {
    // Not all that fast-check makes has a text: a bigint has none.
    return encoder.encode("{}");
  }
}

const HELLO = clientHello("quic.example", { protocols: ["h3"], encryptedHello: 3, keyShare: 40 });
const FRAMES = [
  crypto(0, HELLO),
  bytes(crypto(80, HELLO.subarray(80)), [1, 0, 0], crypto(0, HELLO.subarray(0, 80))),
  bytes([2, 0, 0, 0, 0], crypto(0, HELLO.subarray(0, 20)), crypto(15, HELLO.subarray(15))),
];

/** Frames of QUIC, changed before they are encrypted. */
const quic = targetOf({
  name: "quic",
  weight: 4,
  samples: FRAMES,
  check(input) {
    const names = new CarriedNames({ maxStreams: 4, maxBytes: 8000 });
    const header = new PacketHeader();
    const half = input.length >> 1;
    for (const part of [input.subarray(0, half), input, input.subarray(half)]) {
      const packet = ethernet(ipUdp("10.0.0.7", "192.0.2.1", udp(50_000, 443, initial(part))));
      const view = new DataView(packet.buffer);
      decode(view, 0, packet.length, 1, header);
      const carried = takePacket(names, view, header);
      if (carried !== null) assertPrintable(JSON.stringify(carried));
      assert.ok(names.pendingBytes <= 8000, `${names.pendingBytes} bytes are held`);
    }
  },
});

const HELLO_STREAMS = [{}, { protocols: ["h2", "dot"], keyShare: 1300 }, { encryptedHello: 7 }]
  .flatMap(
    (
      options,
    ) => [records(clientHello("tls.example", options)), records(clientHello("a", options), 50)],
  );

/** ClientHellos and requests over TCP, cut and out of order. */
const hello = targetOf({
  name: "hello",
  weight: 4,
  samples: [...HELLO_STREAMS, encoder.encode("GET / HTTP/1.1\r\nHost: http.example\r\n\r\n")],
  check(input) {
    const names = new CarriedNames({ maxStreams: 4, maxBytes: 8000 });
    const cuts = [0, input.length >> 2, input.length >> 1, input.length];
    const parts = cuts.slice(1).map((end, i) => [cuts[i], end] as const);
    const [first, second, third] = parts;
    for (const order of [parts, [third, first, second], [first, third, first, [0, input.length]]]) {
      for (const [from, to] of order as typeof parts) {
        const part = input.slice(from, to);
        const carried = names.takeSegment("a", from, PSH | ACK, true, part, 0, part.length);
        if (carried !== null) assertPrintable(JSON.stringify(carried));
        assert.ok(names.pendingBytes <= 8000, `${names.pendingBytes} bytes are held`);
      }
    }
  },
});

type ReadAnnouncement = (bytes: Uint8Array, start: number, end: number) => readonly Announcement[];
const one = (
  read: (bytes: Uint8Array, start: number, end: number) => Announcement | null,
): ReadAnnouncement =>
(...place) => [read(...place) ?? []].flat();
/** By the first byte of an input, what reads the others. */
const ANNOUNCEMENTS: readonly (readonly [ReadAnnouncement, Uint8Array])[] = [
  [one(readDhcp), dhcp(2, "10.0.0.7", "0.0.0.0", option(53, bytes(5)), NAME_OPTION)],
  [one(readDhcpv6), dhcpv6(1, FQDN)],
  [one(readNetbios), netbios("WORKSTATION", 0)],
  [one(readArp), ARP],
  [one(readLldp), LLDP],
  [readMdns, MDNS],
  [one((it, start, end) => readNeighbourDiscovery(it, start + 16, end, start)), ADVERTISEMENT],
];

/** What hosts tell of themselves. */
const devices = targetOf({
  name: "devices",
  weight: 4,
  samples: ANNOUNCEMENTS.map(([, message], i) => bytes(i, message)),
  async check(input) {
    if (input.length < 17) return;
    const [read] = ANNOUNCEMENTS[input[0] % ANNOUNCEMENTS.length];
    const [announced, other] = [0x00, 0xc0].map((filler) => {
      const around = new Uint8Array(input.length + 600).fill(filler);
      around.set(input.subarray(1), 300);
      return read(around, 300, 300 + input.length - 1);
    });
    assert.deepEqual(other, announced, "it is read beyond the message");
    const book = new DeviceBook({ local: { has: () => true } });
    for (const announcement of announced) book.learn(announcement, 1);
    for (const record of await book.takeRecords(true)) {
      const [line, ...others] = jsonLinesOf(json, () => json.device(record));
      assert.deepEqual(others, []);
      assert.equal(line.indexOf("\n"), line.length - 1);
      assertPrintable(line);
    }
  },
});

const CONFIGS = ["config.ts", "docs/examples/home-router.ts", "docs/examples/kubernetes-node.ts"]
  .map((path) => Deno.readFileSync(new URL(`../../${path}`, import.meta.url)));
/** What stands in configurations, and what does not belong there. */
const WORDS = [
  ...[
    "null",
    "SRC",
    "DST",
    "OUR_NETS",
    "LowerPort()",
    "LowerPort",
    "Assign(SRC, DST)",
    "Service()",
  ],
  ...["Initiator()", "PortMatch([53, 443])", "undefined", "NaN", "-1", "65536", "1e400", "0x1p3"],
  ...[
    '"10.0.0.0/8"',
    '"::/129"',
    '"2001:db8::/32"',
    '"\\u001b[2J"',
    '""',
    "{}",
    "[]",
    "=> 1",
    "`${1}`",
  ],
  ...["import x from './x.ts';", "export default 1;", "enum A { B }", "namespace N {}", "as const"],
  ...[
    "// ",
    "/*",
    "*/",
    "<T,>() => 1",
    "satisfies",
    "await null",
    "({ src }) => undefined",
    "\u202e",
  ],
  ...["ttl: 0,", "redis: 7,", "flows: [],", "networks: null,", "tunnels: 'all',", "#!", "@x", "\0"],
];

const CONFIG_FILE = `${Deno.makeTempDirSync({ prefix: "flosensor-fuzz-" })}/config.ts`;

const config = targetOf({
  name: "config",
  // Each is a module that stays loaded.
  weight: 1,
  samples: CONFIGS,
  make(random) {
    const parts = decoder.decode(random.of(CONFIGS)).split(/(?<=[,;\n([{])/);
    for (let left = 1 + random.below(4); left > 0; left--) {
      const at = random.below(parts.length);
      const word = random.below(3) === 0 ? parts[random.below(parts.length)] : random.of(WORDS);
      parts.splice(at, random.below(3), word);
    }
    return encoder.encode(parts.join(""));
  },
  async check(input) {
    await Deno.writeFile(CONFIG_FILE, input);
    try {
      const { config } = await loadConfig(CONFIG_FILE);
      new Mapping(config, config.ourNets, { warn: () => {} });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      assert.ok(!error.message.includes("\n"), error.message);
      assert.ok(error.message.startsWith(CONFIG_FILE), error.message);
    }
  },
});

const hostileValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(null, "::/0", "10.0.0.0/8", "ours", 53, []) },
  { weight: 1, arbitrary: hostileText },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.jsonValue() },
);

const anySettings = fc.dictionary(
  fc.constantFrom(
    ...["redis", "store", "retain", "storeSize", "redisPasswordFile", "expected", "onAlert", "ttl"],
    ...["clickhouse", "clickhousePasswordFile", "clickhouseSpool", "clickhouseSpoolSize"],
    ...[
      "flushInterval",
      "suppressOwnNetwork",
      "ourNets",
      "ignoreFlows",
      "dnsPorts",
      "multicastDns",
    ],
    ...["ignoreDns", "tunnels", "networks", "flows", "nets", "__proto__", "constructor"],
  ),
  fc.oneof(
    hostileValue,
    fc.array(hostileValue, { maxLength: 4 }),
    fc.array(fc.array(hostileValue, { maxLength: 4 }), { maxLength: 3 }),
  ),
  { maxKeys: 5 },
);

/** Settings of any shape: as a program may make them that is not type-checked. */
const settings = targetOf({
  name: "settings",
  weight: 30,
  samples: [textOf({ networks: [["ours", "10.0.0.0/8"]], flows: [], ttl: 5, ignoreDns: ["x"] })],
  make: (random) => textOf(sampleOf(anySettings, random)),
  check(input) {
    let value: unknown;
    try {
      value = JSON.parse(decoder.decode(input));
    } catch {
      return;
    }
    if (typeof value === "object" && value !== null && "flows" in value) {
      const { flows } = value;
      // Else no rule would ever have an action.
      if (Array.isArray(flows)) {
        for (const rule of flows) {
          if (Array.isArray(rule) && rule.length === 3) rule[2] = LowerPort();
        }
      }
    }
    try {
      const config = validate(defineConfig(value as Record<string, never>));
      new Mapping(config, config.ourNets, { warn: () => {} });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
  },
});

/** A filter of the page says the same when it is written and read again. */
const filter = targetOf({
  name: "filter",
  weight: 40,
  samples: [
    "client:10.0.0.0/24 port:443,853 name:example -by:syn unexplained",
    'name:"a b\\"c" server:2001:db8::/32 -proto:udp "x" host:10.0.0.1 port:6000-6063',
  ].map((text) => encoder.encode(text)),
  make: (random) => encoder.encode(sampleOf(hostileText, random)),
  check(input) {
    const text = decoder.decode(input);
    let parsed;
    try {
      parsed = parseFilter(text);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      return;
    }
    assert.deepEqual(parseFilter(filterText(parsed)), parsed, text);
  },
});

const JSON_LINES = [
  ...[
    '{"type":"flow","time":"2023-11-14T22:13:20.000Z","key":"10.0.0.7;192.0.2.1;443;flow","count":1,',
  ],
  ...[
    '"by":"syn","client":"10.0.0.7","server":"192.0.2.1","port":443,"protocol":"tcp","name":"w."}\n',
  ],
  ...['{"type":"dns","key":"10.0.0.7;192.0.2.1;dns","name":"w.","client":"10.0.0.7"}\n'],
  ...['{"type":"rst","key":"10.0.0.7;192.0.2.1;80:40000;rst","count":3}\n'],
  ...['{"type":"icmp","key":"10.0.0.7;2001:db8::1;40000:53;4;icmp","count":2}\n'],
  ...['{"type":"nx","key":"10.0.0.7;missing.example.;nx","count":1}\n'],
].join("");
const JSON_FILE = CONFIG_FILE.replace("config.ts", "lines.json");

const anyLine = fc.record({
  key: fc.oneof(
    fc.array(fc.oneof(hostileText, fc.ipV4(), fc.ipV6(), fc.nat().map(String)), { maxLength: 5 })
      .chain((parts) =>
        fc.constantFrom("flow", "rst", "icmp", "nx", "dns", "cname", "peer", "?")
          .map((kind) => [...parts, kind].join(";"))
      ),
    fc.anything(),
  ),
  count: fc.oneof(fc.nat(), fc.double(), fc.anything()),
  by: fc.oneof(hostileText, fc.anything()),
  name: fc.oneof(hostileText, fc.anything()),
}, { requiredKeys: ["key"] });

/** Lines of JSON of which reports are made, and the page: they may come from anywhere. */
const lines = targetOf({
  name: "lines",
  weight: 4,
  samples: [encoder.encode(JSON_LINES)],
  make: (random) =>
    encoder.encode(
      Array.from(
        { length: 1 + random.below(10) },
        () => decoder.decode(textOf(sampleOf(anyLine, random))),
      ).join("\n"),
    ),
  async check(input) {
    await Deno.writeFile(JSON_FILE, input);
    try {
      using source = await readJsonLines(JSON_FILE, ["10.0.0.0/8"]);
      const query = { since: null, client: null, server: null, newSince: 0 };
      const data = reportData(new Report(source.database, query), 20);
      const view = {
        source: source.name,
        since: null,
        seenBefore: null,
        hasFigures: false,
        width: 100,
      };
      for (const line of renderReport(data, view)) assertPrintable(line);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      assertPrintable(error.message);
    }
  },
});

/** All of them. */
export const MESSAGE_TARGETS: readonly FuzzTarget[] = [
  ...[dns, dnstap, lookup, quic, hello, devices, config, settings, filter, lines],
];
