/**
 * What the parts of the way of a packet cost, each by itself: `deno bench --allow-read bench/`.
 * A figure is for one packet, one flow or one key, unless its name says otherwise.
 */
import { PacketBatch } from "../src/capture/packet_batch.ts";
import { emptyFacts } from "../src/config/facts.ts";
import { Mapping } from "../src/config/mapping.ts";
import {
  Assign,
  defineConfig,
  DST,
  Initiator,
  LowerPort,
  OUR_NETS,
  Service,
  SRC,
} from "../src/config/mod.ts";
import { validate } from "../src/config/validate.ts";
import { hash4 } from "../src/flow/conversation_hash.ts";
import { ConversationTable } from "../src/flow/conversation_table.ts";
import { FlowMeter } from "../src/flow/flow_meter.ts";
import { FIRST_WINDOW, HeldKeys } from "../src/flow/held_keys.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  OBSERVATION_WORDS,
  ObservationBatch,
  WORD_A,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
} from "../src/flow/observation_batch.ts";
import { decode } from "../src/packet/decode.ts";
import { LINKTYPE_ETHERNET } from "../src/packet/link_type.ts";
import { PacketHeader } from "../src/packet/packet_header.ts";
import { payloadRole } from "../src/payload/payload_role.ts";
import { Sieve } from "../src/sieve/sieve.ts";
import { SieveLayout, sieveMemory, SieveOutput } from "../src/sieve/sieve_memory.ts";
import { FlowTable } from "../src/sink/flow_table.ts";
import { JsonSink } from "../src/sink/json_sink.ts";
import { keyText } from "../src/sink/keys.ts";
import { wholeFlowTable } from "../src/sink/render_flow_table.ts";
import { ACK, bytes, ethernet, ip, ipUdp, pcap, tcp, udp } from "../tests/packets.ts";
import { sieveSettings } from "../tests/sieve/settings.ts";

/** Things that a bench goes through, so that it does not measure one that the processor knows. */
const MANY = 4096;
const SECOND = 1_700_000_000;
const TCP = 6;
/** Bytes before the first record: https://www.tcpdump.org/manpages/pcap-savefile.5.html */
const PCAP_HEADER = 24;

const ipv4 = mixOf((i) => ethernet(ip(`10.0.${i >> 8}.${i & 255}`, "192.0.2.1", tcp(50_000, 443))));
const ipv6 = mixOf((i) =>
  ethernet(ip(`2001:db8::${i.toString(16)}`, "2001:db8:1::1", tcp(1, 443)))
);
const repeated = mixOf((i) =>
  ethernet(ip(`10.0.0.${i & 255}`, "192.0.2.1", tcp(50_000, 443, ACK)))
);
const other = mixOf((i) => ethernet(ipUdp("10.0.0.1", `192.0.2.${i & 255}`, udp(i, 53)), [7]));

/** A batch of packets that are all different. */
function mixOf(make: (i: number) => Uint8Array): PacketBatch {
  const packets = Array.from({ length: MANY }, (_, i) => make(i));
  const batch = new PacketBatch(MANY, bytes(...packets));
  let offset = 0;
  packets.forEach((packet, i) => {
    batch.offset[i] = offset;
    batch.captured[i] = batch.length[i] = packet.length;
    batch.linkType[i] = LINKTYPE_ETHERNET;
    batch.seconds[i] = SECOND;
    offset += packet.length;
  });
  batch.count = MANY;
  return batch;
}

const header = new PacketHeader();
for (
  const [name, batch] of Object.entries({ "IPv4": ipv4, "IPv6": ipv6, "UDP in a VLAN": other })
) {
  const { view, offset, captured } = batch;
  let i = 0;
  Deno.bench(`decode: ${name}`, () => {
    i = (i + 1) % MANY;
    decode(view, offset[i], offset[i] + captured[i], LINKTYPE_ETHERNET, header);
  });
}

Deno.bench("meter: 4096 packets of known conversations", { group: "meter" }, (context) => {
  const meter = newMeter();
  meter.take(ipv4);
  meter.flush();
  // In another second, or they would be repetitions.
  ipv4.seconds.fill(SECOND + 1);
  context.start();
  meter.take(ipv4);
  context.end();
  ipv4.seconds.fill(SECOND);
});
Deno.bench("meter: 4096 packets, each a repetition", { group: "meter" }, (context) => {
  const meter = newMeter();
  meter.take(repeated);
  context.start();
  meter.take(repeated);
  context.end();
});
Deno.bench("meter: 4096 packets, each a new conversation", { group: "meter" }, (context) => {
  const meter = newMeter();
  context.start();
  meter.take(ipv4);
  meter.flush();
  context.end();
});

Deno.bench("sieve: 4096 packets of known conversations", { group: "meter" }, (context) => {
  const [sift, seconds] = sieveOf(ipv4);
  sift();
  seconds.fill(SECOND + 1);
  context.start();
  sift();
  context.end();
});

/** Records of a capture that are sifted at once, of conversations that are all known. */
const RECORDS = 1000;
const CONVERSATIONS = 50_000;
for (
  const [family, clientOf, server] of [
    ["IPv4", (i: number) => `10.1.${i >> 8}.${i & 255}`, "192.0.2.1"],
    ["IPv6", (i: number) => `2001:db8::${i.toString(16)}`, "2001:db8:1::1"],
  ] as const
) {
  const sift = recordSieve((i) => ethernet(ip(clientOf(i), server, tcp(50_000, 443, ACK))));
  let part = 0;
  Deno.bench(`sieve: 1000 records, of 50,000 conversations in turn, ${family}`, () => {
    part = (part + 1) % (CONVERSATIONS / RECORDS);
    sift(part);
  });
}

/** What sifts records of one part of the conversations after the other. */
function recordSieve(make: (i: number) => Uint8Array): (part: number) => void {
  const settings = sieveSettings({ maxConversations: CONVERSATIONS });
  const memory = sieveMemory(settings);
  const sieve = new Sieve(memory, settings);
  const input = sieve.newInput();
  const output = new SieveOutput(memory.buffer, new SieveLayout(settings));
  const { start } = new SieveLayout(settings).ring;
  const format = { header: 16, littleEndian: true, linkType: LINKTYPE_ETHERNET, most: 262_144 };
  const parts = Array.from({ length: CONVERSATIONS / RECORDS }, (_, part) => {
    const packets = Array.from({ length: RECORDS }, (_, i) => make(part * RECORDS + i));
    return pcap(packets.map((packet) => ({ packet, seconds: SECOND }))).subarray(PCAP_HEADER);
  });
  const sift = (part: number) => {
    input.bytes.set(parts[part]);
    sieve.siftRecords(format, 0, parts[part].length, start, output);
  };
  for (const part of parts.keys()) sift(part);
  return sift;
}

/** What sifts the packets of a batch again and again, and their seconds. */
function sieveOf(batch: PacketBatch): [sift: () => void, seconds: Uint32Array] {
  const settings = sieveSettings();
  const memory = sieveMemory(settings);
  const sieve = new Sieve(memory, settings);
  const input = sieve.newInput();
  // All that there is room for: a batch of the bench is longer than that of a file.
  const count = batch.offset.findIndex((offset) => offset + 100 > input.bytes.length);
  const packets = count < 0 ? batch.count : count;
  input.bytes.set(batch.bytes.subarray(0, input.bytes.length));
  for (const column of ["offset", "captured", "linkType", "seconds"] as const) {
    input[column].set(batch[column].subarray(0, packets));
  }
  input.count = packets;
  const output = new SieveOutput(memory.buffer, new SieveLayout(settings));
  const { start } = new SieveLayout(settings).ring;
  return [() => void sieve.sift(0, start, output), input.seconds];
}

const table = new ConversationTable(1, 100_000);
for (let i = 0; i < 50_000; i++) addConversation(i);
let next = 0;
Deno.bench("table: a look-up among 50,000 conversations", () => {
  next = (next + 7919) % 50_000;
  const hash = hash4(next, 1, 443, TCP);
  table.find4(hash, next, 1, 443, TCP);
});

function addConversation(i: number): void {
  table.add4(hash4(i, 1, 443, TCP), i, 1, 443, TCP);
}

const held = new HeldKeys(1_000_000);
let key = 0;
Deno.bench("held keys: one that is held, of 100,000", () => {
  key = (key + 7919) % 100_000;
  held.admit(Math.imul(key, 0x9e3779b1), Math.imul(key, 0x85ebca6b), FIRST_WINDOW);
});

const NETWORKS = [
  ["our_nets", OUR_NETS],
  ["bert", "10.33.0.1/32"],
  ["external", "0.0.0.0/0", "::/0"],
] as const;
const facts = Object.assign(emptyFacts(), {
  protocol: TCP,
  sourcePort: 50_000,
  destinationPort: 443,
});
facts.source[3] = 0x0a000001;
facts.destination[3] = 0xc0000201;
for (
  const [name, action] of Object.entries({
    "LowerPort()": LowerPort(),
    "Initiator()": Initiator(),
    "Service()": Service(),
    "Assign(SRC, DST, { ports })": Assign(SRC, DST, { ports: [53, 80, 443] }),
    "LowerPort(DST)": LowerPort(DST),
    "a function": ({ src, dst, dport }: { src: string; dst: string; dport: number }) => ({
      client: src,
      server: dst,
      port: dport,
    }),
  })
) {
  const mapping = new Mapping(
    validate(defineConfig({ networks: NETWORKS, flows: [[null, null, action]] })),
    [],
    { warn: () => {} },
  );
  Deno.bench(`mapping: ${name}`, () => {
    facts.sourceNetwork = mapping.networkOf(facts.source, 0, false);
    facts.destinationNetwork = mapping.networkOf(facts.destination, 0, false);
    mapping.decide(facts);
  });
}

const hello = new DataView(bytes([0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]).buffer);
const nothing = new DataView(bytes([0x17, 3, 3, 5, 0, 1, 2, 3, 4, 5, 6]).buffer);
Deno.bench("payload: a TLS hello", () => {
  payloadRole(TCP, hello, 0, hello.byteLength, 443, true);
});
Deno.bench("payload: TLS data, which says nothing", () => {
  payloadRole(TCP, nothing, 0, nothing.byteLength, 443, true);
});

const observations = new ObservationBatch(MANY);
for (let i = 0; i < MANY; i++) {
  const at = i * OBSERVATION_WORDS;
  observations.words[at + WORD_KIND] = i % 2 === 0 ? KIND_FLOW : KIND_FLOW | IPV6_BIT;
  observations.words.fill(0x20010db8 + i, at + WORD_A, at + WORD_A + 4);
  observations.words.fill(0xc0000200 + i, at + WORD_B, at + WORD_B + 4);
  observations.words[at + WORD_PORTS] = 443;
}
observations.count = MANY;
let observation = 0;
Deno.bench("key text: a flow, IPv4 and IPv6 in turn", () => {
  observation = (observation + 1) % MANY;
  keyText(observations.words, observation * OBSERVATION_WORDS);
});
const flows = new FlowTable();
flows.add(observations);
Deno.bench(`table: the lines of ${MANY} flows`, () => {
  let bytes = 0;
  for (const piece of wholeFlowTable(flows)) bytes += piece.length;
  return void bytes;
});
Deno.bench("JSON sink: 4096 observations", async () => {
  const sink = new JsonSink({
    mode: "replay",
    output: { write: (part) => Promise.resolve(part.length) },
  });
  sink.write(observations);
  await sink.close();
});

function newMeter(): FlowMeter {
  const config = {
    flows: [[null, null, Initiator()], [null, null, Service()], [null, null, LowerPort()]] as const,
  };
  const mapping = new Mapping(validate(defineConfig(config)), [], { warn: () => {} });
  return new FlowMeter({ mapping, maxConversations: 10_000, emit: () => {} });
}
