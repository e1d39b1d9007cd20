/** The same packets are the same conversations, wherever they come from. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { connection, exchange } from "../conversations.ts";
import {
  ACK,
  type Bytes,
  ethernet,
  FIN,
  icmp,
  ip,
  ipIcmp,
  ipUdp,
  pcap,
  RST,
  SYN,
  tcp,
  udp,
} from "../packets.ts";
import { TUNNELS } from "../tunnels.ts";
import { captureTest, IMPORT, type Setting, startCapture } from "./capture_setting.ts";
import { type Ending, flosensor } from "./program.ts";
import { OWN_NETWORKS, SAMPLE_PACKETS } from "./sample_capture.ts";

const CLIENT = "10.1.0.7";
const SERVER = "198.51.100.7";
/** Of an Ethernet header. */
const HEADER = 14;

/** Each state that a conversation can come to, and each tunnel. */
const PACKETS: readonly Bytes[] = [
  ...SAMPLE_PACKETS,
  // Refused, unanswered, reset, from the middle on, unreachable, in large packets.
  ethernet(ip(CLIENT, SERVER, tcp(50_001, 81, SYN))),
  ethernet(ip(SERVER, CLIENT, tcp(81, 50_001, RST | ACK))),
  ethernet(ip(CLIENT, SERVER, tcp(50_002, 82, SYN))),
  ...connection(CLIENT, 50_003, SERVER, 83).slice(0, 5),
  ethernet(ip(SERVER, CLIENT, tcp(83, 50_003, RST))),
  ...connection(CLIENT, 50_004, SERVER, 84).slice(4, 6),
  ethernet(ipUdp(CLIENT, SERVER, udp(50_005, 85, "nobody there"))),
  ethernet(ipUdp(CLIENT, SERVER, udp(50_007, 87, "nobody there"))),
  ethernet(ipIcmp(SERVER, CLIENT, icmp(3, 3, ipUdp(CLIENT, SERVER, udp(50_007, 87))))),
  ethernet(ip(CLIENT, SERVER, tcp(50_006, 86, ACK, "x".repeat(1400)))),
  ethernet(ip(CLIENT, SERVER, tcp(50_006, 86, FIN | ACK))),
  ...TUNNELS.flatMap(({ wrap }, i) =>
    [...connection(CLIENT, 51_000 + i, SERVER, 443), ...exchange(CLIENT, 52_000 + i, SERVER, 123)]
      .map((frame) => wrap(frame.subarray(HEADER)))
  ),
];

/** What a run has found of each flow and each conversation, but for when and where. */
function found({ status, stdout, stderr }: Ending): string[] {
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line)).flatMap((event) => {
    if (event.type === "flow") return `${event.key} ${event.by} ${event.tunnel}`;
    if (event.type !== "end") return [];
    const {
      time: _time,
      first: _first,
      last: _last,
      id: _id,
      interface: _interface,
      sensor: _sensor,
      ...rest
    } = event;
    return JSON.stringify(rest);
  }).sort();
}

async function captured(setting: Setting, file: string, source: string): Promise<string[]> {
  const args = ["veth0", ...OWN_NETWORKS, "--json", "--source", source];
  await using program = await startCapture(setting, args);
  await setting.pair.replay(file);
  program.signal("SIGTERM");
  return found(await program.ended);
}

captureTest(
  "a file, a pipe, libpcap and the kernel's ring give the same records for the same packets",
  async (setting) => {
    const file = join(setting.directory, "all.pcap");
    const bytes = pcap(PACKETS.map((packet) => ({ packet, seconds: 1_790_000_000 })));
    await Deno.writeFile(file, bytes);
    const options = [...OWN_NETWORKS, "--json", "-c", setting.config];
    const expected = found(await flosensor(["replay", file, ...options]));
    const states = new Set(expected.map((text) => /"state":"(\w+)"/.exec(text)?.[1]));
    for (const state of ["open", "closed", "reset", "refused", "unanswered", "unreachable"]) {
      assert.ok(states.has(state), state);
    }
    for (const { tunnel } of TUNNELS) {
      assert.ok(expected.some((text) => text.includes(`"tunnel":"${tunnel}`)), tunnel);
    }
    const piped = await flosensor(["replay", "-", ...options], { stdin: bytes });
    assert.deepEqual(found(piped), expected);
    assert.deepEqual(await captured(setting, file, "libpcap"), expected);
    assert.deepEqual(await captured(setting, file, "af_packet"), expected);
  },
  // All is classified at the end, with the same evidence.
  { config: `${IMPORT}export default defineConfig({ flushInterval: 3600 });\n` },
);
