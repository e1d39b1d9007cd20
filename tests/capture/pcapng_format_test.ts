import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytes, u32 } from "../packets.ts";
import { PcapngSection } from "../pcapng.ts";
import { readBytes, type SavedPacket } from "./saved_packets.ts";

const SECONDS = 1_700_000_000;
const NOW = BigInt(SECONDS) * 1_000_000n;
const ETHERNET = 1;
const RAW = 101;
const ORDERS = [true, false];

function orderName(littleEndian: boolean): string {
  return littleEndian ? "little-endian" : "big-endian";
}

function saved(text: string, seconds = SECONDS, more: Partial<SavedPacket> = {}): SavedPacket {
  const packet = bytes(text);
  return { seconds, length: packet.length, linkType: ETHERNET, packet, ...more };
}

for (const little of ORDERS) {
  Deno.test(`PcapngFormat reads packets of all lengths, ${orderName(little)}`, async () => {
    const section = new PcapngSection(little).interface();
    const expected: SavedPacket[] = [];
    for (let size = 0; size < 9; size++) {
      section.enhanced(0, NOW + BigInt(size * 1_000_000), bytes("x".repeat(size)), size + 40);
      expected.push(saved("x".repeat(size), SECONDS + size, { length: size + 40 }));
    }
    assert.deepEqual(await readBytes(section.bytes()), { packets: expected, failure: null });
  });

  Deno.test(`PcapngFormat gives each packet its interface's link type and time, ${orderName(little)}`, async () => {
    const file = new PcapngSection(little)
      .interface({ linkType: ETHERNET })
      .interface({ linkType: RAW, resolution: 9 })
      .interface({ linkType: 113, resolution: 0x80 | 10 })
      .interface({ linkType: 276, resolution: 0, offset: -5n })
      .interface({ linkType: 0, resolution: 3, offset: BigInt(SECONDS) })
      .enhanced(1, BigInt(SECONDS) * 1_000_000_000n + 999_999_999n, bytes("nano"))
      .enhanced(2, BigInt(SECONDS) * 1024n + 1023n, bytes("binary"))
      .enhanced(0, NOW + 999_999n, bytes("micro"))
      .enhanced(3, BigInt(SECONDS), bytes("whole"))
      .obsolete(4, 2999n, bytes("offset"))
      .bytes();
    assert.deepEqual((await readBytes(file)).packets, [
      saved("nano", SECONDS, { linkType: RAW }),
      saved("binary", SECONDS, { linkType: 113 }),
      saved("micro", SECONDS),
      saved("whole", SECONDS - 5, { linkType: 276 }),
      saved("offset", SECONDS + 2, { linkType: 0 }),
    ]);
  });

  Deno.test(`PcapngFormat reads obsolete packet blocks, ${orderName(little)}`, async () => {
    const file = new PcapngSection(little)
      .interface({ linkType: RAW })
      .interface()
      .obsolete(1, NOW, bytes("one"), 1000)
      .obsolete(0, NOW + 2_000_000n, bytes("two"))
      .bytes();
    assert.deepEqual((await readBytes(file)).packets, [
      saved("one", SECONDS, { length: 1000 }),
      saved("two", SECONDS + 2, { linkType: RAW }),
    ]);
  });

  Deno.test(`PcapngFormat reads simple packets, of the time before them, ${orderName(little)}`, async () => {
    const file = new PcapngSection(little)
      .interface({ linkType: RAW, snapshotLength: 4 })
      .interface({ linkType: ETHERNET })
      .simple(bytes("abc"))
      .enhanced(1, NOW, bytes("enhanced"))
      .simple(bytes("abcd"), 1500)
      .simple(bytes("abcd"), 4)
      .bytes();
    assert.deepEqual((await readBytes(file)).packets, [
      saved("abc", 0, { linkType: RAW }),
      saved("enhanced"),
      saved("abcd", SECONDS, { linkType: RAW, length: 1500 }),
      saved("abcd", SECONDS, { linkType: RAW }),
    ]);
  });
}

Deno.test("PcapngFormat gives a simple packet all its bytes where the interface has no limit", async () => {
  const file = new PcapngSection().interface().simple(bytes("twelve bytes")).bytes();
  assert.deepEqual((await readBytes(file)).packets, [saved("twelve bytes", 0)]);
});

Deno.test("PcapngFormat starts again with each section, in that section's byte order", async () => {
  const sections = ORDERS.concat(ORDERS).map((little, i) =>
    new PcapngSection(little)
      .interface({ linkType: i })
      .enhanced(0, NOW, bytes(`section ${i}`))
      .bytes()
  );
  assert.deepEqual(await readBytes(bytes(...sections)), {
    packets: [0, 1, 2, 3].map((i) => saved(`section ${i}`, SECONDS, { linkType: i })),
    failure: null,
  });
});

Deno.test("PcapngFormat knows no interface of the section before", async () => {
  const first = new PcapngSection().interface().enhanced(0, NOW, bytes("first")).bytes();
  const second = new PcapngSection().enhanced(0, NOW, bytes("second")).bytes();
  const { packets, failure } = await readBytes(bytes(first, second));
  assert.deepEqual(packets, [saved("first")]);
  assert.equal(
    failure,
    `capture: at byte ${first.length + 28} a packet is of interface 0, unknown; ` +
      "the file is damaged there, and what came before was processed",
  );
});

Deno.test("PcapngFormat skips blocks of other types", async () => {
  const names = bytes("some names and addresses");
  const file = new PcapngSection()
    .block(4, names)
    .interface()
    .block(5, names)
    .enhanced(0, NOW, bytes("packet"))
    .block(10, new Uint8Array(300_000))
    .block(0x0bad, bytes("cust"))
    .block(0x8000_0001)
    .enhanced(0, NOW, bytes("packet"))
    .bytes();
  assert.deepEqual(await readBytes(file), {
    packets: [saved("packet"), saved("packet")],
    failure: null,
  });
});

Deno.test("PcapngFormat keeps the second of any nanosecond", async () => {
  const section = new PcapngSection().interface({ resolution: 9 });
  const expected: number[] = [];
  for (const second of [0n, 1n, 4n, 5n, 1_500_000_001n, 1_700_000_000n, 4_294_967_295n]) {
    for (const nanosecond of [0n, 1n, 127n, 500_000_000n, 999_999_871n, 999_999_999n]) {
      section.enhanced(0, second * 1_000_000_000n + nanosecond, bytes("x"));
      expected.push(Number(second));
    }
  }
  const { packets } = await readBytes(section.bytes());
  assert.deepEqual(packets.map(({ seconds }) => seconds), expected);
});

Deno.test("PcapngFormat keeps the second of any picosecond and any binary resolution", async () => {
  for (
    const [resolution, units] of [[12, 10n ** 12n], [0x80 | 20, 2n ** 20n], [
      0x80 | 32,
      2n ** 32n,
    ]] as const
  ) {
    const section = new PcapngSection().interface({ resolution });
    const expected: number[] = [];
    for (const second of [1n, 17_000_001n]) {
      for (const unit of [0n, 1n, units - 1n]) {
        section.enhanced(0, second * units + unit, bytes("x"));
        expected.push(Number(second));
      }
    }
    const { packets } = await readBytes(section.bytes());
    assert.deepEqual(packets.map(({ seconds }) => seconds), expected, `${resolution}`);
  }
});

Deno.test("PcapngFormat gives what is whole of a file cut anywhere, then says so", async () => {
  for (const little of ORDERS) {
    const head = new PcapngSection(little).interface().enhanced(0, NOW, bytes("first")).bytes();
    const file = new PcapngSection(little)
      .interface()
      .enhanced(0, NOW, bytes("first"))
      .enhanced(0, NOW, bytes("second"))
      .bytes();
    assert.equal((await readBytes(head)).failure, null);
    for (let size = head.length + 1; size < file.length; size++) {
      const { packets, failure } = await readBytes(file.subarray(0, size));
      assert.deepEqual(packets, [saved("first")], `${size}`);
      const rest = size - head.length;
      const needed = rest < 12 ? 12 : file.length - head.length;
      assert.equal(
        failure,
        `capture: is cut off: the record at byte ${head.length} should have ${needed} bytes and ` +
          `has ${rest}; what came before was processed`,
      );
    }
    for (let size = 4; size < 28; size++) {
      const { packets, failure } = await readBytes(file.subarray(0, size));
      assert.deepEqual(packets, []);
      assert.match(failure ?? "", /^capture: is cut off: the record at byte 0 should have/);
    }
  }
});

Deno.test("PcapngFormat gives what came before a damaged block, then says what is wrong and where", async () => {
  const head = new PcapngSection().interface().enhanced(0, NOW, bytes("first")).bytes();
  const place = head.length;
  const enhanced = (captured: number[], size = 12 + 20 + 4) =>
    bytes(
      [6, 0, 0, 0],
      u32(size).reverse(),
      new Uint8Array(12),
      captured,
      new Uint8Array(8),
      u32(size).reverse(),
    );
  const damaged: [Uint8Array, string][] = [
    [bytes([6, 0, 0, 0], u32(0).reverse(), new Uint8Array(30)), "a block claims 0 bytes"],
    [bytes([6, 0, 0, 0], u32(11).reverse(), new Uint8Array(30)), "a block claims 11 bytes"],
    [bytes([6, 0, 0, 0], u32(34).reverse(), new Uint8Array(30)), "a block claims 34 bytes"],
    [
      bytes([6, 0, 0, 0], [0xfc, 0xff, 0xff, 0xff], new Uint8Array(30)),
      "a block claims 4294967292 bytes",
    ],
    [
      bytes([9, 0, 0, 0], u32(12).reverse(), u32(16).reverse()),
      "the two lengths of a block of 12 bytes differ",
    ],
    [
      bytes([6, 0, 0, 0], u32(16).reverse(), new Uint8Array(4), u32(16).reverse()),
      "a packet block is too short",
    ],
    [
      bytes([2, 0, 0, 0], u32(16).reverse(), new Uint8Array(4), u32(16).reverse()),
      "a packet block is too short",
    ],
    [
      bytes([3, 0, 0, 0], u32(12).reverse(), u32(12).reverse()),
      "a simple packet block is too short",
    ],
    [
      bytes([1, 0, 0, 0], u32(16).reverse(), new Uint8Array(4), u32(16).reverse()),
      "an interface description is too short",
    ],
    [enhanced([5, 0, 0, 0]), "a packet of 5 bytes does not fit its block"],
    [enhanced([0xff, 0xff, 0xff, 0xff]), "a packet of 4294967295 bytes does not fit its block"],
    [bytes(u32(0x0a0d0d0a), new Uint8Array(24)), "a section has no byte-order magic"],
  ];
  for (const [block, what] of damaged) {
    const { packets, failure } = await readBytes(bytes(head, block));
    assert.deepEqual(packets, [saved("first")], what);
    assert.equal(
      failure,
      `capture: at byte ${place} ${what}; ` +
        "the file is damaged there, and what came before was processed",
    );
  }
});

Deno.test("pcapng: interfaces beyond what anybody has are not kept, and packets of them refused", async () => {
  const packet = bytes(1, 2, 3, 4);
  const header = new PcapngSection().bytes();
  const block = new PcapngSection().interface().bytes().slice(header.length);
  const many = new Uint8Array(70_000 * block.length);
  for (let i = 0; i < 70_000; i++) many.set(block, i * block.length);
  const last = (id: number) =>
    new PcapngSection().enhanced(id, 5_000_000n, packet).bytes().slice(header.length);
  const file = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat([header, many, ...parts]));
  const good = await readBytes(file(last(0), last(65_535)));
  assert.deepEqual(good.packets.map(({ seconds }) => seconds), [5, 5]);
  assert.equal(good.failure, null);
  const unread = await readBytes(file(last(1), last(65_536)));
  assert.equal(unread.packets.length, 1);
  assert.match(
    unread.failure!,
    /^capture: at byte \d+ a packet is of interface 65536, and only the first 65536 of a section can be read; what came before was processed$/,
  );
  assert.match((await readBytes(file(last(70_000)))).failure!, /interface 70000, unknown/);
});
