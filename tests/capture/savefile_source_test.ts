import assert from "node:assert/strict";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { UserError } from "../../src/user_error.ts";
import { bytes, pcap } from "../packets.ts";
import { PcapngSection } from "../pcapng.ts";
import { readAll, readBytes, reading, type SavedPacket } from "./saved_packets.ts";

/** Several times the window of the source. */
const LARGE_FILE = 2_000_000;

/** Packets of many sizes, and their capture in both formats. */
function variedCapture(size: number): { packets: SavedPacket[]; files: Uint8Array[] } {
  const packets: SavedPacket[] = [];
  const section = new PcapngSection().interface();
  for (let total = 0, i = 0; total < size; i++) {
    const packet = new Uint8Array((i * 37) % 1400).fill(i);
    total += packet.length + 16;
    packets.push({ packet, seconds: 1000 + i, length: packet.length, linkType: 1 });
    section.enhanced(0, BigInt(1000 + i) * 1_000_000n, packet);
  }
  return { packets, files: [pcap(packets), section.bytes()] };
}

async function withFile<Answer>(
  content: Uint8Array,
  use: (path: string) => Promise<Answer>,
): Promise<Answer> {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(path, content);
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("SavefileSource reads a file much larger than its window", async () => {
  const { packets, files } = variedCapture(LARGE_FILE);
  for (const file of files) {
    const read = await withFile(file, (path) => readAll(SavefileSource.open(path)));
    assert.deepEqual(read, { packets, failure: null });
  }
});

Deno.test("SavefileSource knows the size of a file, and where in it it is", async () => {
  const { files } = variedCapture(LARGE_FILE);
  for (const file of files) {
    await withFile(file, async (path) => {
      const source = SavefileSource.open(path);
      assert.equal(source.size, file.length);
      for (let last = 0; await source.next() !== null; last = source.position) {
        assert.ok(source.position > last);
      }
      assert.equal(source.position, file.length);
      source.close();
    });
  }
});

Deno.test("SavefileSource counts the packets that it gave", async () => {
  const { packets, files } = variedCapture(300_000);
  const source = new SavefileSource("capture", reading(files[0]));
  await readAll(source);
  assert.deepEqual(source.statistics(), {
    received: packets.length,
    given: packets.length,
    droppedByKernel: 0,
    droppedByInterface: 0,
  });
});

for (const atOnce of [1, 7, 4096]) {
  Deno.test(`SavefileSource reads a pipe that gives ${atOnce} bytes at once`, async () => {
    const { packets, files } = variedCapture(atOnce === 1 ? 20_000 : LARGE_FILE / 4);
    for (const file of files) {
      const source = new SavefileSource("pipe", reading(file, { atOnce }));
      assert.deepEqual(await readAll(source), { packets, failure: null });
    }
  });
}

Deno.test("SavefileSource gives a packet of a pipe before the next one comes", async () => {
  const { packets, files } = variedCapture(5_000);
  for (const file of files) {
    let given = 0;
    const ends = recordEnds(file, packets);
    // Each read gives one record more, and none is allowed before the record before it was given.
    const source = new SavefileSource("pipe", (into) => {
      const end = ends.shift();
      if (end === undefined) return Promise.resolve(null);
      into.set(file.subarray(given, end));
      const count = end - given;
      given = end;
      return Promise.resolve(count);
    });
    for (let i = 0; i < packets.length; i++) {
      assert.equal((await source.next())?.count, 1);
      assert.equal(ends.length, packets.length - i - 1);
    }
    assert.equal(await source.next(), null);
  }
});

/** Where each packet's record ends. */
function recordEnds(file: Uint8Array, packets: readonly SavedPacket[]): number[] {
  const isPcap = file[0] === 0xd4;
  const size = (packet: Uint8Array) => isPcap ? 16 + packet.length : pcapngRecord(packet).length;
  let end = file.length - packets.reduce((sum, { packet }) => sum + size(packet), 0);
  return packets.map(({ packet }) => end += size(packet));
}

function pcapngRecord(packet: Uint8Array): Uint8Array {
  const before = new PcapngSection().bytes().length;
  return new PcapngSection().enhanced(0, 0n, packet).bytes().subarray(before);
}

Deno.test("SavefileSource reads a record that is larger than its window", async () => {
  const large = new Uint8Array(262_144).map((_, i) => i * 7);
  const small = bytes("small");
  const files = [
    pcap([small, large, small, large].map((packet) => ({ packet, seconds: 1 }))),
    new PcapngSection()
      .interface()
      .enhanced(0, 1_000_000n, small)
      .enhanced(0, 1_000_000n, large)
      .simple(small)
      .obsolete(0, 1_000_000n, large)
      .bytes(),
  ];
  for (const file of files) {
    for (const pipe of [undefined, { atOnce: 65_536 }]) {
      const { packets, failure } = await readAll(
        new SavefileSource("capture", reading(file, pipe)),
      );
      assert.equal(failure, null);
      assert.deepEqual(packets.map(({ packet }) => packet), [small, large, small, large]);
    }
  }
});

Deno.test("SavefileSource reads more small packets than a batch has room for", async () => {
  const packet = bytes("");
  const packets = Array.from({ length: 50_000 }, (_, seconds) => ({ packet, seconds, length: 9 }));
  const { packets: read, failure } = await readBytes(pcap(packets));
  assert.equal(failure, null);
  assert.deepEqual(read.map(({ seconds }) => seconds), packets.map(({ seconds }) => seconds));
});

Deno.test("SavefileSource says the same again when it is asked after its failure", async () => {
  const { files } = variedCapture(5_000);
  for (const file of files) {
    const source = new SavefileSource("capture", reading(file.subarray(0, file.length - 1)));
    assert.notEqual(await source.next(), null);
    for (let i = 0; i < 3; i++) {
      await assert.rejects(source.next(), (error) => {
        return error instanceof UserError && /^capture: is cut off: /.test(error.message);
      });
    }
  }
});

Deno.test("SavefileSource says of what is no capture what it is", async () => {
  const cases: [Uint8Array, string][] = [
    [bytes(""), "capture: is empty, not a capture"],
    [bytes("x"), "capture: is neither pcap nor pcapng"],
    [bytes("a text of some length, which is no capture\n"), "capture: is neither pcap nor pcapng"],
    [bytes(new Uint8Array(1000)), "capture: is neither pcap nor pcapng"],
  ];
  for (const [content, failure] of cases) {
    assert.deepEqual(await readBytes(content), { packets: [], failure });
  }
});

Deno.test("SavefileSource says why a file can't be opened", async () => {
  const open = (path: string) => () => SavefileSource.open(path);
  assert.throws(open("/nowhere/x.pcap"), new UserError("/nowhere/x.pcap: there is no such file"));
  const folder = await Deno.makeTempDir();
  try {
    const message = `${folder}: is a directory; name the capture files in it`;
    assert.throws(open(folder), new UserError(message));
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("SavefileSource says where a read failed, after what came before it", async () => {
  const file = pcap([{ packet: bytes("packet"), seconds: 1 }]);
  for (const fail of [() => Promise.reject(new Error("disk on fire")), failAtOnce]) {
    let reads = 0;
    const give = reading(file);
    const source = new SavefileSource("capture", (into) => reads++ === 0 ? give(into) : fail());
    const { packets, failure } = await readAll(source);
    assert.equal(packets.length, 1);
    assert.equal(failure, `capture: can't be read at byte ${file.length}: disk on fire`);
  }
});

function failAtOnce(): never {
  throw new Error("disk on fire");
}

Deno.test("SavefileSource.close() ends a next() that waits for a pipe", async () => {
  for (const file of [new Uint8Array(0), pcap([]), pcap([]).subarray(0, 9)]) {
    const give = reading(file, { atOnce: 100 });
    let isWaiting: () => void;
    const waiting = new Promise<void>((resolve) => isWaiting = resolve);
    let done = 0;
    const source = new SavefileSource("pipe", (into) => {
      if (done++ < Math.min(1, file.length)) return give(into);
      isWaiting();
      return new Promise(() => {});
    });
    const pending = source.next();
    await waiting;
    source.close();
    assert.equal(await pending, null);
    assert.equal(await source.next(), null);
  }
});

Deno.test("SavefileSource.close() closes the file, once", async () => {
  let closed = 0;
  const source = new SavefileSource("capture", reading(pcap([])), { close: () => closed++ });
  assert.equal(await source.next(), null);
  source.close();
  source.close();
  assert.equal(closed, 1);
  assert.equal(await source.next(), null);
});
