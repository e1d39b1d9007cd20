import assert from "node:assert/strict";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_PEER,
  OBSERVATION_WORDS,
  WORD_PORTS,
} from "../../src/model/observation_batch.ts";
import { ObservationTable } from "../../src/sink/observation_table.ts";
import { SeededRandom } from "../seeded_random.ts";

/** What is sighted: two addresses by a number, and what tells observations of them apart. */
interface Sighted {
  readonly isIpv6: boolean;
  readonly client: number;
  readonly server: number;
  readonly what: number;
  readonly protocol: number;
}

/** The words of an address that differs from others in one word, of IPv6 in any of the four. */
function addressWords(isIpv6: boolean, number: number): number[] {
  if (!isIpv6) return [0, 0, 0, number * 0x1000_0001 >>> 0];
  const words = [0xfe80_0000, 0, 0, 1];
  words[number & 3] = 0xffff_0000 + number;
  return words;
}

/** Keeps what the table does, in Maps whose order is that of the last observation. */
class Model {
  readonly #families = [new Map<string, unknown[]>(), new Map<string, unknown[]>()];
  leftOut = 0;

  constructor(readonly maxRows: number) {}

  add(sighted: Sighted, seconds: number, note: number, name: string | undefined): void {
    const family = this.#families[sighted.isIpv6 ? 1 : 0];
    const key = JSON.stringify(sighted);
    const [, first, last, , itsName] = family.get(key) ??
      [key, seconds, seconds, note, undefined] as [string, number, number, number, undefined];
    if (!family.delete(key) && family.size === this.maxRows) {
      family.delete(family.keys().next().value!);
      this.leftOut++;
    }
    family.set(key, [
      key,
      Math.min(first as number, seconds),
      Math.max(last as number, seconds),
      note,
      name ?? itsName,
    ]);
  }

  list(): unknown[][] {
    return this.#families.flatMap((family) => [...family.values()])
      .sort((one, other) => (one[2] as number) - (other[2] as number));
  }
}

/** What the table lists, as the model does. */
function listed(table: ObservationTable, byAddresses: Map<string, Sighted>): unknown[][] {
  return table.list().map((it) => {
    const { isIpv6, addresses, at, what, protocol } = it;
    const text = addresses.subarray(at, at + 8).join();
    const { client, server } = byAddresses.get(`${isIpv6} ${text}`)!;
    const key = JSON.stringify({ isIpv6, client, server, what, protocol });
    return [key, it.first, it.last, it.note, it.name];
  });
}

function assertLikeModel(maxRows: number, kinds: number, steps: number, random: SeededRandom) {
  const table = new ObservationTable(maxRows);
  const model = new Model(maxRows);
  const words = new Uint32Array(OBSERVATION_WORDS);
  const byAddresses = new Map<string, Sighted>();
  for (let i = 0; i < steps; i++) {
    const sighted: Sighted = {
      isIpv6: random.below(2) === 0,
      client: random.below(kinds),
      server: random.below(3),
      what: random.of([0, 443, 0xff_ffff]),
      protocol: random.of([6, 17, 255]),
    };
    const { isIpv6, client, server, what, protocol } = sighted;
    // Times of before and after 2038.
    const seconds = 0x7fff_ff00 + random.below(512);
    const note = random.below(200);
    const name = random.below(4) === 0 ? `name ${random.below(5)}` : undefined;
    words[0] = isIpv6 ? IPV6_BIT : 0;
    words.set([...addressWords(isIpv6, client), ...addressWords(isIpv6, server)], 1);
    byAddresses.set(`${isIpv6} ${words.subarray(1, 9).join()}`, sighted);
    table.add(isIpv6, words, 0, what, protocol, seconds, note, name);
    model.add(sighted, seconds, note, name);
    if (i === steps - 1 || steps < 1000) {
      const where = `FLOSENSOR_TEST_SEED=${random.seed}, ${maxRows} rows, step ${i}`;
      assert.deepEqual(listed(table, byAddresses), model.list(), where);
      assert.equal(table.leftOut, model.leftOut, where);
    }
  }
}

Deno.test("ObservationTable counts as Maps in the order of the last observation would", () => {
  const random = new SeededRandom();
  for (let round = 0; round < 40; round++) {
    assertLikeModel(1 + random.below(12), 1 + random.below(8), 60, random);
  }
});

Deno.test("ObservationTable counts as Maps would, where many rows make room for others", () => {
  assertLikeModel(700, 200, 20_000, new SeededRandom());
});

Deno.test("ObservationTable takes flows among observations as it takes them one by one", () => {
  const random = new SeededRandom();
  for (let round = 0; round < 20; round++) {
    const maxRows = 1 + random.below(12);
    const one = new ObservationTable(maxRows);
    const together = new ObservationTable(maxRows);
    for (let batch = 0; batch < 10; batch++) {
      const count = random.below(30);
      const words = new Uint32Array(count * OBSERVATION_WORDS);
      const hasNames = random.below(3) > 0;
      const nameOf = (_isIpv6: boolean, offset: number) =>
        words[offset + WORD_PORTS] % 3 === 0 ? `name ${words[offset + WORD_PORTS]}` : undefined;
      for (let i = 0; i < count; i++) {
        const offset = i * OBSERVATION_WORDS;
        const isIpv6 = random.below(2) === 0;
        const kind = random.of([KIND_CLIENT, KIND_FLOW, KIND_FLOW, KIND_PEER]);
        const [port, protocol, by] = [random.below(5), random.of([6, 17]), random.below(16)];
        const seconds = 0x7fff_ff00 + random.below(512);
        words[offset] = kind | (isIpv6 ? IPV6_BIT : 0);
        words.set(
          [...addressWords(isIpv6, random.below(4)), ...addressWords(isIpv6, 9)],
          offset + 1,
        );
        words.set([port, (protocol << 8) | by, seconds], offset + WORD_PORTS);
        if (kind !== KIND_FLOW) continue;
        const name = hasNames ? nameOf(isIpv6, offset) : undefined;
        one.add(isIpv6, words, offset, port, protocol, seconds, by, name);
      }
      together.addFlows(words, count, hasNames ? nameOf : null);
      const seen = (table: ObservationTable) =>
        table.list().map((
          { addresses, at, ...rest },
        ) => [[...addresses.subarray(at, at + 8)], rest]);
      assert.deepEqual(seen(together), seen(one), `FLOSENSOR_TEST_SEED=${random.seed}`);
      assert.equal(together.leftOut, one.leftOut);
    }
  }
});

Deno.test("ObservationTable takes more observations than its program has room for at once", () => {
  const count = 10_000;
  const words = new Uint32Array(count * OBSERVATION_WORDS);
  for (let i = 0; i < count; i++) {
    words[i * OBSERVATION_WORDS] = KIND_FLOW;
    words[i * OBSERVATION_WORDS + 4] = i >>> 1;
  }
  const table = new ObservationTable(count);
  table.addFlows(words, count, (_isIpv6, offset) => `name ${words[offset + 4]}`);
  const all = table.list();
  assert.equal(all.length, count / 2);
  for (const { addresses, at, name } of all) {
    assert.equal(name, `name ${addresses[at + 3]}`);
  }
});
