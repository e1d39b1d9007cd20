/** The shipped config.ts and each file of docs/examples do what their words say. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check } from "../../src/cli/check.ts";
import { explain } from "../../src/cli/explain.ts";
import { withFiles } from "../config/temporary_files.ts";
import { connection, exchange } from "../conversations.ts";
import "../installed.ts";
import { MemoryLog } from "../memory_log.ts";
import { pcap } from "../packets.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const EXAMPLES = `${ROOT}docs/examples/`;

/** A packet, `source port destination port`, TCP unless it ends in ` udp`, and what becomes of it. */
interface Explained {
  readonly packet: string;
  /** `client -> server port`, or why there is no flow key. */
  readonly flow: string;
  /** The rule that decides, `flows[0]`. */
  readonly by?: string;
  /** The packet's conversation was seen from its start, and this end opened it. */
  readonly opener?: "source" | "destination";
}

interface Example {
  /** Own networks of the command line that the file names. */
  readonly ourNets: readonly string[];
  /** What `check` finds. */
  readonly findings: string;
  readonly packets: readonly Explained[];
}

const DROPPED = "The flow is dropped: no keys are written.";
const NOTHING = "Nothing attributes the flow: no keys are written.";
const SUPPRESSED = "suppressOwnNetwork is on: no keys are written.";
const IGNORED = "ignoreFlows names an end: the flow key is left out.";
const NOTHING_SUSPICIOUS = "Nothing suspicious.";

const CASES: Readonly<Record<string, Example>> = {
  "../../config.ts": {
    ourNets: ["192.168.0.0/16", "2001:db8:1::/48"],
    findings: NOTHING_SUSPICIOUS,
    packets: [
      {
        packet: "192.168.1.44 40022 198.51.100.27 50007",
        opener: "source",
        flow: "192.168.1.44 -> 198.51.100.27 50007",
        by: "flows[0]",
      },
      {
        packet: "198.51.100.27 50007 192.168.1.44 40022",
        opener: "destination",
        flow: "192.168.1.44 -> 198.51.100.27 50007",
        by: "flows[0]",
      },
      {
        packet: "2001:db8:1::23 1028 2001:db8:80::1 8443",
        flow: "2001:db8:1::23 -> 2001:db8:80::1 8443",
        by: "flows[1]",
      },
      {
        packet: "192.168.1.23 52300 192.168.1.5 445",
        flow: "192.168.1.23 -> 192.168.1.5 445",
        by: "flows[1]",
      },
      {
        packet: "192.168.1.23 45001 198.51.100.27 45003",
        flow: "198.51.100.27 -> 192.168.1.23 45001",
        by: "flows[2]",
      },
    ],
  },
  "home-router.ts": {
    ourNets: [],
    findings: NOTHING_SUSPICIOUS,
    packets: [
      { packet: "192.168.1.9 5353 224.0.0.251 5353 udp", flow: DROPPED, by: "flows[0]" },
      { packet: "fe80::9 5353 ff02::fb 5353 udp", flow: DROPPED, by: "flows[0]" },
      { packet: "192.168.2.9 137 192.168.2.255 137 udp", flow: DROPPED, by: "flows[0]" },
      // Lower port would say that the guest serves.
      {
        packet: "192.168.2.30 40022 198.51.100.27 50007",
        flow: "192.168.2.30 -> 198.51.100.27 50007",
        by: "flows[2]",
      },
      {
        packet: "198.51.100.27 50007 192.168.2.30 40022",
        flow: "192.168.2.30 -> 198.51.100.27 50007",
        by: "flows[3]",
      },
      // A forwarded port.
      {
        packet: "203.0.113.9 22022 192.168.1.5 32400",
        opener: "source",
        flow: "203.0.113.9 -> 192.168.1.5 32400",
        by: "flows[1]",
      },
      { packet: "192.168.1.23 50123 192.168.1.1 53 udp", flow: IGNORED },
      {
        packet: "192.168.1.23 52300 192.168.1.5 445",
        flow: "192.168.1.23 -> 192.168.1.5 445",
        by: "flows[4]",
      },
    ],
  },
  "span-port.ts": {
    ourNets: [],
    findings: NOTHING_SUSPICIOUS,
    packets: [
      { packet: "10.10.9.2 50001 10.20.0.7 161 udp", flow: DROPPED, by: "flows[0]" },
      { packet: "10.20.0.7 161 10.10.9.2 50001 udp", flow: DROPPED, by: "flows[1]" },
      {
        packet: "10.10.9.2 50001 10.20.0.7 443",
        flow: "10.10.9.2 -> 10.20.0.7 443",
        by: "flows[6]",
      },
      {
        packet: "10.20.200.4 16500 10.20.203.5 20000 udp",
        opener: "source",
        flow: DROPPED,
        by: "flows[2]",
      },
      {
        packet: "10.20.200.4 50004 10.20.203.5 5060 udp",
        flow: "10.20.200.4 -> 10.20.203.5 5060",
        by: "flows[6]",
      },
      // A server that opens a connection to a desk's host.
      {
        packet: "10.10.0.5 50123 10.20.3.4 445",
        opener: "source",
        flow: "10.10.0.5 -> 10.20.3.4 445",
        by: "flows[3]",
      },
      {
        packet: "10.20.3.4 1044 10.10.0.5 8443",
        flow: "10.20.3.4 -> 10.10.0.5 8443",
        by: "flows[4]",
      },
      {
        packet: "2001:db8:10:10::5 8443 2001:db8:10:20::4 1044",
        flow: "2001:db8:10:20::4 -> 2001:db8:10:10::5 8443",
        by: "flows[5]",
      },
      {
        packet: "10.10.0.5 43210 198.51.100.80 443",
        flow: "10.10.0.5 -> 198.51.100.80 443",
        by: "flows[6]",
      },
    ],
  },
  "host-with-guests.ts": {
    ourNets: [],
    findings: NOTHING_SUSPICIOUS,
    packets: [
      // It offers: a published port, seen in the middle from a client with a lower port.
      {
        packet: "203.0.113.9 7070 192.0.2.10 8080",
        flow: "203.0.113.9 -> 192.0.2.10 8080",
        by: "flows[1]",
      },
      {
        packet: "2001:db8::10 443 2001:db8:99::9 50000",
        flow: "2001:db8:99::9 -> 2001:db8::10 443",
        by: "flows[2]",
      },
      // The same connection, on the bridge.
      {
        packet: "203.0.113.9 7070 172.17.0.2 80",
        flow: "203.0.113.9 -> 172.17.0.2 80",
        by: "flows[3]",
      },
      // It routes: a container that uses a service of a high port, between two guests, too.
      {
        packet: "172.17.0.2 40022 198.51.100.27 50007",
        opener: "source",
        flow: "172.17.0.2 -> 198.51.100.27 50007",
        by: "flows[0]",
      },
      {
        packet: "192.168.122.5 5432 172.17.0.2 48000",
        flow: "172.17.0.2 -> 192.168.122.5 5432",
        by: "flows[3]",
      },
      // It uses.
      {
        packet: "192.0.2.10 51000 203.0.113.53 853",
        flow: "192.0.2.10 -> 203.0.113.53 853",
        by: "flows[3]",
      },
      {
        packet: "192.0.2.10 51000 203.0.113.60 443",
        flow: "192.0.2.10 -> 203.0.113.60 443",
        by: "flows[2]",
      },
    ],
  },
  "kubernetes-node.ts": {
    ourNets: [],
    findings: NOTHING_SUSPICIOUS,
    packets: [
      { packet: "10.0.0.3 50001 10.0.0.4 8472 udp", flow: DROPPED, by: "flows[0]" },
      { packet: "10.244.0.7 40001 10.96.0.10 53 udp", flow: IGNORED },
      {
        packet: "10.244.0.7 1030 10.96.14.2 30030",
        flow: "10.244.0.7 -> 10.96.14.2 30030",
        by: "flows[1]",
      },
      {
        packet: "10.96.14.2 30030 10.244.0.7 1030",
        flow: "10.244.0.7 -> 10.96.14.2 30030",
        by: "flows[2]",
      },
      // A probe of the kubelet, by the node's address on the bridge.
      {
        packet: "10.244.0.1 34567 10.244.0.7 34566",
        opener: "source",
        flow: "10.244.0.1 -> 10.244.0.7 34566",
        by: "flows[3]",
      },
      {
        packet: "10.244.0.7 4044 10.0.0.3 10250",
        flow: "10.244.0.7 -> 10.0.0.3 10250",
        by: "flows[4]",
      },
      {
        packet: "10.0.0.3 6443 10.244.0.7 4044",
        flow: "10.244.0.7 -> 10.0.0.3 6443",
        by: "flows[5]",
      },
      {
        packet: "10.244.0.7 51000 198.51.100.80 443",
        flow: "10.244.0.7 -> 198.51.100.80 443",
        by: "flows[6]",
      },
    ],
  },
  "two-hosts.ts": {
    ourNets: ["192.168.0.0/16"],
    findings: "note: no rule is for bert -> external, ernie -> external, external -> external: " +
      "no flow is written for them",
    packets: [
      {
        packet: "198.51.100.1 443 192.168.0.9 50000",
        flow: "192.168.0.9 -> 198.51.100.1 443",
        by: "flows[0]",
      },
      {
        packet: "192.168.0.9 50000 10.33.0.2 22",
        flow: "192.168.0.9 -> 10.33.0.2 22",
        by: "flows[1]",
      },
      { packet: "8.8.8.8 53 10.33.0.1 4000 udp", flow: DROPPED, by: "flows[2]" },
      { packet: "8.8.8.8 51000 10.33.0.1 443", flow: DROPPED, by: "flows[3]" },
      { packet: "8.8.8.8 51000 10.33.0.1 22", flow: "8.8.8.8 -> 10.33.0.1 22", by: "flows[4]" },
      { packet: "8.8.8.8 51000 10.33.0.2 443", flow: "8.8.8.8 -> 10.33.0.2 443", by: "flows[5]" },
      { packet: "10.33.0.2 443 8.8.8.8 51000", flow: NOTHING },
      { packet: "10.0.11.23 53 192.168.0.9 4000 udp", flow: IGNORED },
    ],
  },
  "from-shodohflo.ts": {
    ourNets: ["10.0.0.0/8", "2001:db8::/32"],
    findings: NOTHING_SUSPICIOUS,
    packets: [
      { packet: "10.0.1.2 1 10.0.1.3 2", flow: SUPPRESSED },
      { packet: "203.0.113.9 5060 10.0.40.7 5060 udp", flow: DROPPED, by: "flows[0]" },
      {
        packet: "10.0.1.2 50 198.51.100.80 443",
        flow: "10.0.1.2 -> 198.51.100.80 443",
        by: "flows[1]",
      },
      {
        packet: "2001:db8::7 40022 2001:db9::27 50007",
        opener: "source",
        flow: "2001:db8::7 -> 2001:db9::27 50007",
        by: "flows[2]",
      },
      {
        packet: "198.51.100.80 8443 10.0.1.2 1028",
        flow: "10.0.1.2 -> 198.51.100.80 8443",
        by: "flows[3]",
      },
      { packet: "198.51.100.9 4000 10.0.11.23 53 udp", flow: IGNORED },
    ],
  },
};

/** What `explain` prints of a packet. */
async function explained(
  { packet, opener }: Explained,
  config: string,
  ourNets: readonly string[],
): Promise<string> {
  const [src, sport, dst, dport, protocol = "tcp"] = packet.split(" ");
  assert.ok(protocol === "tcp" || protocol === "udp");
  let text = "";
  await withFiles({}, async (directory) => {
    const from: string[] = [];
    if (opener !== undefined) {
      const there = [src, Number(sport), dst, Number(dport)] as const;
      const back = [dst, Number(dport), src, Number(sport)] as const;
      const make = protocol === "tcp" ? connection : exchange;
      const frames = make(...(opener === "source" ? there : back));
      // A minute in which the sensor watches, so that a first packet is known to be one.
      const before = Array.from(
        { length: 60 },
        (_, i) => ({ packet: exchange("192.0.2.1", 9, "192.0.2.2", 7)[0], seconds: i }),
      );
      from.push(join(directory, "seen.pcap"));
      const timed = frames.map((packet, i) => ({ packet, seconds: 60 + i }));
      await Deno.writeFile(from[0], pcap([...before, ...timed]));
    }
    await explain(
      { src, sport, dst, dport, protocol },
      { config, ourNets, redis: false, from },
      new MemoryLog(),
      (more) => text += more,
    );
  });
  return text;
}

/** The flow key of what `explain` printed, as {@linkcode Explained} has it, or its last sentence. */
function flowIn(text: string): string {
  if (text.includes(IGNORED)) return IGNORED;
  const key = /^ {2}([^;\s]+);([^;\s]+);(\d+);flow$/m.exec(text);
  return key === null ? text.split("\n").at(-1)! : `${key[1]} -> ${key[2]} ${key[3]}`;
}

Deno.test("each file of docs/examples is tested, and named on the page beside it", async () => {
  const files = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name)
    .filter((name) => name.endsWith(".ts"));
  assert.deepEqual(["../../config.ts", ...files].sort(), Object.keys(CASES).sort());
  const page = await Deno.readTextFile(`${EXAMPLES}README.md`);
  for (const file of Object.keys(CASES)) assert.ok(page.includes(`](${file})`), file);
});

for (const [name, { ourNets, findings, packets }] of Object.entries(CASES)) {
  const file = join(EXAMPLES, name);
  const shown = name.replace("../../", "");

  Deno.test(`${shown}: check loads it and finds nothing that is not meant`, async () => {
    let text = "";
    await check({ config: file, ourNets }, new MemoryLog(), (more) => text += more);
    const found = text.split("\n").slice(text.split("\n").lastIndexOf("") + 1);
    assert.deepEqual(found.map((line) => line.replace(/^.*\.ts:\d+: /, "")), [findings]);
  });

  for (const it of packets) {
    const seen = it.opener === undefined ? "" : `, which the ${it.opener} opened`;
    Deno.test(`${shown}: explain ${it.packet}${seen}: ${it.flow}`, async () => {
      const text = await explained(it, file, ourNets);
      if (it.flow === SUPPRESSED) assert.ok(text.endsWith(SUPPRESSED), text);
      else assert.equal(flowIn(text), it.flow, text);
      const decider = /(flows\[\d+\]) .*\n +matches: /.exec(text)?.[1];
      if (it.by !== undefined) assert.equal(decider, it.by, text);
    });
  }
}
