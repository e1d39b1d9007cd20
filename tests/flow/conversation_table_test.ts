import assert from "node:assert/strict";
import fc from "fast-check";
import { hash4, hash6 } from "../../src/flow/conversation_hash.ts";
import {
  COLD_EVIDENCE,
  COLD_OUTCOME,
  COLD_SHIFT,
  ConversationTable,
  HOT_ADDRESSES,
  HOT_LAST_SEEN,
  HOT_PORTS,
  HOT_STATE,
  HOT_UNTIL,
  MOST_CONVERSATIONS,
  STATE_NEW,
  STATE_UNMET,
  UNJUDGED,
} from "../../src/flow/conversation_table.ts";

/** Slots of a table's index before it grows. */
const INDEX_SIZE = 1 << 14;
const TCP = 6;

/** A conversation of a test: what tells it from others, and the hash it is given. */
interface Conversation {
  address: number;
  ports: number;
  protocol: number;
  hash: number;
}

/** The table of one family behind the same calls for both. */
class TestTable {
  readonly table: ConversationTable;
  readonly #isIpv6: boolean;

  constructor(isIpv6: boolean, limit: number, beforeForgetting?: () => void) {
    this.#isIpv6 = isIpv6;
    this.table = new ConversationTable(isIpv6 ? 4 : 1, limit, beforeForgetting);
  }

  /** The number of a conversation, which is added if it is not known. */
  numberOf(conversation: Conversation): number {
    return this.find(conversation) || this.#add(conversation);
  }

  /** The number of a conversation, or 0. */
  find({ address, ports, protocol, hash }: Conversation): number {
    return this.#isIpv6
      ? this.table.find6(hash, ipv6Ends(address), 0, ports, protocol)
      : this.table.find4(hash, address, ~address, ports, protocol);
  }

  #add({ address, ports, protocol, hash }: Conversation): number {
    return this.#isIpv6
      ? this.table.add6(hash, ipv6Ends(address), 0, ports, protocol)
      : this.table.add4(hash, address, ~address, ports, protocol);
  }

  /** Asserts that what the table has of a number is this conversation. */
  assertIs(number: number, { address, ports, protocol }: Conversation): void {
    const { hot, hotShift } = this.table;
    const cell = number << hotShift;
    const ends = this.#isIpv6 ? ipv6Ends(address) : Int32Array.of(address, ~address);
    assert.equal(hot[cell + HOT_PORTS], ports);
    assert.equal(hot[cell + HOT_STATE] & 0xff, protocol);
    const at = cell + HOT_ADDRESSES;
    assert.deepEqual(hot.subarray(at, at + ends.length), ends);
  }

  numbers(): number[] {
    const numbers: number[] = [];
    this.table.forEach((number) => numbers.push(number));
    return numbers;
  }

  /** The words that a new conversation must have in a known state. */
  state(number: number): number[] {
    const { hot, cold, hotShift } = this.table;
    const until = (number << hotShift) + HOT_UNTIL;
    const outcome = (number << COLD_SHIFT) + COLD_OUTCOME;
    const evidence = cold[(number << COLD_SHIFT) + COLD_EVIDENCE];
    const flags = hot[(number << hotShift) + HOT_STATE] & ~0xff;
    return [hot[until], hot[until + 1], cold[outcome], cold[outcome + 1], evidence, flags];
  }

  /** Puts something into the words of {@linkcode TestTable.state}. */
  use(number: number): void {
    const { hot, cold, hotShift } = this.table;
    hot.fill(77, (number << hotShift) + HOT_UNTIL, (number << hotShift) + HOT_UNTIL + 2);
    const outcome = (number << COLD_SHIFT) + COLD_OUTCOME;
    cold.fill(77, outcome, outcome + 2);
    cold[(number << COLD_SHIFT) + COLD_EVIDENCE] = 77;
    hot[(number << hotShift) + HOT_STATE] ^= 0xffff00;
  }
}

/** Addresses that differ in one word only, another one each time. */
function ipv6Ends(address: number): Int32Array {
  const words = new Int32Array(8).fill(0x2001_0db8);
  words[address & 7] = address;
  return words;
}

const FRESH = [0, 0, UNJUDGED, UNJUDGED, 0, STATE_NEW | STATE_UNMET];

/** Few slots around the index's end, and few tags, so that conversations get into each other's way. */
const anyHash = fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 1 }))
  .map(([slot, tag]) => (slot & (INDEX_SIZE - 1)) | (tag << 24));
const anyConversations = fc.uniqueArray(
  fc.record<Conversation>({
    address: fc.integer({ min: -20, max: 20 }),
    ports: fc.constantFrom(0, 1, 80 << 16 | 443, -1),
    protocol: fc.constantFrom(TCP, 17),
    hash: anyHash,
  }),
  {
    minLength: 2,
    maxLength: 40,
    selector: ({ address, ports, protocol }) => `${address} ${ports} ${protocol}`,
  },
);
const anySteps = fc.array(fc.record({ which: fc.nat(), touches: fc.boolean() }), {
  maxLength: 200,
});

for (const isIpv6 of [false, true]) {
  const family = isIpv6 ? "IPv6" : "IPv4";

  Deno.test(`ConversationTable knows and forgets ${family} conversations as a Map in order would`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        anyConversations,
        anySteps,
        (limit, conversations, steps) => assertLikeModel(isIpv6, limit, conversations, steps),
      ),
      { numRuns: 300 },
    );
  });

  Deno.test(`ConversationTable finds all of many ${family} conversations while its index grows`, () => {
    const many = 50_000;
    const tested = new TestTable(isIpv6, many);
    const conversations = Array.from({ length: many }, (_, i) => realHash(isIpv6, i));
    const numbers = conversations.map((conversation) => tested.numberOf(conversation));
    assert.equal(new Set(numbers).size, many);
    conversations.forEach((conversation, i) => {
      assert.equal(tested.find(conversation), numbers[i]);
      tested.assertIs(numbers[i], conversation);
    });
    assert.equal(tested.table.count, many);
    assert.equal(tested.table.forgotten, 0);
  });

  Deno.test(`ConversationTable never has more ${family} conversations than its limit`, () => {
    const limit = 1000;
    let calls = 0;
    const tested = new TestTable(isIpv6, limit, () => calls++);
    for (let i = 0; i < 20_000; i++) {
      tested.numberOf(realHash(isIpv6, i));
      assert.ok(tested.table.count <= limit);
    }
    const { count, forgotten } = tested.table;
    assert.equal(count + forgotten, 20_000);
    assert.ok(calls > 0 && calls <= forgotten);
    // The newest are those that are left.
    for (let i = 0; i < 20_000; i++) {
      const isLeft = tested.find(realHash(isIpv6, i)) !== 0;
      assert.equal(isLeft, i >= 20_000 - count, `${i}`);
    }
  });
}

function realHash(isIpv6: boolean, address: number): Conversation {
  const ports = 443 << 16 | address & 0xffff;
  const hash = isIpv6
    ? hash6(ipv6Ends(address), 0, ports, TCP)
    : hash4(address, ~address, ports, TCP);
  return { address, ports, protocol: TCP, hash };
}

/** Follows each step in a Map whose order is that of the last touch. */
function assertLikeModel(
  isIpv6: boolean,
  limit: number,
  conversations: readonly Conversation[],
  steps: readonly { which: number; touches: boolean }[],
): void {
  let forgetting = 0;
  const tested = new TestTable(isIpv6, limit, () => {
    forgetting++;
    // Everything must still be there when what is pending is brought to its end.
    assert.deepEqual(tested.numbers(), [...model.values()]);
    assert.equal(tested.table.count, limit);
  });
  const model = new Map<Conversation, number>();
  let expectedForgetting = 0;
  for (const { which, touches } of steps) {
    const conversation = conversations[which % conversations.length];
    const known = model.get(conversation);
    const oldest = model.keys().next();
    const isFull = model.size === limit && known === undefined;
    assert.equal(tested.find(conversation), known ?? 0);
    const number = tested.numberOf(conversation);
    tested.assertIs(number, conversation);
    if (isFull) {
      expectedForgetting++;
      if (!oldest.done) model.delete(oldest.value);
    }
    if (known === undefined) {
      assert.ok(![...model.values()].includes(number), "a number is given to two conversations");
      assert.deepEqual(tested.state(number), FRESH);
      tested.use(number);
    }
    if (touches || known === undefined) {
      if (touches) tested.table.touch(number);
      model.delete(conversation);
      model.set(conversation, number);
    }
    assert.deepEqual(tested.numbers(), [...model.values()]);
    assert.equal(tested.table.count, model.size);
    assert.equal(tested.table.forgotten, expectedForgetting);
    assert.equal(forgetting, expectedForgetting);
  }
  for (const conversation of conversations) {
    assert.equal(tested.find(conversation), model.get(conversation) ?? 0);
  }
  assert.equal(tested.table.count, model.size);
}

Deno.test("ConversationTable refuses a limit that it can't number", () => {
  for (const limit of [0, -1, MOST_CONVERSATIONS + 1]) {
    assert.throws(() => new ConversationTable(1, limit), RangeError);
  }
});

Deno.test("ConversationTable spares those that had packets since they were touched", () => {
  const table = new ConversationTable(1, 64);
  const find = (address: number) => table.find4(hash(address), address, 1, 443, 6);
  const hash = (address: number) => hash4(address, 1, 443, 6);
  const add = (address: number, seconds: number) => {
    const number = table.add4(hash(address), address, 1, 443, 6);
    table.hot[(number << table.hotShift) + HOT_LAST_SEEN] = seconds;
    table.touch(number);
    return number;
  };
  const busy = add(0, 100);
  for (let address = 1; address < 64; address++) add(address, 100 + address);
  table.hot[(busy << table.hotShift) + HOT_LAST_SEEN] = 200;
  add(64, 201);
  assert.equal(find(0), busy);
  assert.equal(find(1), 0);
});
