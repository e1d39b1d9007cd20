import assert from "node:assert/strict";
import { join } from "node:path";
import { EXPORT_FORMAT_NAMES } from "../../src/export/export_format_names.ts";
import { TcpCollector } from "../export/ipfix/collectors.ts";
import { nfcapdReading } from "../export/ipfix/nfcapd_reading.ts";
import { HAS_TSHARK, tsharkReading, WITHOUT_TSHARK } from "../export/ipfix/tshark_flows.ts";
import { readZeekLogs } from "../export/zeek_log.ts";
import { HAS_JQ, jq, WITHOUT_JQ } from "../export/jq.ts";
import { isProgram } from "../installed.ts";
import { address, response } from "../dns/dns_messages.ts";
import { ethernet, ipUdp, udp } from "../packets.ts";
import { captureTest, startCapture } from "./capture_setting.ts";
import { flosensor } from "./program.ts";
import { capture, OWN_NETWORKS, SAMPLE_PACKETS, withSample } from "./sample_capture.ts";

const HAS_NFDUMP = isProgram("nfcapd", "-V") && isProgram("nfdump", "-V");
const WITHOUT_NFDUMP = HAS_NFDUMP ? "" : " (skipped: nfdump is not installed)";
/** Zeek's own reader of its logs; Debian has it by its former name. */
const ZEEK_CUT = ["zeek-cut", "bro-cut"].find((it) => isProgram(it, "ts")) ?? "";
const HAS_ZEEK_CUT = ZEEK_CUT !== "";
const WITHOUT_ZEEK_CUT = HAS_ZEEK_CUT ? "" : " (skipped: zeek-cut is not installed)";
/** Who used what in the sample: client, server, port, packets both ways. */
const USES = [
  ["10.1.0.1", "198.51.100.80", 443, 5, 3],
  // It refused: a RST is all that was seen.
  ["10.1.0.1", "198.51.100.80", 8080, 0, 1],
  ["10.1.0.1", "203.0.113.53", 53, 1, 1],
  ["2001:db8:1::1", "2001:db8:80::1", 443, 5, 3],
  ["203.0.113.9", "10.1.0.5", 22, 5, 3],
];

/** For each format, what asks jq for that. */
const QUERIES = {
  "zeek-json":
    'select(._path == "conn")|[.["id.orig_h"],.["id.resp_h"],.["id.resp_p"],.orig_pkts,' +
    ".resp_pkts]",
  eve: 'select(.event_type == "flow")|[.src_ip,.dest_ip,.dest_port,.flow.pkts_toserver,' +
    ".flow.pkts_toclient]",
  ecs: 'select(.event.action == "network_flow")|[.client.ip,.server.ip,.server.port,' +
    ".client.packets,.server.packets]",
};

async function printed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await flosensor(args);
  assert.equal(status, 0, stderr);
  return stdout;
}

function withConfig(
  settings: string,
  use: (sample: { file: string; config: string }) => Promise<void>,
): Promise<void> {
  const config =
    `import { defineConfig } from "flosensor/config";\nexport default defineConfig(${settings});\n`;
  return withSample(use, config);
}

/** What zeek-cut makes of logs: a line for each line, with tabs between the fields that are named. */
async function zeekCut(text: string, ...args: string[]): Promise<string[]> {
  const options = { args, stdin: "piped", stdout: "piped" } as const;
  const process = new Deno.Command(ZEEK_CUT, options).spawn();
  const output = process.output();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await output;
  assert.ok(success);
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

/** Lines that say nothing of when they were written. */
function lasting(text: string): string[] {
  return text.trim().split("\n").filter((line) => !/^#(open|close)/.test(line)).sort();
}

for (const [format, query] of Object.entries(QUERIES)) {
  Deno.test({
    name: `replay --format ${format} says who used what${WITHOUT_JQ}`,
    ignore: !HAS_JQ,
    fn: () =>
      withSample(async ({ file, config }) => {
        const text = await printed(
          "replay",
          file,
          ...OWN_NETWORKS,
          "-c",
          config,
          "--format",
          format,
        );
        const uses = await jq(`${query}|tojson`, text);
        assert.deepEqual(uses.sort(), USES.map((use) => JSON.stringify(use)));
      }),
  });
}

Deno.test("replay --format zeek says who used what, and which fields it has", () =>
  withSample(async ({ file, config }) => {
    const text = await printed("replay", file, ...OWN_NETWORKS, "-c", config, "--format", "zeek");
    const [log] = readZeekLogs(text);
    assert.equal(log.path, "conn");
    const uses = log.rows.map((row) => [
      ...[row["id.orig_h"], row["id.resp_h"], row["id.resp_p"], row.orig_pkts, row.resp_pkts],
    ]);
    assert.deepEqual(uses.sort(), USES);
  }));

Deno.test({
  name: `zeek-cut reads what replay --format zeek writes${WITHOUT_ZEEK_CUT}`,
  ignore: !HAS_ZEEK_CUT,
  fn: () =>
    withSample(async ({ directory, config }) => {
      // The sample has no lookups.
      const lookup = udp(
        53,
        50_000,
        response("www.example.com", [
          address("www.example.com", "198.51.100.80"),
        ]),
      );
      const file = join(directory, "lookup.pcap");
      const packets = [ethernet(ipUdp("203.0.113.53", "10.1.0.1", lookup)), ...SAMPLE_PACKETS];
      await Deno.writeFile(file, capture(packets));
      const args = ["replay", file, ...OWN_NETWORKS, "-c", config, "--format", "zeek"];
      const text = await printed(...args);
      const rows = await zeekCut(
        text,
        "id.orig_h",
        "id.resp_h",
        "id.resp_p",
        "orig_pkts",
        "resp_pkts",
      );
      for (const use of USES.slice(0, 2)) assert.ok(rows.includes(use.join("\t")), rows.join("\n"));
      assert.ok((await zeekCut(text, "query", "qtype_name", "answers"))
        .includes("www.example.com\tA\t198.51.100.80"));
      assert.ok((await zeekCut(text, "server_names", "server_names_from"))
        .includes("www.example.com\tlookup"));
      const [time] = await zeekCut(text, "-U", "%Y-%m-%dT%H:%M:%SZ", "ts");
      assert.equal(time, new Date(1_790_000_000_000).toISOString().replace(".000", ""));
    }),
});

for (const format of EXPORT_FORMAT_NAMES) {
  Deno.test(`export --format ${format} writes the lines that a replay writes`, () =>
    withSample(async ({ directory, file, config }) => {
      const store = join(directory, "flows.db");
      const args = ["replay", file, ...OWN_NETWORKS, "-c", config, "--format", format];
      const replayed = await printed(...args, "--store", store);
      const exported = await printed("export", store, "--format", format);
      assert.deepEqual(lasting(exported), lasting(replayed));
      assert.ok(lasting(exported).length >= USES.length);
    }));
}

Deno.test({
  name: `replay --ipfix udp:// is read by nfcapd${WITHOUT_NFDUMP}`,
  ignore: !HAS_NFDUMP,
  fn: () =>
    withSample(async ({ file, config }) => {
      const { flows } = await nfcapdReading(async (port) => {
        const url = `udp://127.0.0.1:${port}`;
        await printed("replay", file, ...OWN_NETWORKS, "-c", config, "--ipfix", url);
        // What it says of the last one is in a buffer until it ends.
      }, USES.length - 1);
      assert.equal(flows.length, USES.length);
    }),
});

Deno.test({
  name: `ipfix of config.ts is a collector, over TCP, and tshark reads it${WITHOUT_TSHARK}`,
  ignore: !HAS_TSHARK,
  fn: async () => {
    await using collector = new TcpCollector();
    const settings = `ipfix: "tcp://127.0.0.1:${collector.port}"`;
    await withConfig(`{ ${settings} }`, async ({ file, config }) => {
      await printed("replay", file, ...OWN_NETWORKS, "-c", config);
      // Templates, then records.
      await collector.received(2);
    });
    const { flows, complaints } = await tsharkReading(collector.messages, "tcp");
    assert.deepEqual(complaints, []);
    // One says how packets were chosen.
    assert.equal(flows.length, USES.length + 1);
  },
});

Deno.test("a collector that is none is said in one line, with where it is named", async () => {
  await withConfig('{ ipfix: "collector:4739" }', async ({ file, config }) => {
    const option = await flosensor(["replay", file, "-c", config, "--ipfix", "http://a"]);
    assert.equal(option.status, 2);
    assert.match(option.stderr, /--ipfix.*Write udp:\/\/host\[:port\] or tcp:\/\/host\[:port\]/);
    const configured = await flosensor(["replay", file, "-c", config]);
    assert.equal(configured.status, 1);
    assert.match(
      configured.stderr,
      /config\.ts:2: "collector:4739" is not understood \(ipfix\): write udp:\/\/host\[:port\]/,
    );
  });
});

captureTest(
  "capture --format writes while it goes on, and the rest at the end",
  async (setting) => {
    const { pair, file } = setting;
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--format", "eve", "--no-redis", "--direction", "inout"],
    ]);
    await pair.replay(file);
    await program.prints('"event_type":"flow"');
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    const flows = stdout.trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ event_type: type }) => type === "flow");
    assert.equal(flows.length, USES.length);
    assert.ok(flows.every(({ in_iface: name }) => name === "veth0"));
  },
);
