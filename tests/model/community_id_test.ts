import assert from "node:assert/strict";
import { communityId, type Endpoints } from "../../src/model/community_id.ts";
import { isProgram } from "../installed.ts";
import { ethernet, ip, ipUdp, pcap, tcp, udp } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";

const HAS_TSHARK = isProgram("tshark", "--version");
const WITHOUT_TSHARK = HAS_TSHARK ? "" : " (skipped: tshark is not installed)";

/** From `baseline_deflt.json` of the specification's repository. */
const BASELINE: readonly (readonly [Endpoints, string])[] = [
  [ends("tcp", "128.232.110.120", 34855, "66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="],
  [ends("udp", "192.168.1.52", 54585, "8.8.8.8", 53), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="],
  [
    ends("tcp", "2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25),
    "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
  ],
];

Deno.test("communityId() gives the IDs of the specification, from either end", () => {
  for (const [endpoints, expected] of BASELINE) {
    assert.equal(communityId(endpoints), expected);
    assert.equal(communityId(turned(endpoints)), expected);
  }
});

Deno.test("communityId() hashes a seed as well", () => {
  const [endpoints] = BASELINE[0];
  assert.notEqual(communityId(endpoints, 1), communityId(endpoints));
  assert.equal(communityId(endpoints, 1), communityId(turned(endpoints), 1));
});

Deno.test({
  name: `communityId() gives what tshark gives for any endpoints${WITHOUT_TSHARK}`,
  ignore: !HAS_TSHARK,
  fn: async () => {
    const random = new SeededRandom();
    // Few addresses and ports, so that they are equal, or differ in their last bits, often.
    const all = Array.from({ length: 300 }, () => {
      const version = random.of([4, 6] as const);
      return ends(
        random.of(["tcp", "udp"] as const),
        address(random, version),
        random.of([1, 255, 256, 443, 65_535]),
        address(random, version),
        random.of([1, 255, 256, 443, 65_535]),
      );
    });
    const packets = all.map((it) => ({ packet: ethernet(packetOf(it)), seconds: 1 }));
    const expected = await tsharkIds(pcap(packets));
    assert.deepEqual(all.map((it) => communityId(it)), expected, `seed ${random.seed}`);
  },
});

function ends(
  protocol: "tcp" | "udp",
  client: string,
  clientPort: number,
  server: string,
  port: number,
): Endpoints {
  return { protocol, client, clientPort, server, port };
}

function turned({ protocol, client, clientPort, server, port }: Endpoints): Endpoints {
  return ends(protocol, server, port, client, clientPort);
}

function address(random: SeededRandom, version: 4 | 6): string {
  const last = random.of([1, 2, 127, 128, 254]);
  return version === 4
    ? `${random.of([9, 10, 192])}.0.2.${last}`
    : `2001:db8:${random.of(["0", "ffff"])}::${last.toString(16)}`;
}

function packetOf({ protocol, client, clientPort, server, port }: Endpoints): Uint8Array {
  return protocol === "tcp"
    ? ip(client, server, tcp(clientPort, port))
    : ipUdp(client, server, udp(clientPort, port));
}

async function tsharkIds(capture: Uint8Array): Promise<string[]> {
  const tshark = new Deno.Command("tshark", {
    args: ["-r", "-", "--enable-protocol", "communityid", "-T", "fields", "-e", "communityid"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = tshark.output();
  const writer = tshark.stdin.getWriter();
  await writer.write(capture);
  await writer.close();
  const { stdout } = await output;
  return new TextDecoder().decode(stdout).trim().split("\n");
}
