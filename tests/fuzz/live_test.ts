/** Changed packets give the same keys as a file, through a pipe, and from an interface. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { captureTest, IMPORT, startCapture } from "../cli/capture_setting.ts";
import { flosensor } from "../cli/program.ts";
import { until } from "../namespaces.ts";
import { pcap } from "../packets.ts";
import { SAMPLE_PACKETS } from "../sample_packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { HAS_SHARED_CAPTURES, sharedCapture } from "../shared_captures.ts";
import { capturesOf, ownCaptures } from "./corpus.ts";
import { changed } from "./packets_target.ts";

const PACKETS = 5000;
const ETHERNET = 1;
/** Of a frame, as a veth pair carries it as it is. */
const LEAST_BYTES = 60;
const MOST_BYTES = 1514;
const NETWORKS = ["10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32"];
/** Nothing is classified before all packets are there: an interface has other times than a file. */
const CONFIG = `${IMPORT}export default defineConfig({
  flushInterval: 3600, suppressOwnNetwork: false, flows: [[null, null, LowerPort()]] });\n`;

async function changedCapture(random: SeededRandom): Promise<Uint8Array> {
  const files = HAS_SHARED_CAPTURES
    ? [...Deno.readDirSync(sharedCapture("pcap"))].map(({ name }) => sharedCapture(`pcap/${name}`))
    : [];
  const captures = [...ownCaptures(), ...await capturesOf(files)];
  const frames: Uint8Array[] = [];
  while (frames.length < PACKETS) {
    const { packets } = random.below(4) === 0 ? { packets: SAMPLE_PACKETS } : random.of(captures);
    if (packets.length === 0) continue;
    const from = random.below(packets.length);
    for (const { packet, linkType } of changed(packets.slice(from, from + 50), random)) {
      const isSent = linkType === ETHERNET && packet.length >= LEAST_BYTES &&
        packet.length <= MOST_BYTES;
      if (isSent) frames.push(packet);
    }
  }
  return pcap(frames.map((packet) => ({ packet, seconds: 1_700_000_000 })));
}

/** Each key, with its name where it has one, once. */
function keysOf(lines: string): Set<string> {
  return new Set(
    lines.trimEnd().split("\n").map((line) => JSON.parse(line))
      .filter(({ type }) => type !== "end")
      .map(({ type, key, name }) => type === "flow" ? key : `${key} ${name ?? ""}`),
  );
}

for (const source of ["libpcap", "af_packet"]) {
  captureTest(
    `${PACKETS} changed packets give the same keys as a file, through a pipe, and with ${source}`,
    async ({ pair, directory, config }) => {
      const random = new SeededRandom();
      const again = `FLOSENSOR_TEST_SEED=${random.seed}`;
      const file = join(directory, "changed.pcap");
      const capture = await changedCapture(random);
      await Deno.writeFile(file, capture);
      const more = [...NETWORKS, "--json", "--no-redis"];
      const replayed = await flosensor(["replay", file, ...more, "-c", config]);
      assert.equal(replayed.status, 0, `${again} ${replayed.stderr}`);
      const expected = keysOf(replayed.stdout);
      assert.ok(expected.size > PACKETS / 20, `${expected.size} keys`);
      const piped = await flosensor(["replay", "-", ...more, "-c", config], { stdin: capture });
      assert.deepEqual(keysOf(piped.stdout), expected, again);

      const args = [
        "veth0",
        ...more,
        "--source",
        source,
        "--direction",
        "in",
        "--snaplen",
        "65535",
      ];
      await using program = await startCapture({ pair, directory, file, config }, [
        ...args,
        ...["--stats", "0.3"],
      ]);
      // As slowly as a busy machine takes them.
      await pair.replay(file, { packetsPerSecond: 5000 });
      await until(() =>
        [...program.stderr.matchAll(/packets: (\d+) received/g)]
          .some(([, received]) => Number(received) >= PACKETS)
      );
      program.signal("SIGTERM");
      const { stdout, stderr } = await program.ended;
      assert.doesNotMatch(stderr, /[1-9]\d* dropped/);
      const keys = keysOf(stdout);
      assert.deepEqual([...keys.difference(expected)], [], `${again}: only from the interface`);
      assert.deepEqual([...expected.difference(keys)], [], `${again}: not from the interface`);
    },
    { config: CONFIG },
  );
}
