/** Packets and bytes of conversations, beside what tshark counts. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { UserError } from "../../src/user_error.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import { RecordEngine } from "./record_engine.ts";
import { type TsharkFigures, tsharkFigures } from "./tshark_figures.ts";

type Figures = Map<string, TsharkFigures>;

const HAS_TSHARK = existsSync("/usr/bin/tshark");

/**
 * What differs, and why.
 *
 * - `ajp.pcap`: 12 of its packets are in Cisco's FabricPath (EtherType 0x8903), which is not decoded.
 * - `capwap.pcap` and `capwap_data.pcapng`: CAPWAP's data channel (RFC 5415) is not decoded, so that it is
 *   the conversation, and not what is in its frames of IEEE 802.11.
 */
const DIFFERENT: ReadonlyMap<string, readonly string[]> = new Map([
  ["ajp.pcap", [
    "tcp 172.29.9.146 38856 172.29.9.147 8009: 7,6 packets 1428,561 bytes, " +
    "tshark 11,14 packets 3304,1003 bytes",
  ]],
  ["capwap.pcap", [
    "udp 192.168.10.10 12380 192.168.10.9 5247: 170,3 packets 31085,395 bytes, " +
    "tshark 159,3 packets 28237,395 bytes",
    "udp 0.0.0.0 68 255.255.255.255 67: none, tshark 5,0 packets 1640,0 bytes",
  ]],
  ["capwap_data.pcapng", [
    "udp 172.16.100.87 5247 172.50.100.155 41264: 5,9 packets 624,1692 bytes, tshark none",
    "tcp 10.1.3.68 47025 74.125.130.188 443: none, tshark 9,5 packets 1008,284 bytes",
  ]],
]);

/** The sums of the last records of each conversation, as tshark's: one from the same ports is another. */
async function ourFigures(path: string): Promise<Figures> {
  const engine = new RecordEngine({
    // Half-open connections of others have no records.
    ourNets: ["0.0.0.0/0", "::/0"],
    config: { suppressOwnNetwork: false },
  });
  const source = SavefileSource.open(path, engine.engine.newBatch());
  try {
    for (let batch; (batch = await source.next()) !== null;) engine.engine.take(batch);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  } finally {
    source.close();
  }
  engine.engine.endRecords();
  const found: Figures = new Map();
  for (const record of engine.records.filter(({ isOver }) => isOver)) {
    const client = `${record.client} ${record.clientPort}`;
    const server = `${record.server} ${record.port}`;
    const isTurned = client > server;
    const key = `${record.protocol} ${isTurned ? `${server} ${client}` : `${client} ${server}`}`;
    const { first, last } = record;
    const figures = found.get(key) ?? { packets: [0, 0], bytes: [0, 0], first, last };
    found.set(key, figures);
    for (const end of [0, 1]) {
      const direction = isTurned ? 1 - end : end;
      figures.packets[direction] += record.packets[end];
      figures.bytes[direction] += record.bytes[end];
    }
    figures.first = Math.min(figures.first, first);
    figures.last = Math.max(figures.last, last);
  }
  return found;
}

/** What differs, a line each. */
function differences(ours: Figures, theirs: Figures): string[] {
  const text = (figures: TsharkFigures | undefined) =>
    figures === undefined ? "none" : `${figures.packets} packets ${figures.bytes} bytes`;
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((key) => text(ours.get(key)) !== text(theirs.get(key)))
    .map((key) => `${key}: ${text(ours.get(key))}, tshark ${text(theirs.get(key))}`);
}

/** tshark takes half a second to start, mostly waiting. */
const AT_ONCE = 3;

Deno.test({
  name: `packets and bytes of all conversations are those of tshark${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES || !HAS_TSHARK,
  fn: async () => {
    const names = [...Deno.readDirSync(sharedCapture("pcap"))].map(({ name }) => name);
    const found = new Map<string, string[]>();
    let conversations = 0;
    const next = async (): Promise<void> => {
      for (let name; (name = names.pop()) !== undefined;) {
        const path = sharedCapture(`pcap/${name}`);
        const theirs = await tsharkFigures(path);
        conversations += theirs.size;
        const lines = differences(await ourFigures(path), theirs);
        if (lines.length > 0) found.set(name, lines);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    assert.deepEqual(found, DIFFERENT);
    assert.ok(conversations > 2_000, `${conversations}`);
  },
});
