import assert from "node:assert/strict";
import { IpfixSink, type IpfixSinkOptions } from "../../../src/export/ipfix/ipfix_sink.ts";
import { parseIpfixAddress } from "../../../src/model/ipfix_address.ts";
import type { ConversationRecord } from "../../../src/model/conversation_record.ts";
import { UserError } from "../../../src/user_error.ts";
import { isProgram } from "../../installed.ts";
import { MemoryLog } from "../../memory_log.ts";
import { record, REFUSED_RECORD, UDP_RECORD } from "../../records.ts";
import { nfcapdReading } from "./nfcapd_reading.ts";
import { TcpCollector, type TestCollector, UdpCollector } from "./collectors.ts";
import { HAS_TSHARK, type TsharkFlow, tsharkReading, WITHOUT_TSHARK } from "./tshark_flows.ts";

const HAS_FIXBUF = isProgram("ipfixDump", "--version");
const WITHOUT_FIXBUF = HAS_FIXBUF ? "" : " (skipped: libfixbuf-tools is not installed)";

const HAS_NFDUMP = isProgram("nfcapd", "-V") && isProgram("nfdump", "-V");
const WITHOUT_NFDUMP = HAS_NFDUMP ? "" : " (skipped: nfdump is not installed)";

/** A conversation that goes on, one that ended, one over IPv6 in a VLAN, one that was refused. */
const RECORDS: readonly ConversationRecord[] = [
  record({ id: 8, isOver: false, state: "established", interface: "an-interface" }),
  record({ vlan: 7 }),
  UDP_RECORD,
  REFUSED_RECORD,
];

const COMMON: readonly (readonly [string, string])[] = [
  ["StartTime", "Nov 27, 2026 05:14:27.123000000 UTC"],
  ["SrcAddr", "192.168.1.23"],
  ["DstAddr", "192.0.2.10"],
  ["SrcPort", "50123"],
  ["Protocol", "TCP (6)"],
  ["Biflow Direction", "Initiator (1)"],
];
const WHOLE: readonly (readonly [string, string])[] = [
  ...COMMON,
  ["EndTime", "Nov 27, 2026 05:14:29.623000000 UTC"],
  ["DstPort", "443"],
  ["Octets", "1840"],
  ["Packets", "12"],
  ["TCP Flags", "0x001b, ACK, PSH, SYN, FIN"],
  ["Octets (reverse)", "9310"],
  ["Packets (reverse)", "10"],
  ["TCP Flags (reverse)", "0x001b, ACK, PSH, SYN, FIN"],
];

/** The same as tshark shows it, but for the flow's number. */
const FLOWS: readonly TsharkFlow[] = [
  new Map([
    ...WHOLE,
    ["Flow End Reason", "Active timeout (2)"],
    ["Vlan Id", "0"],
    ["IfName", "an-interface"],
  ]),
  new Map([
    ...WHOLE,
    ["Flow End Reason", "End of Flow detected (3)"],
    ["Vlan Id", "7"],
    ["IfName", "eth0"],
  ]),
  new Map([
    ["StartTime", "Nov 27, 2026 05:14:27.123000000 UTC"],
    ["EndTime", "Nov 27, 2026 05:14:27.140000000 UTC"],
    ["SrcAddr", "2001:db8:1::7"],
    ["DstAddr", "2001:db8::53"],
    ["SrcPort", "40000"],
    ["DstPort", "53"],
    ["Protocol", "UDP (17)"],
    ["Biflow Direction", "Initiator (1)"],
    ["Flow End Reason", "Idle timeout (1)"],
    ["Vlan Id", "20"],
    ["Octets", "79"],
    ["Packets", "1"],
    ["TCP Flags", "0x0000"],
    ["Octets (reverse)", "143"],
    ["Packets (reverse)", "1"],
    ["TCP Flags (reverse)", "0x0000"],
  ]),
  new Map([
    ...COMMON,
    ["EndTime", "Nov 27, 2026 05:14:27.124000000 UTC"],
    ["DstPort", "8080"],
    ["Flow End Reason", "End of Flow detected (3)"],
    ["Vlan Id", "0"],
    ["Octets", "60"],
    ["Packets", "1"],
    ["TCP Flags", "0x0002, SYN"],
    ["Octets (reverse)", "40"],
    ["Packets (reverse)", "1"],
    ["TCP Flags (reverse)", "0x0014, ACK, RST"],
    ["IfName", "eth0"],
  ]),
];

const SAMPLING: TsharkFlow = new Map([
  ["Selector Id", "1"],
  ["Selector Algorithm", "Systematic count-based Sampling (1)"],
  ["Sampling Packet Interval", "1"],
  ["Sampling Packet Space", "0"],
]);

for (const transport of ["udp", "tcp"] as const) {
  Deno.test({
    name: `IpfixSink over ${transport} is read by tshark, field for field${WITHOUT_TSHARK}`,
    ignore: !HAS_TSHARK,
    fn: async () => {
      await using collector = transport === "udp" ? new UdpCollector() : new TcpCollector();
      const sink = await open(collector, transport);
      sink.takeRecords(RECORDS);
      await sink.close();
      await collector.received(2);
      const { sequence, flows, complaints } = await tsharkReading(collector.messages, transport);
      assert.deepEqual(complaints, []);
      // The record about sampling counts as well.
      assert.deepEqual(sequence, [0, 1]);
      const [sampling, ...others] = flows;
      assert.deepEqual(sampling, SAMPLING);
      const numbers = others.map((flow) => flow.get("Flow Id"));
      assert.equal(new Set(numbers).size, RECORDS.length);
      assert.deepEqual(others.map(withoutNumber), FLOWS);
    },
  });
}

Deno.test({
  name: `IpfixSink over TCP is read by libfixbuf${WITHOUT_FIXBUF}`,
  ignore: !HAS_FIXBUF,
  fn: async () => {
    await using collector = new TcpCollector();
    const sink = await open(collector, "tcp");
    sink.takeRecords(RECORDS);
    await sink.close();
    await collector.received(2);
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeFile(file, collector.bytes);
      const { success, stdout } = await new Deno.Command("ipfixDump", {
        args: ["--in", file],
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert.ok(success, text);
      const values = (label: string) =>
        [...text.matchAll(new RegExp(` ${label} : (.*)$`, "gm"))].map(([, it]) => it);
      assert.deepEqual(values("biflowDirection"), ["1", "1", "1", "1"]);
      assert.deepEqual(values("octetDeltaCount"), ["1840", "1840", "79", "60"]);
      assert.deepEqual(values("reverseOctetDeltaCount"), ["9310", "9310", "143", "40"]);
      assert.deepEqual(values("reversePacketDeltaCount"), ["10", "10", "1", "1"]);
      assert.deepEqual(values("samplingPacketSpace"), ["0"]);
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test({
  name: `IpfixSink over UDP is read by nfcapd, field for field${WITHOUT_NFDUMP}`,
  ignore: !HAS_NFDUMP,
  fn: async () => {
    const { flows, log } = await nfcapdReading(async (port) => {
      const sink = await openAt(port, "udp", { mode: "replay" });
      sink.takeRecords(RECORDS);
      await sink.close();
    }, RECORDS.length);
    const tcp = {
      "first": "1795756467123 [2026-11-27 05:14:27.123]",
      "last": "1795756469623 [2026-11-27 05:14:29.623]",
      "proto": "6 TCP",
      "tcp flags": "0x1b ...AP.SF",
      "src port": "50123",
      "dst port": "443",
      "in packets": "12",
      "in bytes": "1840",
      "src addr": "192.168.1.23",
      "dst addr": "192.0.2.10",
      "biFlow Dir": "0x01 initiator",
      "out packets": "10",
      "out bytes": "9310",
    };
    const expected = [
      { ...tcp, "end reason": "0x02 active timeout" },
      { ...tcp, "end reason": "0x03 end of Flow detected", "src vlan": "7" },
      {
        ...tcp,
        "last": "1795756467140 [2026-11-27 05:14:27.140]",
        "proto": "17 UDP",
        "tcp flags": "0x00 ........",
        "src port": "40000",
        "dst port": "53",
        "in packets": "1",
        "in bytes": "79",
        "src addr": "2001:db8:1::7",
        "dst addr": "2001:db8::53",
        "end reason": "0x01 idle timeout",
        "out packets": "1",
        "out bytes": "143",
        "src vlan": "20",
      },
      {
        ...tcp,
        "last": "1795756467124 [2026-11-27 05:14:27.124]",
        "tcp flags": "0x02 ......S.",
        "dst port": "8080",
        "in packets": "1",
        "in bytes": "60",
        "end reason": "0x03 end of Flow detected",
        "out packets": "1",
        "out bytes": "40",
      },
    ];
    assert.equal(flows.length, expected.length, log);
    expected.forEach((fields, i) => {
      for (const [label, value] of Object.entries(fields)) {
        assert.equal(flows[i].get(label), value, `${label} of record ${i}`);
      }
    });
    assert.match(log, /Flows: 4, Packets: \d+, Bytes: \d+, Sequence Errors: 0, Bad Packets: 0/);
  },
});

Deno.test({
  name: `IpfixSink counts the records in its messages, however many there are${WITHOUT_TSHARK}`,
  ignore: !HAS_TSHARK,
  fn: async () => {
    await using collector = new TcpCollector();
    const sink = await open(collector, "tcp");
    // Records over IPv4 and IPv6 in turn, so that messages have many sets, and end anywhere.
    const records = Array.from({ length: 1000 }, (_, i) => {
      const name = "x".repeat(i % 300);
      return i % 3 === 0
        ? { ...UDP_RECORD, id: i, clientPort: i, interface: name }
        : record({ id: i, clientPort: i, interface: name });
    });
    sink.takeRecords(records);
    await sink.close();
    await collector.ended();
    const { sequence, flows, complaints } = await tsharkReading(collector.messages, "udp");
    assert.deepEqual(complaints, []);
    assert.ok(collector.messages.length > 5);
    assert.ok(collector.messages.every(({ length }) => length <= 16_384));
    const [, ...others] = flows;
    assert.deepEqual(others.map((flow) => Number(flow.get("SrcPort"))), records.map((_, i) => i));
    assert.deepEqual(sequence.slice(0, 2), [0, 1]);
    assert.ok(sequence.every((number, i) => i === 0 || number > sequence[i - 1]));
  },
});

Deno.test("IpfixSink keeps datagrams to what any path takes", async () => {
  await using collector = new UdpCollector();
  const sink = await open(collector, "udp");
  sink.takeRecords(Array.from({ length: 100 }, (_, id) => record({ id })));
  await sink.close();
  await collector.received(9);
  assert.ok(collector.messages.every(({ length }) => length <= 1232));
});

Deno.test("IpfixSink sends templates again over UDP, once a minute", async () => {
  await using collector = new UdpCollector();
  let now = 1_000_000;
  const sink = await open(collector, "udp", { now: () => now });
  await sink.flush();
  now += 59_000;
  await sink.flush();
  now += 1_000;
  await sink.flush();
  await sink.close();
  await collector.received(2);
  assert.equal(collector.messages.length, 2);
});

Deno.test("IpfixSink says once that a collector is away, and sends all when it is back", async () => {
  const port = freePort();
  const log = new MemoryLog();
  let now = 1_000_000;
  const sink = await openAt(port, "tcp", { mode: "capture", now: () => now }, log);
  const warning = `warn: tcp://127.0.0.1:${port}: can't be sent to: connection refused; ` +
    "up to 100000 records of flows wait for it";
  assert.deepEqual(log.lines, [warning]);
  sink.takeRecords(RECORDS);
  for (let i = 0; i < 4; i++) {
    now += 61_000;
    await sink.flush();
  }
  assert.deepEqual(log.lines, [warning]);
  assert.equal(sink.pending, RECORDS.length);
  assert.match(sink.trouble!, /^tcp:\/\/127\.0\.0\.1:\d+: .*connection refused/);
  await using collector = new TcpCollector(port);
  now += 61_000;
  await sink.flush();
  await collector.received(2);
  assert.equal(sink.pending, 0);
  assert.equal(sink.trouble, null);
  assert.deepEqual(log.lines, [warning, `info: tcp://127.0.0.1:${port}: reached again`]);
  await sink.close();
});

Deno.test("IpfixSink begins a session again where the collector ended it", async () => {
  await using collector = new TcpCollector();
  const log = new MemoryLog();
  let now = 1_000_000;
  const sink = await openAt(collector.port, "tcp", { mode: "capture", now: () => now }, log);
  await collector.received(1);
  collector.endConnections();
  while (log.lines.length === 0) {
    await sink.flush();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  sink.takeRecords(RECORDS);
  now += 61_000;
  await sink.close();
  await collector.received(3);
  // Templates once for each connection, and the sequence from the beginning.
  assert.deepEqual(collector.connections, [0, 1]);
  const sequence = (message: Uint8Array) => new DataView(message.buffer).getUint32(8);
  assert.deepEqual(collector.messages.map(sequence), [0, 0, 1]);
  assert.match(log.lines[0], /the collector closed the connection/);
});

Deno.test("IpfixSink drops what goes beyond its bound in a capture, and says how much", async () => {
  const port = freePort();
  const log = new MemoryLog();
  const sink = await openAt(port, "tcp", { mode: "capture", mostPending: 10 }, log);
  sink.takeRecords(Array.from({ length: 25 }, (_, id) => record({ id })));
  assert.deepEqual([sink.pending, sink.lost], [10, 15]);
  await assert.rejects(
    sink.close(),
    new UserError(`tcp://127.0.0.1:${port}: 25 records of flows were lost (connection refused)`),
  );
});

Deno.test("IpfixSink says that a collector takes nothing, and keeps what it has not taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const log = new MemoryLog();
  const count = 200_000;
  const options = { mode: "capture", mostPending: count, patience: 300 } as const;
  const sink = await openAt(port, "tcp", options, log);
  using _connection = await listener.accept();
  sink.takeRecords(Array.from({ length: count }, (_, id) => record({ id, isOver: true })));
  await sink.flush();
  assert.equal(sink.trouble, `tcp://127.0.0.1:${port}: it has taken nothing for 0.3 s`);
  assert.ok(sink.pending > 0 && sink.pending + sink.written === count);
  assert.equal(log.lines.length, 1, log.lines.join());
  sink.abandon("the test is over");
});

Deno.test("IpfixSink does not wait for ever for a collector that reads nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const log = new MemoryLog();
  // More than the kernel takes for a reader that is asleep.
  const count = 200_000;
  const sink = await openAt(port, "tcp", { mode: "capture", mostPending: count }, log);
  using _connection = await listener.accept();
  sink.takeRecords(Array.from({ length: count }, (_, id) => record({ id, isOver: true })));
  await assert.rejects(sink.close(), (error) => {
    assert.ok(error instanceof UserError);
    const [, lost] = /: (\d+) records of flows were lost \(the collector is too slow\)$/.exec(
      error.message,
    )!;
    assert.ok(Number(lost) > 0 && Number(lost) < count);
    return true;
  });
  assert.deepEqual(log.lines, []);
});

Deno.test({
  name: "IpfixSink says which permission it needs",
  permissions: { net: false },
  fn: async () => {
    for (const transport of ["udp", "tcp"] as const) {
      await assert.rejects(
        openAt(4739, transport, { mode: "capture" }),
        new UserError(`${transport}://127.0.0.1:4739: no permission, run with --allow-net`),
      );
    }
  },
});

Deno.test("IpfixSink ends a replay whose collector can't be reached", async () => {
  const port = freePort();
  await assert.rejects(openAt(port, "tcp", { mode: "replay" }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(
      error.message,
      `tcp://127.0.0.1:${port}: can't be sent to: connection refused`,
    );
    return true;
  });
});

function open(
  { port }: TestCollector,
  transport: "udp" | "tcp",
  options: Partial<IpfixSinkOptions> = {},
): Promise<IpfixSink> {
  return openAt(port, transport, { mode: "replay", ...options });
}

function openAt(
  port: number,
  transport: "udp" | "tcp",
  options: IpfixSinkOptions,
  log = new MemoryLog(),
): Promise<IpfixSink> {
  const address = parseIpfixAddress(`${transport}://127.0.0.1:${port}`)!;
  return IpfixSink.open(address, options, log);
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

function withoutNumber(flow: TsharkFlow): TsharkFlow {
  return new Map([...flow].filter(([label]) => label !== "Flow Id"));
}
