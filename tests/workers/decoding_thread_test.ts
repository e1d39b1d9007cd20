import assert from "node:assert/strict";
import { join } from "node:path";
import type { PacketSource } from "../../src/capture/packet_source.ts";
import { FilteredSource } from "../../src/capture/filtered_source.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { DecodedBatch } from "../../src/flow/decoded_batch.ts";
import { FlowMeter } from "../../src/flow/flow_meter.ts";
import { OBSERVATION_WORDS } from "../../src/flow/observation_batch.ts";
import { keyText } from "../../src/sink/keys.ts";
import { UserError } from "../../src/user_error.ts";
import { type DecodedFile, DecodingThread } from "../../src/workers/decoding_thread.ts";
import { connection } from "../conversations.ts";
import { HAS_LIBPCAP, WITHOUT_LIBPCAP } from "../installed.ts";
import { mappingOf } from "../observed_keys.ts";
import { bytes, ethernet, ipUdp, pcap, type Timed, udp } from "../packets.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";

const FIRST_SECOND = 1_700_000_000;
const MAPPING = mappingOf({}, ["10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32"]);

/** What a meter made of a capture: its keys in order, what it counted, and why it ended early. */
interface Story {
  readonly keys: readonly string[];
  readonly decoded: readonly number[];
  readonly received: number;
  readonly error: string | null;
}

async function story(
  open: (meter: FlowMeter) => PacketSource | DecodedFile,
): Promise<Story> {
  const keys: string[] = [];
  const meter = new FlowMeter({
    maxConversations: 50_000,
    mapping: MAPPING,
    emit: ({ words, count }) => {
      for (let i = 0; i < count; i++) keys.push(keyText(words, i * OBSERVATION_WORDS));
    },
  });
  const source = open(meter);
  let error: string | null = null;
  try {
    for (let batch; (batch = await source.next()) !== null;) {
      if (batch instanceof DecodedBatch) meter.takeDecoded(batch);
      else meter.take(batch);
    }
  } catch (thrown) {
    assert.ok(thrown instanceof UserError, String(thrown));
    error = thrown.message;
  }
  source.close();
  meter.flush();
  const { received } = source.statistics();
  return { keys, decoded: meter.statistics().decoded, received, error };
}

/** Compares what is decoded in a thread with what is decoded here. */
async function assertSame(thread: DecodingThread, path: string, filter?: string): Promise<Story> {
  const here = await story(() => {
    const source = SavefileSource.open(path);
    return filter === undefined ? source : new FilteredSource(source, filter);
  });
  const there = await story((meter) => thread.read(path, filter, meter.decoderSettings));
  assert.deepEqual(there, here, path);
  return there;
}

async function withThread(
  test: (thread: DecodingThread, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const thread = new DecodingThread();
  try {
    await test(thread, directory);
  } finally {
    thread.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Connections of many seconds, in more packets than there is room for in all slots. */
function longCapture(): Uint8Array {
  const packets: Timed[] = [];
  for (let i = 0; i < 5000; i++) {
    const client = `10.${i % 7}.0.${i % 250}`;
    for (const packet of connection(client, 20_000 + i, "198.51.100.2", 443)) {
      packets.push({ packet, seconds: FIRST_SECOND + Math.floor(i / 100) });
    }
  }
  return pcap(packets);
}

const LONG_CAPTURE = longCapture();

Deno.test({
  name: `a thread decodes every shared capture as it is decoded here${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: () =>
    withThread(async (thread) => {
      for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
        await assertSame(thread, sharedCapture(`pcap/${name}`));
      }
    }),
});

Deno.test("a thread decodes a long capture, and one that is cut, as they are decoded here", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "long.pcap");
    const capture = LONG_CAPTURE;
    await Deno.writeFile(path, capture);
    const { keys, error } = await assertSame(thread, path);
    assert.equal(error, null);
    assert.ok(keys.length > 5000);

    await Deno.writeFile(path, capture.subarray(0, capture.length - 5));
    assert.match(
      (await assertSame(thread, path)).error!,
      /long\.pcap: is cut off: the record at byte/,
    );
  }));

Deno.test("a thread decodes a packet that is longer than its memory for many", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "jumbo.pcap");
    const datagram = ipUdp("10.0.0.1", "198.51.100.2", udp(9, 99, "jumbo"));
    const frame = bytes(ethernet(datagram), new Uint8Array(1_000_000));
    const small = ethernet(ipUdp("10.0.0.2", "198.51.100.2", udp(9, 99, "small")));
    const packets = [small, frame, small].map((packet) => ({ packet, seconds: FIRST_SECOND }));
    const capture = pcap(packets);
    // The snapshot length, or so long a record would be taken for damage.
    new DataView(capture.buffer).setUint32(16, 2_000_000, true);
    await Deno.writeFile(path, capture);
    assert.equal((await assertSame(thread, path)).received, 3);
  }));

Deno.test({
  name: `a thread filters as it is done here${WITHOUT_LIBPCAP}`,
  ignore: !HAS_LIBPCAP,
  fn: () =>
    withThread(async (thread, directory) => {
      const path = join(directory, "long.pcap");
      await Deno.writeFile(path, LONG_CAPTURE);
      const { received } = await assertSame(thread, path, "src net 10.3.0.0/16");
      assert.ok(received > 0 && received < 10_000);
      const wrong = await story((meter) => thread.read(path, "nonsense", meter.decoderSettings));
      assert.match(wrong.error!, /nonsense/);
    }),
});

Deno.test("a file that is closed in its middle ends, and the thread reads no further", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "long.pcap");
    await Deno.writeFile(path, LONG_CAPTURE);
    const meter = new FlowMeter({ mapping: MAPPING, emit: () => {}, maxConversations: 100 });
    const file = thread.read(path, undefined, meter.decoderSettings);
    assert.notEqual(await file.next(), null);
    assert.ok(file.position > 0 && file.position <= file.size);
    file.close();
    assert.equal(await file.next(), null);
  }));

Deno.test("a thread reads another file after one that was closed in its middle, or was cut", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "long.pcap");
    await Deno.writeFile(path, LONG_CAPTURE);
    const settings = new FlowMeter({ mapping: MAPPING, emit: () => {}, maxConversations: 100 })
      .decoderSettings;
    for (let round = 0; round < 5; round++) {
      const file = thread.read(path, undefined, settings);
      assert.notEqual(await file.next(), null);
      file.close();
    }
    const cut = join(directory, "cut.pcap");
    await Deno.writeFile(cut, LONG_CAPTURE.subarray(0, 50_000));
    for (let round = 0; round < 5; round++) {
      assert.notEqual((await assertSame(thread, cut)).error, null);
      assert.equal((await assertSame(thread, path)).error, null);
    }
    // What was in the memory before is no part of a short file.
    for (let size = 0; size < 40; size++) {
      await Deno.writeFile(cut, LONG_CAPTURE.subarray(0, size));
      await assertSame(thread, cut);
    }
  }));

Deno.test("a file that has gone meanwhile is said to be missing", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "gone.pcap");
    const { error } = await story((meter) => thread.read(path, undefined, meter.decoderSettings));
    assert.equal(error, `${path}: there is no such file`);
  }));

Deno.test("a thread is started for much to read only, and for files only", () =>
  withThread((_, directory) => {
    const few = join(directory, "few.pcap");
    Deno.writeTextFileSync(few, "few bytes");
    assert.equal(DecodingThread.startFor([few, "10.0.0.0/8"]), null);
    const long = join(directory, "long.pcap");
    Deno.writeFileSync(long, new Uint8Array(20_000_000));
    // What comes out of a pipe is live, and nothing of it may be left waiting.
    assert.equal(DecodingThread.startFor([long, "-"]), null);
    const thread = DecodingThread.startFor([long, "10.0.0.0/8"]);
    assert.equal(thread !== null, navigator.hardwareConcurrency > 1);
    thread?.close();
    return Promise.resolve();
  }));
