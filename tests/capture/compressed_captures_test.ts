import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import type { ReadBytes } from "../../src/capture/chunk_reader.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { UnpackingReader } from "../../src/capture/unpacking_reader.ts";
import { withFiles } from "../config/temporary_files.ts";
import { isProgram } from "../installed.ts";
import { bytes, pcap } from "../packets.ts";
import { readAll, readBytes, reading, type SavedPacket } from "./saved_packets.ts";

const HAS_ZSTD = isProgram("zstd", "--version");
const WITHOUT_ZSTD = HAS_ZSTD ? "" : " (skipped: zstd is not installed)";

const PACKETS: SavedPacket[] = Array.from({ length: 3_000 }, (_, i) => ({
  packet: new Uint8Array((i * 37) % 1400).map((_, at) => at * i >> 3),
  seconds: 1000 + i,
  length: (i * 37) % 1400,
  linkType: 1,
}));
const CAPTURE = pcap(PACKETS);
const HALF = CAPTURE.length >> 1;
const BEFORE = "what came before was processed";

interface Compressor {
  readonly name: string;
  readonly pack: (
    content: Uint8Array,
  ) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
  readonly ignore: boolean;
  readonly reason: string;
}

const GZIP: Compressor = {
  name: "gzip",
  pack: (content) => new Uint8Array(gzipSync(content)),
  ignore: false,
  reason: "",
};
const ZSTD: Compressor = {
  name: "zstd",
  pack: (content) => zstd(content),
  ignore: !HAS_ZSTD,
  reason: WITHOUT_ZSTD,
};

async function zstd(content: Uint8Array, ...args: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("zstd", {
    args: ["--quiet", "--stdout", ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const input = child.stdin.getWriter();
  await input.write(Uint8Array.from(content));
  await input.close();
  return (await output).stdout;
}

for (const { name, pack, ignore, reason } of [GZIP, ZSTD]) {
  const test = (what: string, fn: () => Promise<void>) =>
    Deno.test({ name: `${name}: ${what}${reason}`, ignore, fn });

  test("a compressed capture is read from a file and from a pipe", async () => {
    const packed = await pack(CAPTURE);
    for (const pipe of [undefined, { atOnce: 10_000 }, { atOnce: 997 }]) {
      const source = new SavefileSource("capture", reading(packed, pipe));
      assert.deepEqual(await readAll(source), { packets: PACKETS, failure: null });
    }
    const few = PACKETS.slice(0, 20);
    const source = new SavefileSource("capture", reading(await pack(pcap(few)), { atOnce: 1 }));
    assert.deepEqual(await readAll(source), { packets: few, failure: null });
  });

  test("a file's name does not matter, and its size and position are those of the file", () =>
    withFiles({}, async (folder) => {
      const packed = await pack(CAPTURE);
      const path = join(folder, "capture.pcap");
      await Deno.writeFile(path, packed);
      const source = SavefileSource.open(path);
      assert.equal(source.size, packed.length);
      for (let last = 0; await source.next() !== null; last = source.position) {
        assert.ok(source.position >= last && source.position <= packed.length);
      }
      assert.equal(source.position, packed.length);
      assert.ok(source.isPacked);
      source.close();
    }));

  test("parts that were compressed one by one are read one after the other", async () => {
    const parts = [await pack(CAPTURE.subarray(0, HALF)), await pack(CAPTURE.subarray(HALF))];
    assert.deepEqual(await readBytes(bytes(...parts)), { packets: PACKETS, failure: null });
  });

  test("one that is cut off is read up to the cut, and said", async () => {
    const packed = await pack(CAPTURE);
    for (const length of [packed.length >> 1, packed.length - 1]) {
      const { packets, failure } = await readBytes(packed.subarray(0, length));
      assert.ok(packets.length > PACKETS.length / 5, `${packets.length}`);
      assert.deepEqual(packets, PACKETS.slice(0, packets.length));
      assert.equal(
        failure,
        `capture: is cut off: its ${name} data goes on after byte ${length}, where it ends; ${BEFORE}`,
      );
    }
  });

  test("one that is damaged is read up to there, and said", async () => {
    const packed = await pack(CAPTURE);
    packed.fill(0xff, packed.length >> 1, (packed.length >> 1) + 50);
    const { packets, failure } = await readBytes(packed);
    assert.ok(packets.length > 0);
    // What gzip unpacks may be wrong for a while before it can know, and no capture any more.
    assert.match(
      failure!,
      /^capture: (its \w+ data|the record at byte \d+ .+ the file) is damaged .*what came before was processed$/,
    );
  });

  test("what is no capture is told", async () => {
    assert.equal(
      (await readBytes(await pack(bytes("a text of some length, no capture\n")))).failure,
      "capture: what is packed in it is neither pcap nor pcapng",
    );
    assert.equal(
      (await readBytes(await pack(bytes("")))).failure,
      "capture: is empty, not a capture",
    );
  });

  test("a capture that was cut before it was compressed is told as such", async () => {
    const { packets, failure } = await readBytes(await pack(CAPTURE.subarray(0, HALF)));
    assert.deepEqual(packets, PACKETS.slice(0, packets.length));
    assert.match(failure!, /^capture: is cut off: the record at byte \d+ should have /);
  });

  test("close() ends a next() that waits for a pipe", async () => {
    const packed = await pack(CAPTURE);
    const give = reading(packed.subarray(0, packed.length >> 1), { atOnce: 1000 });
    const waiting = Promise.withResolvers<void>();
    const source = new SavefileSource("pipe", async (into) => {
      const count = await give(into);
      if (count !== null) return count;
      waiting.resolve();
      return new Promise(() => {});
    });
    const rest = readToEnd(source);
    await waiting.promise;
    source.close();
    await rest;
  });

  test("of what unpacks to a thousand times as much little is unpacked before it is asked for", async () => {
    const packed = await pack(new Uint8Array(100 * 1024 * 1024));
    const before = Deno.memoryUsage().rss;
    const source = new UnpackingReader("bomb", reading(bytes(...Array(8).fill(packed))));
    const into = new Uint8Array(64 * 1024);
    let most = 0;
    let read = 0;
    for (let count; (count = await source.read(into)) !== null; read += count) {
      most = Math.max(most, Deno.memoryUsage().rss - before);
    }
    assert.equal(read, 800 * 1024 * 1024);
    assert.ok(most < 300 * 1024 * 1024, `${most} bytes more`);
  });
}

async function readToEnd(source: SavefileSource): Promise<void> {
  while (await source.next() !== null);
}

/** A frame of Zstandard, RFC 8878, section 3.1.1: blocks of 128 KiB that repeat one byte. */
function zstdRepeats(blocks: number, windowByte: number): Uint8Array {
  const block = (isLast: boolean) => {
    const header = (128 * 1024 << 3) | 0b010 | Number(isLast);
    return [header & 0xff, (header >> 8) & 0xff, header >> 16, 0];
  };
  const all = Array.from({ length: blocks }, (_, i) => block(i === blocks - 1)).flat();
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowByte, ...all]);
}

function testZstd(what: string, fn: () => Promise<void>): void {
  Deno.test({ name: `zstd: ${what}${WITHOUT_ZSTD}`, ignore: !HAS_ZSTD, fn });
}

Deno.test("zstd: four bytes that unpack to 128 KiB, again and again, fill no memory", async () => {
  const packed = zstdRepeats(8_000, 0x58);
  const before = Deno.memoryUsage().rss;
  const source = new UnpackingReader("bomb", reading(packed));
  const into = new Uint8Array(256 * 1024);
  let most = 0;
  let read = 0;
  for (let count; (count = await source.read(into)) !== null; read += count) {
    most = Math.max(most, Deno.memoryUsage().rss - before);
  }
  assert.equal(read, 8_000 * 128 * 1024);
  assert.ok(most < 300 * 1024 * 1024, `${most} bytes more`);
});

Deno.test("zstd: a window of more than 128 MiB is refused, with what unpacks it", async () => {
  // RFC 8878, section 3.1.1.1.2: an exponent of 21 is 2 GiB.
  assert.equal(
    (await readBytes(zstdRepeats(1, 21 << 3))).failure,
    "capture: needs 2048 MiB of memory to be unpacked: " +
      "zstd -dc --long=31 FILE | flosensor replay -",
  );
});

testZstd("a frame to be skipped, as pzstd writes one, is skipped", async () => {
  const skipped = bytes([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
  const file = bytes(skipped, await zstd(CAPTURE), skipped);
  assert.deepEqual(await readBytes(file), { packets: PACKETS, failure: null });
});

testZstd("files that are closed early leave nothing behind", async () => {
  const packed = await zstd(CAPTURE, "--ultra", "-22", "--long=27");
  for (let i = 0; i < 100; i++) {
    const source = new SavefileSource("capture", reading(packed));
    assert.ok((await source.next())!.count > 0);
    source.close();
  }
  const source = new SavefileSource("capture", reading(packed));
  assert.deepEqual(await readAll(source), { packets: PACKETS, failure: null });
});

Deno.test("gzip: zeros after the data, as tapes have them, are nothing", async () => {
  const packed = bytes(gzipSync(CAPTURE), new Uint8Array(1000));
  assert.deepEqual(await readBytes(packed), { packets: PACKETS, failure: null });
});

Deno.test("what goes wrong when compressed data is read is told as it is", async () => {
  const give = reading(new Uint8Array(gzipSync(CAPTURE)), { atOnce: 100 });
  let reads = 0;
  const failing: ReadBytes = (into) => {
    if (reads++ === 50) throw new Error("disk on fire");
    return give(into);
  };
  const { failure } = await readAll(new SavefileSource("capture", failing));
  assert.equal(failure, "capture: can't be read at byte 5000: disk on fire");
});

Deno.test("what is packed in another way is named, with what unpacks it", async () => {
  const cases: [number[], string][] = [
    [[0x42, 0x5a, 0x68, 0x39], "bzip2-compressed: bzcat capture"],
    [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz-compressed: xzcat capture"],
    [[0x04, 0x22, 0x4d, 0x18], "lz4-compressed: lz4cat capture"],
    [[0x89, 0x4c, 0x5a, 0x4f], "lzop-compressed: lzop -dc capture"],
    [[0x50, 0x4b, 0x03, 0x04], "zip-compressed: funzip capture"],
    [
      [0x73, 0x6e, 0x6f, 0x6f, 0x70, 0],
      "a capture of another kind: tshark -r capture -F pcap -w -",
    ],
  ];
  for (const [magic, what] of cases) {
    assert.deepEqual(await readBytes(bytes(magic, new Uint8Array(40))), {
      packets: [],
      failure: `capture: is neither pcap nor pcapng; it is ${what} | flosensor replay -`,
    });
  }
});

Deno.test("a tar archive is named, also one that is compressed", () =>
  withFiles({}, async (folder) => {
    const tar = bytes(new Uint8Array(257), "ustar\0", new Uint8Array(760));
    const path = join(folder, "captures");
    for (
      const [content, what] of [[tar, "is"], [gzipSync(tar), "what is packed in it is"]] as const
    ) {
      await Deno.writeFile(path, content);
      const { failure } = await readAll(SavefileSource.open(path));
      assert.equal(
        failure,
        `${path}: ${what} neither pcap nor pcapng; it is a tar archive: ` +
          `tar -xOf ${path} CAPTURE | flosensor replay -`,
      );
    }
  }));
