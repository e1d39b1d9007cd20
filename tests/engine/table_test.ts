/** The engine's tables of conversations. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { EngineMemory, type EngineProgram, NO_HOST } from "../../src/engine/engine_memory.ts";
import {
  CELL4_SHIFT,
  CELL6_SHIFT,
  CELL_ADDRESSES,
  CELL_NEWER,
  CELL_OCTETS,
  CELL_PORTS,
  CELL_SECONDS,
  CELL_STATE,
  CELL_UNTIL,
  COLD_EVIDENCE,
  COLD_OUTCOME,
  COLD_SHIFT,
  FACTS_DESTINATION,
  FACTS_DESTINATION_PORT,
  FACTS_IS_IPV6,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FACTS_SOURCE_PORT,
  IN_TUNNEL,
  IS_OUTER,
  NUMBER_MASK,
  SECRETS,
  SECRETS_SIZE,
  STATE_HAS_NEW_PEERS,
  STATE_NEW,
  STATE_UNOPENED,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
  TABLE_COLD,
  TABLE_COUNT,
  TABLE_FORGOTTEN,
  TABLE_OLDEST,
  UNCLASSIFIED,
  WORD,
} from "../../src/engine/layout.ts";

const TCP = 6;

/** A conversation of a test: what tells it from others. */
interface Conversation {
  address: number;
  ports: number;
  protocol: number;
}

/** The table of one family. */
class TestTable {
  readonly #program: EngineProgram;
  readonly #memory: EngineMemory;
  readonly #isIpv6: boolean;

  /** @param isCrowded Whether all conversations are in a few slots of the index. */
  constructor(isIpv6: boolean, limit: number, isCrowded: boolean) {
    this.#isIpv6 = isIpv6;
    this.#memory = new EngineMemory(limit, 10);
    // Without secrets, hashes of small numbers are small numbers.
    if (isCrowded) this.#memory.bytes.fill(0, SECRETS, SECRETS + SECRETS_SIZE);
    this.#program = this.#memory.start(NO_HOST);
  }

  /** The number of a conversation, which is added if it is not known. */
  numberOf(conversation: Conversation): number {
    this.#tell(conversation);
    return this.#program.findFacts(true);
  }

  /** The number of a conversation, or 0. */
  find(conversation: Conversation): number {
    this.#tell(conversation);
    return this.#program.findFacts(false);
  }

  touch(number: number): void {
    this.#program.touch(this.#isIpv6, number);
  }

  /** Says when the last packet of a conversation came. */
  setSeconds(number: number, seconds: number): void {
    this.#memory.view.setUint32(this.#cell(number) + CELL_SECONDS, seconds, true);
  }

  get count(): number {
    return this.#word(TABLE_COUNT);
  }

  get forgotten(): number {
    return this.#word(TABLE_FORGOTTEN);
  }

  /** All numbers, the oldest first. */
  numbers(): number[] {
    const numbers: number[] = [];
    for (let number = this.#word(TABLE_OLDEST); number !== 0;) {
      numbers.push(number);
      number = this.#memory.view.getUint32(this.#cell(number) + CELL_NEWER, true);
    }
    return numbers;
  }

  /** The words that a new conversation must have in a known state. */
  state(number: number): number[] {
    const { words } = this.#memory;
    const cell = this.#cell(number) / WORD;
    const cold = (this.#word(TABLE_COLD) + number * 2 ** COLD_SHIFT) / WORD;
    return [
      ...words.subarray(cell + CELL_UNTIL / WORD, cell + CELL_PORTS / WORD),
      ...words.subarray(cell + CELL_OCTETS / WORD, cell + CELL_OCTETS / WORD + 6),
      words[cell + CELL_STATE / WORD] & OF_STATE,
      words[cold + COLD_OUTCOME / WORD] >>> 0,
      words[cold + COLD_OUTCOME / WORD + 1] >>> 0,
      words[cold + COLD_EVIDENCE / WORD],
    ];
  }

  /** Puts something into the words of {@linkcode TestTable.state}. */
  use(number: number): void {
    const { words } = this.#memory;
    const cell = this.#cell(number) / WORD;
    const cold = (this.#word(TABLE_COLD) + number * 2 ** COLD_SHIFT) / WORD;
    words.fill(77, cell + CELL_UNTIL / WORD, cell + CELL_SECONDS / WORD);
    words.fill(77, cell + CELL_OCTETS / WORD, cell + CELL_OCTETS / WORD + 6);
    // All of them are open.
    words[cell + CELL_STATE / WORD] ^= OF_STATE;
    words.fill(77, cold, cold + 2 ** COLD_SHIFT / WORD);
  }

  assertIs(number: number, { address, ports, protocol }: Conversation): void {
    const { words } = this.#memory;
    const cell = this.#cell(number) / WORD;
    assert.equal(words[cell + CELL_STATE / WORD] & 0xff, protocol);
    const from = cell + CELL_ADDRESSES / WORD;
    const size = this.#isIpv6 ? 4 : 1;
    const one = [...words.subarray(from, from + size)];
    const other = [...words.subarray(from + size, from + 2 * size)];
    const [source, destination] = endsOf(address).map((end) => [...end.subarray(4 - size)]);
    const isTurned = String(one) !== String(source);
    assert.deepEqual(isTurned ? [other, one] : [one, other], [source, destination]);
    const turned = (ports << 16) | (ports >>> 16);
    const its = words[cell + CELL_PORTS / WORD];
    assert.ok(its === (ports | 0) || its === turned);
  }

  #tell({ address, ports, protocol }: Conversation): void {
    const { words } = this.#memory;
    const [source, destination] = endsOf(address);
    words[FACTS_IS_IPV6 / WORD] = this.#isIpv6 ? 1 : 0;
    words[FACTS_PROTOCOL / WORD] = protocol;
    words.set(source, FACTS_SOURCE / WORD);
    words.set(destination, FACTS_DESTINATION / WORD);
    words[FACTS_SOURCE_PORT / WORD] = ports >>> 16;
    words[FACTS_DESTINATION_PORT / WORD] = ports & 0xffff;
  }

  #word(word: number): number {
    return this.#memory.view.getUint32((this.#isIpv6 ? TABLE6 : TABLE4) + word, true);
  }

  #cell(number: number): number {
    return this.#word(TABLE_CELLS) + number * 2 ** (this.#isIpv6 ? CELL6_SHIFT : CELL4_SHIFT);
  }
}

/** Addresses of both ends, which differ in one word only, another one each time. */
function endsOf(address: number): [Int32Array, Int32Array] {
  const source = new Int32Array(4).fill(0x2001_0db8);
  const destination = new Int32Array(4).fill(0x2001_0db8);
  destination[3] = address;
  source[address & 3] = ~address;
  return [source, destination];
}

/** What of a state is no part of what a conversation is known by. */
const OF_STATE = 0xffff00 & ~(IN_TUNNEL | IS_OUTER | STATE_UNOPENED);

const NEW = [
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  STATE_NEW | STATE_HAS_NEW_PEERS,
  ...[UNCLASSIFIED, UNCLASSIFIED, 0],
];

const anyConversations = fc.uniqueArray(
  fc.record<Conversation>({
    address: fc.integer({ min: -20, max: 20 }),
    ports: fc.constantFrom(0, 1, 80 << 16 | 443, -1),
    protocol: fc.constantFrom(TCP, 17),
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

  Deno.test(`the table knows and forgets ${family} conversations as a Map in order would`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        anyConversations,
        anySteps,
        fc.boolean(),
        (limit, conversations, steps, isCrowded) =>
          assertLikeModel(new TestTable(isIpv6, limit, isCrowded), limit, conversations, steps),
      ),
      { numRuns: 300 },
    );
  });

  Deno.test(`the table finds all of many ${family} conversations while its index grows`, () => {
    const many = 50_000;
    const tested = new TestTable(isIpv6, many, false);
    const numbers = Array.from({ length: many }, (_, i) => tested.numberOf(numbered(i)));
    assert.equal(new Set(numbers).size, many);
    numbers.forEach((number, i) => {
      assert.equal(tested.find(numbered(i)), number);
      tested.assertIs(number, numbered(i));
    });
    assert.equal(tested.count, many);
    assert.equal(tested.forgotten, 0);
  });

  Deno.test(`the table never has more ${family} conversations than its limit`, () => {
    const limit = 1000;
    const tested = new TestTable(isIpv6, limit, false);
    for (let i = 0; i < 20_000; i++) {
      tested.numberOf(numbered(i));
      assert.ok(tested.count <= limit);
    }
    assert.equal(tested.count + tested.forgotten, 20_000);
    // The newest are those that are left.
    for (let i = 0; i < 20_000; i++) {
      assert.equal(tested.find(numbered(i)) !== 0, i >= 20_000 - tested.count, `${i}`);
    }
  });

  Deno.test(`the table spares ${family} conversations that had packets since they were touched`, () => {
    const tested = new TestTable(isIpv6, 64, false);
    const add = (i: number, seconds: number) => {
      const number = tested.numberOf(numbered(i));
      tested.setSeconds(number, seconds);
      tested.touch(number);
      return number;
    };
    const busy = add(0, 100);
    for (let i = 1; i < 64; i++) add(i, 100 + i);
    tested.setSeconds(busy, 200);
    add(64, 201);
    assert.equal(tested.find(numbered(0)), busy);
    assert.equal(tested.find(numbered(1)), 0);
  });
}

function numbered(address: number): Conversation {
  return { address, ports: 443 << 16 | address & 0xffff, protocol: TCP };
}

/** Follows each step in a Map whose order is that of the last touch. */
function assertLikeModel(
  tested: TestTable,
  limit: number,
  conversations: readonly Conversation[],
  steps: readonly { which: number; touches: boolean }[],
): void {
  const model = new Map<Conversation, number>();
  let expectedForgotten = 0;
  for (const { which, touches } of steps) {
    const conversation = conversations[which % conversations.length];
    const known = model.get(conversation);
    const oldest = model.keys().next();
    const isFull = model.size === limit && known === undefined;
    assert.equal(tested.find(conversation), known ?? 0);
    const number = tested.numberOf(conversation);
    tested.assertIs(number, conversation);
    if (isFull) {
      expectedForgotten++;
      if (!oldest.done) model.delete(oldest.value);
    }
    if (known === undefined) {
      assert.ok(![...model.values()].includes(number), "a number is given to two conversations");
      assert.deepEqual(tested.state(number), NEW);
      tested.use(number);
    }
    if (touches || known === undefined) {
      if (touches) tested.touch(number);
      model.delete(conversation);
      model.set(conversation, number);
    }
    assert.deepEqual(tested.numbers(), [...model.values()]);
    assert.equal(tested.count, model.size);
    assert.equal(tested.forgotten, expectedForgotten);
  }
  for (const conversation of conversations) {
    assert.equal(tested.find(conversation), model.get(conversation) ?? 0);
  }
}

Deno.test("a memory is refused for more conversations than can be numbered, or none", () => {
  for (const limit of [0, -1, NUMBER_MASK + 1]) {
    assert.throws(() => new EngineMemory(limit), RangeError);
  }
  // Places of packets are signed words to JavaScript, and those of cells are not.
  new EngineMemory(4_000_000);
});
