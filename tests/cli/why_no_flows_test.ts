/** Nothing is empty without a reason: what a replay or a capture says when most of it gave no flow. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { connection, exchange } from "../conversations.ts";
import { HAS_LIBPCAP, WITHOUT_LIBPCAP } from "../installed.ts";
import {
  ACK,
  type Bytes,
  bytes,
  ethernet,
  FIN,
  icmp,
  ip,
  ipIcmp,
  pcap,
  RST,
  SYN,
  tcp,
  u16,
  udp,
} from "../packets.ts";
import { captureTest, IMPORT, startCapture } from "./capture_setting.ts";
import { type Ending, flosensor } from "./program.ts";

const START = 1_800_000_000;
const MANY = 60;

/** Sixty connections, and as many exchanges over UDP. */
const IPV4 = many((i) => connection(`10.0.0.${i}`, 50_000, "192.0.2.1", 443));
const IPV6 = many((i) => exchange(`2001:db8::${i}`, 50_000, "2001:db8:1::1", 9_999));

function many(packets: (i: number) => Bytes[]): Bytes[] {
  return Array.from({ length: MANY }, (_, i) => packets(i + 1)).flat();
}

function captured(packets: readonly Bytes[], linkType = 1): Bytes {
  return pcap(packets.map((packet) => ({ packet, seconds: START })), { linkType });
}

/** What a replay with a configuration says besides its statistics, and the part of these that says why. */
async function replayed(
  capture: Bytes,
  { config = "{}", networks = [] as string[], options = [] as string[], name = "a.pcap" } = {},
): Promise<{ warnings: string[]; why: string; directory: string; ending: Ending }> {
  const text = `import { Assign, defineConfig, DST, Initiator, LowerPort, SRC } ` +
    `from "flosensor/config";\nexport default defineConfig(${config});\n`;
  let result: Awaited<ReturnType<typeof replayed>>;
  await withFiles({ "config.ts": text }, async (directory) => {
    const path = name === "-" ? name : join(directory, name);
    if (name !== "-") await Deno.writeFile(path, capture);
    const args = ["replay", path, ...networks, "--json", "-c", join(directory, "config.ts")];
    const ending = await flosensor([...args, ...options], {
      stdin: name === "-" ? capture : undefined,
    });
    const lines = ending.stderr.trimEnd().split("\n");
    const warnings = lines.filter((line) => line.startsWith("flosensor: warning: "))
      .map((line) => line.slice("flosensor: warning: ".length).replaceAll(`${directory}/`, ""));
    const why = /without flow: ([^;]*);/.exec(ending.stderr)?.[1] ?? "";
    result = { warnings, why, directory, ending };
  });
  return result!;
}

async function assertSays(
  capture: Bytes,
  options: Parameters<typeof replayed>[1],
  warnings: string[],
  why?: string,
): Promise<void> {
  const said = await replayed(capture, options);
  assert.equal(said.ending.status, 0, said.ending.stderr);
  assert.deepEqual(said.warnings, warnings);
  if (why !== undefined) assert.equal(said.why, why);
}

const LAN =
  '{ networks: [["lan", "172.16.0.0/12", "fd00::/8"]], flows: [[null, null, LowerPort()]] }';

Deno.test("conversations in no network are counted, with an example and the way out", () =>
  assertSays(captured(IPV4), { config: LAN }, [
    "60 IPv4 conversations are in no network of config.ts:2 (such as 10.0.0.1:50000 to " +
    '192.0.2.1:443): name yours, or add ["external", "0.0.0.0/0", "::/0"]',
  ], "60 IPv4 in no network"));

Deno.test("both address families are counted apart, the more frequent first", () =>
  assertSays(captured([...IPV4, ...IPV6.slice(0, 40)]), { config: LAN }, [
    "60 IPv4 conversations are in no network of config.ts:2 (such as 10.0.0.1:50000 to " +
    '192.0.2.1:443): name yours, or add ["external", "0.0.0.0/0", "::/0"]',
  ], "60 IPv4 in no network, 20 IPv6 in no network"));

for (
  const [other, only, capture, prefix] of [
    ["IPv6", "IPv4", IPV6, "0.0.0.0/0"],
    ["IPv4", "IPv6", IPV4, "::/0"],
  ] as const
) {
  Deno.test(`networks of ${only} only while the traffic is ${other} are said to be that`, () => {
    const config = `{ networks: [["all", "${prefix}"]], flows: [[null, null, LowerPort()]] }`;
    return assertSays(captured(capture), { config }, [
      `60 ${other} conversations are in no network of config.ts:2, which has prefixes of ${only} ` +
      `only: add yours of ${other}, or ["external", "0.0.0.0/0", "::/0"]`,
    ]);
  });
}

Deno.test("conversations within the own networks that are left out are counted", () =>
  assertSays(captured(IPV4), { networks: ["10.0.0.0/8", "192.0.2.0/24"] }, [
    "60 conversations are within the own networks, 10.0.0.0/8, 192.0.2.0/24 (such as " +
    "10.0.0.1:50000 to 192.0.2.1:443): suppressOwnNetwork: false keeps them",
  ], "60 within own networks"));

Deno.test("conversations that match no rule are counted, with a command that explains one", () =>
  assertSays(captured(IPV6), {
    config:
      '{ flows: [[null, null, Assign(SRC, DST, { ports: [53] })]], networks: [["all", "::/0"]] }',
    networks: ["2001:db8::/48"],
  }, [
    "60 conversations match no rule of config.ts:2 (such as [2001:db8::1]:50000 to " +
    "[2001:db8:1::1]:9999): add [null, null, LowerPort()] as the last one, or see which rule " +
    'should: "flosensor explain 2001:db8::1 50000 2001:db8:1::1 9999 2001:db8::/48 -c config.ts ' +
    '--protocol udp"',
  ], "60 no rule matches"));

Deno.test("the command in such a line explains what it says", async () => {
  const { ending } = await replayed(captured(IPV6), { config: "{ flows: [] }" });
  const [, command] = /"flosensor (explain [^"]*)"/.exec(ending.stderr)!;
  const [, ...words] = command.split(" ");
  const withoutConfig = words.filter((_, i) => words[i] !== "-c" && words[i - 1] !== "-c");
  await withFiles({
    "config.ts": `${IMPORT}export default defineConfig({ flows: [] });\n`,
  }, async (directory) => {
    const args = ["explain", ...withoutConfig, "-c", join(directory, "config.ts"), "--no-redis"];
    const { status, stdout } = await flosensor(args);
    assert.equal(status, 0);
    assert.match(stdout, /Nothing attributes the flow: no keys are written\./);
  });
});

Deno.test("conversations that rules drop are counted", () =>
  assertSays(captured(IPV4), {
    config: "{ flows: [[null, null, Assign(SRC, DST, { drop: true })]] }",
  }, [
    "60 conversations are dropped by rules of config.ts:2 (such as 10.0.0.1:50000 to " +
    '192.0.2.1:443): "flosensor explain 10.0.0.1 50000 192.0.2.1 443 -c config.ts" says more',
  ], "60 a rule drops"));

Deno.test("conversations of services that are ignored are counted", () =>
  assertSays(captured(IPV4), { config: '{ ignoreFlows: [["192.0.2.1", 443]] }' }, [
    "60 conversations are of services in config.ts:2 (such as 10.0.0.1:50000 to 192.0.2.1:443): " +
    "they have client and peer keys, and no flow key",
  ], "60 ignored flow"));

Deno.test("TCP connections of which SYN, FIN and RST only were seen are counted, each once", async () => {
  const packets = many((i) => {
    const [client, server] = [`10.0.0.${i}`, "192.0.2.1"];
    const there = (flags: number) => ethernet(ip(client, server, tcp(50_000, 443, flags)));
    const back = (flags: number) => ethernet(ip(server, client, tcp(443, 50_000, flags)));
    if (i % 3 === 0) return [there(SYN), there(SYN), back(RST | ACK)];
    if (i % 3 === 1) return [there(SYN), back(SYN | ACK), there(FIN | ACK), back(FIN | ACK)];
    return [there(FIN | ACK), back(FIN | ACK)];
  });
  const options = { networks: ["10.0.0.0/8"] };
  await assertSays(captured(packets), options, [
    "60 TCP connections had packets with SYN, FIN or RST only (such as 10.0.0.1:50000 to " +
    "192.0.2.1:443): nobody answered, they were refused, or a filter leaves the others out; a " +
    "flow is a connection that worked",
  ], "60 only SYN, FIN or RST");
  // What opens and then works is no such connection.
  await assertSays(captured(IPV4), options, [], "");
});

Deno.test("a conversation of which one direction matches a rule gives a flow", async () => {
  const config = '{ networks: [["clients", "10.0.0.0/8"], ["rest", "0.0.0.0/0"]], ' +
    'flows: [["clients", "rest", LowerPort()], ["rest", "clients", Assign(SRC, DST, { drop: true })]] }';
  await assertSays(captured(IPV4), { config }, [], "");
});

Deno.test("where fewer than half gave no flow, that is in the statistics and nowhere else", () =>
  assertSays(
    captured([...IPV4, ...IPV6.slice(0, 100)]),
    {
      config: '{ networks: [["all", "0.0.0.0/0"]], flows: [[null, null, LowerPort()]] }',
    },
    [],
    "50 IPv6 in no network",
  ));

// Packets

const USB = 220;
const ARP = bytes([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], u16(0x0806), new Uint8Array(28));
const LLC = bytes(
  [1, 0x80, 0xc2, 0, 0, 0],
  [2, 0, 0, 0, 0, 2],
  u16(38),
  [0x42, 0x42, 3],
  new Uint8Array(35),
);

Deno.test({
  name:
    `packets of a link layer that is not read are said by its number and libpcap's name${WITHOUT_LIBPCAP}`,
  ignore: !HAS_LIBPCAP,
  fn: () =>
    assertSays(captured(IPV4, USB), {}, [
      "480 of 480 packets are of a link layer that flosensor does not read, link type 220 " +
      "(USB_LINUX_MMAPPED): capture on an interface with Ethernet, Linux cooked or raw IP packets; " +
      '"flosensor interfaces" lists them',
    ]),
});

Deno.test("packets that are not IP are said by their EtherTypes", async () => {
  const packets = [...Array(30).fill(ARP), ...Array(10).fill(LLC), ...IPV4.slice(0, 8)];
  const { warnings, ending } = await replayed(captured(packets));
  assert.deepEqual(warnings, [
    "40 of 48 packets are not IP, 30 of EtherType 0x0806 (ARP), 10 of IEEE 802.2 access points " +
    "0x4242 (spanning tree): flows are TCP or UDP over IP",
  ]);
  assert.match(
    ending.stderr,
    /8 decoded \(not decoded: 40 not IP: 30 EtherType 0x0806 \(ARP\), 10 IEEE 802\.2 access points/,
  );
});

Deno.test("packets of other IP protocols are said by their numbers", async () => {
  const gre = ethernet(ip("10.0.0.1", "192.0.2.1", new Uint8Array(60), { protocol: 47 }));
  const odd = ethernet(ip("2001:db8::1", "2001:db8::2", new Uint8Array(60), { protocol: 253 }));
  const { warnings } = await replayed(captured([gre, gre, odd]));
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0],
    /^3 of 3 packets are neither TCP, UDP nor ICMP, 2 of IP protocol 47 \(GRE\), 1 of IP protocol 253: /,
  );
});

for (
  const [what, packet, text] of [
    [
      "cut",
      ethernet(ip("10.0.0.1", "192.0.2.1", tcp(1, 2))).subarray(0, 36),
      /cut by the snapshot/,
    ],
    ["ping", ethernet(ipIcmp("10.0.0.1", "192.0.2.1", icmp(8, 0, new Uint8Array(8)))), /ICMP that/],
    [
      "fragments",
      ethernet(ip("10.0.0.1", "192.0.2.1", udp(1, 2), {
        protocol: 17,
        fragment: 100,
      })),
      /later fragments/,
    ],
  ] as const
) {
  Deno.test(`packets that are ${what} are said to be`, async () => {
    const { warnings } = await replayed(captured([bytes(packet), bytes(packet)]));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /^2 of 2 packets /);
    assert.match(warnings[0], text);
  });
}

Deno.test("a file without packets is said to have none", () =>
  assertSays(captured([]), { name: "none.pcap" }, ["none.pcap: has no packets"]));

Deno.test("standard input without packets is said to have none", () =>
  assertSays(captured([]), { name: "-" }, ["standard input: has no packets"]));

Deno.test({
  name: `a filter that lets nothing through is said to be why${WITHOUT_LIBPCAP}`,
  ignore: !HAS_LIBPCAP,
  fn: async () => {
    const options = ["--filter", "tcp port 81"];
    await assertSays(captured(IPV4), { options }, [
      "a.pcap: --filter 'tcp port 81' lets none of its packets through",
    ]);
    await assertSays(captured([]), { options }, ["a.pcap: has no packets"]);
    await assertSays(captured(IPV4), { options, name: "-" }, [
      "standard input: has no packets that --filter 'tcp port 81' lets through",
    ]);
  },
});

// Captures

/** Everything is within the own networks, and those are left out. */
const SUPPRESSING =
  `${IMPORT}export default defineConfig({ suppressOwnNetwork: true, flushInterval: 1 });\n`;

captureTest("a capture without packets says so at its end, and why", async (setting) => {
  const { pair } = setting;
  await pair.addVeth("veth1", "peer1");
  const args = ["veth0", "veth1", "10.0.0.0/8", "--json", "--filter", "udp port 9"];
  await using program = await startCapture(setting, args);
  await pair.replay(setting.file);
  await pair.ip("link", "set", "veth1", "down");
  await program.says("veth1 went down");
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  assert.match(
    stderr,
    /^flosensor: warning: veth0: no packets were captured: --filter 'udp port 9' left out the \d+ that it had$/m,
  );
  assert.match(
    stderr,
    /^flosensor: warning: veth1: no packets were captured: it is down; ip link/m,
  );
});

captureTest("a capture whose conversations give no flow says so at its end", async (setting) => {
  const args = ["veth0", "0.0.0.0/0", "::/0", "--json"];
  await using program = await startCapture(setting, args);
  await setting.pair.replay(setting.file);
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  assert.match(
    stderr,
    /warning: 4 conversations are within the own networks, 0\.0\.0\.0\/0, ::\/0 /,
  );
}, { config: SUPPRESSING });

captureTest("a capture says while it goes on, once, that no packets come", async (setting) => {
  await using program = await startCapture(setting, ["veth0", "--json", "--filter", "udp port 9"]);
  await program.says("veth0: no packets were captured: ");
  program.signal("SIGTERM");
  const { stderr } = await program.ended;
  // And at its end.
  assert.equal(stderr.split("no packets were captured").length - 1, 2, stderr);
}, { config: SUPPRESSING });
