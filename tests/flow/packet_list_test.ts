import assert from "node:assert/strict";
import fc from "fast-check";
import { ConversationTable } from "../../src/flow/conversation_table.ts";
import {
  add4,
  add6,
  DIRECTION_SHIFT,
  find4,
  find6,
  FLAGS_SHIFT,
  PacketList,
} from "../../src/flow/packet_list.ts";
import { DESTINATION, PacketHeader, SOURCE } from "../../src/packet/packet_header.ts";

/** One end of a conversation. */
interface End {
  words: number[];
  port: number;
}

const LIMIT = 1000;
const anyWord = fc.oneof(
  fc.constantFrom(0, 1, -1, 0x7fff_ffff, -0x8000_0000),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
);
const anyEnd = fc.record<End>({
  words: fc.array(anyWord, { minLength: 4, maxLength: 4 }),
  port: fc.oneof(fc.constantFrom(0, 80, 65_535), fc.integer({ min: 0, max: 65_535 })),
});

/** The number and the direction that a packet from an end to another gets. */
function look(
  table: ConversationTable,
  isIpv6: boolean,
  source: End,
  destination: End,
  protocol: number,
): { number: number; direction: number; flags: number } {
  const header = new PacketHeader();
  header.isIpv6 = isIpv6;
  header.protocol = protocol;
  header.tcpFlags = 0xa5;
  header.addresses.set(source.words, SOURCE);
  header.addresses.set(destination.words, DESTINATION);
  header.sourcePort = source.port;
  header.destinationPort = destination.port;
  const list = new PacketList(isIpv6 ? 4 : 1, 1);
  if (isIpv6) list.add6(0, header);
  else list.add4(0, header);
  table.prefetch(list.hash, 0, 1);
  const [about] = list.about;
  return {
    number: isIpv6
      ? find6(table, list, 0) || add6(table, list, 0)
      : find4(table, list, 0) || add4(table, list, 0),
    direction: (about >>> DIRECTION_SHIFT) & 1,
    flags: (about >>> FLAGS_SHIFT) & 0xff,
  };
}

for (const isIpv6 of [false, true]) {
  const family = isIpv6 ? "IPv6" : "IPv4";

  Deno.test(`PacketList has both directions of an ${family} conversation meet`, () => {
    const table = new ConversationTable(isIpv6 ? 4 : 1, LIMIT);
    fc.assert(fc.property(anyEnd, anyEnd, fc.constantFrom(6, 17), (one, other, protocol) => {
      const there = look(table, isIpv6, one, other, protocol);
      const back = look(table, isIpv6, other, one, protocol);
      assert.equal(there.number, back.number);
      assert.equal(there.flags, 0xa5);
      const isSame = one.port === other.port &&
        one.words.every((word, i) => !isIpv6 && i < 3 || word === other.words[i]);
      assert.equal(there.direction === back.direction, isSame);
      assert.deepEqual(look(table, isIpv6, one, other, protocol), there);
    }));
  });

  Deno.test(`PacketList tells ${family} conversations by addresses, ports and protocol`, () => {
    const table = new ConversationTable(isIpv6 ? 4 : 1, LIMIT);
    const one = { words: [1, 2, 3, 4], port: 1000 };
    const other = { words: [1, 2, 3, -4], port: 80 };
    const changed = (word: number) => ({ ...other, words: other.words.with(word, 99) });
    const numbers = [
      look(table, isIpv6, one, other, 6),
      look(table, isIpv6, one, other, 17),
      look(table, isIpv6, one, { ...other, port: 81 }, 6),
      look(table, isIpv6, { ...one, port: 1001 }, other, 6),
      // The ports change places, the addresses do not.
      look(table, isIpv6, { ...one, port: 80 }, { ...other, port: 1000 }, 6),
      ...(isIpv6 ? [0, 1, 2, 3] : [3]).map((word) => look(table, isIpv6, one, changed(word), 6)),
    ].map(({ number }) => number);
    assert.equal(new Set(numbers).size, numbers.length);
    assert.equal(table.count, numbers.length);
  });
}
