import assert from "node:assert/strict";
import { PacketBatch } from "../../src/capture/packet_batch.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { PcapngSection } from "../pcapng.ts";
import { bytes, pcap } from "../packets.ts";
import { readBytes } from "./saved_packets.ts";

const PACKETS = [
  { packet: bytes("first"), seconds: 1_700_000_000 },
  { packet: bytes(""), seconds: 0xffff_ffff, length: 60 },
  { packet: bytes("the third"), seconds: 1_700_000_001, length: 1500 },
];
const EXPECTED = PACKETS.map(({ packet, seconds, length }) => ({
  seconds,
  length: length ?? packet.length,
  linkType: 1,
  packet,
}));
const FILE_HEADER = 24;
const RECORD_HEADER = 16;

const FORMATS = [
  { name: "microseconds", magic: 0xa1b2c3d4 },
  { name: "nanoseconds", magic: 0xa1b23c4d },
];

for (const { name, magic } of FORMATS) {
  for (const littleEndian of [true, false]) {
    Deno.test(`PcapFormat reads ${name}, ${littleEndian ? "little" : "big"}-endian`, async () => {
      const read = await readBytes(pcap(PACKETS, { magic, littleEndian }));
      assert.deepEqual(read, { packets: EXPECTED, failure: null });
    });
  }
}

for (const littleEndian of [true, false]) {
  Deno.test(`PcapFormat reads the modified format, ${littleEndian ? "little" : "big"}-endian`, async () => {
    const header = pcap([], { magic: 0xa1b2cd34, littleEndian });
    const records = PACKETS.map((packet) => {
      const record = pcap([packet], { littleEndian }).subarray(FILE_HEADER);
      // Interface, protocol, packet type and padding follow the lengths.
      return bytes(
        record.subarray(0, RECORD_HEADER),
        new Uint8Array(8).fill(0x77),
        record.subarray(RECORD_HEADER),
      );
    });
    const read = await readBytes(bytes(header, ...records));
    assert.deepEqual(read, { packets: EXPECTED, failure: null });
  });
}

Deno.test("PcapFormat takes the link type from the lower half of its field", async () => {
  const file = pcap(PACKETS, { linkType: 276 });
  const withCheckSequence = new DataView(file.buffer);
  withCheckSequence.setUint32(20, 0x5000_0000 | 276, true);
  for (const { linkType } of (await readBytes(file)).packets) assert.equal(linkType, 276);
});

Deno.test("PcapFormat gives no packets of a file that has none", async () => {
  assert.deepEqual(await readBytes(pcap([])), { packets: [], failure: null });
});

Deno.test("PcapFormat gives what is whole of a file cut anywhere, then says so", async () => {
  const file = pcap(PACKETS);
  const starts = [24, 24 + 16 + 5, 24 + 16 + 5 + 16];
  for (let size = FILE_HEADER; size < file.length; size++) {
    const { packets, failure } = await readBytes(file.subarray(0, size));
    const whole = starts.findLastIndex((start) => start <= size);
    assert.deepEqual(packets, EXPECTED.slice(0, whole), `${size}`);
    if (starts.includes(size)) {
      assert.equal(failure, null);
      continue;
    }
    const rest = size - starts[whole];
    const needed = rest < RECORD_HEADER
      ? RECORD_HEADER
      : RECORD_HEADER + PACKETS[whole].packet.length;
    assert.equal(
      failure,
      `capture: is cut off: the record at byte ${starts[whole]} should have ${needed} bytes and ` +
        `has ${rest}; what came before was processed`,
    );
  }
});

Deno.test("PcapFormat says of a file that is cut in its header that it is", async () => {
  for (const { magic } of FORMATS) {
    for (let size = 4; size < FILE_HEADER; size++) {
      const { packets, failure } = await readBytes(pcap(PACKETS, { magic }).subarray(0, size));
      assert.deepEqual(packets, []);
      assert.equal(
        failure,
        `capture: is cut off: its file header should have 24 bytes and has ${size}`,
      );
    }
  }
});

Deno.test("PcapFormat gives what came before a record with an impossible length, then says so", async () => {
  for (const size of [262_145, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    const file = pcap(PACKETS);
    new DataView(file.buffer).setUint32(24 + 16 + 5 + 8, size, true);
    const { packets, failure } = await readBytes(file);
    assert.deepEqual(packets, EXPECTED.slice(0, 1));
    assert.equal(
      failure,
      `capture: the record at byte 45 claims ${size} bytes; ` +
        "the file is damaged there, and what came before was processed",
    );
  }
});

Deno.test("PcapFormat takes a damaged first record for what it is", async () => {
  const file = pcap(PACKETS);
  new DataView(file.buffer).setUint32(24 + 8, 0xffff_fff0, true);
  const { packets, failure } = await readBytes(file);
  assert.deepEqual(packets, []);
  assert.match(failure ?? "", /^capture: the record at byte 24 claims 4294967280 bytes/);
});

Deno.test("PcapFormat takes records of up to libpcap's largest snapshot length, whatever the header says", async () => {
  for (const snapshotLength of [0, 96, 262_144, 0xffff_ffff]) {
    const packet = new Uint8Array(262_144).fill(7);
    const file = pcap([{ packet, seconds: 1 }, ...PACKETS]);
    new DataView(file.buffer).setUint32(16, snapshotLength, true);
    const { packets, failure } = await readBytes(file);
    assert.equal(failure, null);
    assert.deepEqual(packets[0].packet, packet);
    assert.deepEqual(packets.slice(1), EXPECTED);
  }
});

Deno.test("PcapFormat has no interfaces, whatever was in the batch before", async () => {
  const batch = new PacketBatch(10, new Uint8Array(262_144));
  const packet = bytes("a packet");
  const several = new PcapngSection().interface().interface().enhanced(1, 5_000_000n, packet);
  const interfaces: number[] = [];
  for (const file of [several.bytes(), pcap([{ packet, seconds: 5 }])]) {
    let rest: Uint8Array = file;
    const source = new SavefileSource("capture", (into) => {
      const part = rest.subarray(0, into.length);
      rest = rest.subarray(part.length);
      into.set(part);
      return part.length === 0 ? null : part.length;
    }, { batch });
    interfaces.push((await source.next())!.interface[0]);
  }
  assert.deepEqual(interfaces, [1, 0]);
});
