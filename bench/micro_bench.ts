/**
 * What the parts of the way of a packet cost, each by itself: `deno bench --allow-read bench/`.
 * A figure is for one packet, one flow or one key, unless its name says otherwise.
 */
import { PacketBatch } from "../src/capture/packet_batch.ts";
import { emptyFacts } from "../src/model/facts.ts";
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
import { Engine } from "../src/engine/engine.ts";
import { FIRST_WINDOW } from "../src/model/windows.ts";
import { MappingProgram } from "../src/engine/mapping_program.ts";
import { SuppressedKeys } from "../src/engine/suppressed_keys.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  OBSERVATION_WORDS,
  ObservationBatch,
  WORD_A,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
} from "../src/model/observation_batch.ts";
import { decode } from "../src/packet/decode.ts";
import { LINKTYPE_ETHERNET } from "../src/packet/link_type.ts";
import { PacketHeader } from "../src/packet/packet_header.ts";
import { FIRST } from "../src/payload/sign.ts";
import { payloadRole } from "../src/payload/payload_role.ts";
import { FlowTable } from "../src/sink/flow_table.ts";
import { JsonSink } from "../src/sink/json_sink.ts";
import { keyText } from "../src/sink/keys.ts";
import { renderFlowTable } from "../src/sink/render_flow_table.ts";
import { ACK, bytes, ethernet, ip, ipUdp, pcap, tcp, udp } from "../tests/packets.ts";
import { TUNNELS } from "../tests/tunnels.ts";

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

Deno.bench("engine: 4096 packets of known conversations", { group: "engine" }, (context) => {
  const engine = newEngine();
  engine.take(ipv4);
  engine.flush();
  ipv4.seconds.fill(SECOND + 1);
  context.start();
  engine.take(ipv4);
  context.end();
  ipv4.seconds.fill(SECOND);
});
Deno.bench("engine: 4096 packets, each a repetition", { group: "engine" }, (context) => {
  const engine = newEngine();
  engine.take(repeated);
  context.start();
  engine.take(repeated);
  context.end();
});
Deno.bench("engine: 4096 packets, each a new conversation", { group: "engine" }, (context) => {
  const engine = newEngine();
  context.start();
  engine.take(ipv4);
  engine.flush();
  context.end();
});

/** Records of a capture that are taken at once, of conversations that are all known. */
const RECORDS = 1000;
const CONVERSATIONS = 50_000;
for (
  const [family, clientOf, server] of [
    ["IPv4", (i: number) => `10.1.${i >> 8}.${i & 255}`, "192.0.2.1"],
    ["IPv6", (i: number) => `2001:db8::${i.toString(16)}`, "2001:db8:1::1"],
  ] as const
) {
  const take = recordTaker((i) => ethernet(ip(clientOf(i), server, tcp(50_000, 443, ACK))));
  let part = 0;
  Deno.bench(`engine: 1000 records, of 50,000 conversations in turn, ${family}`, () => {
    part = (part + 1) % (CONVERSATIONS / RECORDS);
    take(part);
  });
}

for (const name of ["VXLAN", "GRE", "GTP-U"]) {
  const { wrap } = TUNNELS.find((tunnel) => tunnel.name === name)!;
  const take = recordTaker((i) =>
    wrap(ip(`10.1.${i >> 8}.${i & 255}`, "192.0.2.1", tcp(50_000, 443, ACK)))
  );
  let part = 0;
  Deno.bench(`engine: 1000 records, of 50,000 conversations in turn, IPv4 in ${name}`, () => {
    part = (part + 1) % (CONVERSATIONS / RECORDS);
    take(part);
  });
}

/** What takes records of one part of the conversations after the other. */
function recordTaker(make: (i: number) => Uint8Array): (part: number) => void {
  // One more is that of the ends of a tunnel.
  const engine = newEngine(CONVERSATIONS + 1);
  const { bytes } = engine.newBatch();
  const format = {
    header: 16,
    perMillisecond: 1000,
    littleEndian: true,
    linkType: LINKTYPE_ETHERNET,
    most: 262_144,
  };
  const parts = Array.from({ length: CONVERSATIONS / RECORDS }, (_, part) => {
    const packets = Array.from({ length: RECORDS }, (_, i) => make(part * RECORDS + i));
    return pcap(packets.map((packet) => ({ packet, seconds: SECOND }))).subarray(PCAP_HEADER);
  });
  const take = (part: number) => {
    bytes.set(parts[part]);
    engine.takeRecords(format, 0, parts[part].length, RECORDS);
  };
  for (const part of parts.keys()) take(part);
  return take;
}

const suppressed = new SuppressedKeys(1_000_000);
let key = 0;
Deno.bench("suppressed keys: one that is suppressed, of 100,000", () => {
  key = (key + 7919) % 100_000;
  suppressed.admit(Math.imul(key, 0x9e3779b1), Math.imul(key, 0x85ebca6b), FIRST_WINDOW);
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
  const program = new MappingProgram(mapping);
  Deno.bench(`mapping: ${name}`, () => {
    program.decide(facts);
  });
}

const hello = new DataView(bytes([0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]).buffer);
const nothing = new DataView(bytes([0x17, 3, 3, 5, 0, 1, 2, 3, 4, 5, 6]).buffer);
Deno.bench("payload: a TLS hello", () => {
  payloadRole(TCP, hello, 0, hello.byteLength, 50_000, 443, FIRST);
});
Deno.bench("payload: TLS data, which says nothing", () => {
  payloadRole(TCP, nothing, 0, nothing.byteLength, 50_000, 443, FIRST);
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
  renderFlowTable(flows, Infinity);
});
Deno.bench("JSON sink: 4096 observations", async () => {
  const sink = new JsonSink({
    mode: "replay",
    output: { write: (part) => Promise.resolve(part.length) },
  });
  sink.write(observations);
  await sink.close();
});

function newEngine(maxConversations = 10_000): Engine {
  const config = {
    flows: [[null, null, Initiator()], [null, null, Service()], [null, null, LowerPort()]] as const,
  };
  const mapping = new Mapping(validate(defineConfig(config)), [], { warn: () => {} });
  return new Engine({ mapping, maxConversations, emit: () => {} });
}
