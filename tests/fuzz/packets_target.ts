import assert from "node:assert/strict";
import { readPacket } from "../packet/read_packet.ts";
import { bytes } from "../packets.ts";
import { PcapngSection } from "../pcapng.ts";
import type { SamplePacket } from "../sample_packets.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { capturePartsOf } from "./capture_parts.ts";
import { CaptureStories, packetsOf, READING_WAYS, SURROUNDED_WAYS } from "./capture_story.ts";
import type { CorpusCapture } from "./corpus.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { Mutator } from "./mutator.ts";
import { namesStory } from "./names_story.ts";

/** Packets of an input at most. */
const MOST_PACKETS = 500;
/** Of one capture, which belong together. */
const MOST_OF_ONE = 100;
const FIRST_SECOND = 1_700_000_000;
const MICROSECONDS = 1_000_000;
/** Conversations that another engine has room for, in which more of them meet. */
const LASTING_CONVERSATIONS = 20_000;
/** Bytes around a packet: two kinds, of which each would change the result if it were read. */
const FILLERS = [0x00, 0x45] as const;

/**
 * Packets that are changed, in captures that are whole. What comes of them is the same read as a file,
 * from a pipe, by records or by an index, and whatever lies between the packets.
 */
export class PacketsTarget implements FuzzTarget {
  readonly name = "packets";
  readonly weight = 6;
  readonly given = { packets: 0, lines: 0 };
  readonly #captures: readonly CorpusCapture[];
  readonly #stories = new CaptureStories();
  readonly #lasting = new CaptureStories(LASTING_CONVERSATIONS);

  constructor(captures: readonly CorpusCapture[]) {
    this.#captures = captures.filter(({ packets }) => packets.length > 0);
  }

  make(random: SeededRandom, kept: readonly Uint8Array[]): Uint8Array {
    if (kept.length > 0 && random.below(4) === 0) return changedPackets(random.of(kept), random);
    const count = 1 + random.below(random.of([20, MOST_PACKETS, MOST_PACKETS]));
    const some: SamplePacket[] = [];
    while (some.length < count) {
      const { packets } = random.of(this.#captures);
      const from = random.below(packets.length);
      some.push(...packets.slice(from, from + 1 + random.below(MOST_OF_ONE)));
    }
    return captureOf(changed(some, random), random);
  }

  async check(input: Uint8Array): Promise<void> {
    await this.#check(input, this.#stories);
    const packets = await packetsOf(input);
    const { lines } = await this.#lasting.of(input, "records");
    this.given.packets += packets.length;
    this.given.lines += lines.length;
  }

  async checkAlone(input: Uint8Array): Promise<void> {
    await this.#check(input, new CaptureStories());
  }

  async #check(input: Uint8Array, all: CaptureStories): Promise<void> {
    const packets = await packetsOf(input);
    try {
      const story = await all.of(input, "records");
      assert.equal(story.error, "");
      assert.equal(story.received, packets.length);
      for (const way of [...READING_WAYS.slice(1), ...SURROUNDED_WAYS]) {
        assert.deepEqual(await all.of(input, way), story, `${way} is not as records`);
      }
    } catch (error) {
      all.forget();
      throw error;
    }
    for (const { packet, linkType } of packets) {
      const [one, other] = FILLERS.map((filler) => readPacket(packet, linkType, filler));
      assert.deepEqual(other, one, "decode() reads beyond a packet");
    }
    const [names, otherNames] = FILLERS.map((filler) => namesStory(packets, filler));
    assert.deepEqual(otherNames, names, "what reads names reads beyond a packet");
  }

  partsOf(input: Uint8Array): Uint8Array[] {
    return capturePartsOf(input);
  }
}

/** Packets some of which are changed, left out, doubled, or in another order. */
export function changed(packets: readonly SamplePacket[], random: SeededRandom): SamplePacket[] {
  const mutator = new Mutator(random);
  const others = packets.map(({ packet }) => packet);
  const oneIn = random.of([1, 2, 8]);
  const all = packets.flatMap((sample) => {
    if (random.below(30) === 0) return [];
    const isChanged = random.below(oneIn) === 0;
    const packet = isChanged ? mutator.mutated(sample.packet, others) : sample.packet;
    const linkType = random.below(200) === 0 ? random.below(300) : sample.linkType;
    return random.below(30) === 0 ? [sample, { packet, linkType }] : [{ packet, linkType }];
  });
  for (let swaps = random.below(4); swaps > 0 && all.length > 1; swaps--) {
    const [one, other] = [random.below(all.length), random.below(all.length)];
    [all[one], all[other]] = [all[other], all[one]];
  }
  return all;
}

/** A capture in pcapng of packets of any link types, at times that mostly go on. */
function captureOf(packets: readonly SamplePacket[], random: SeededRandom): Uint8Array {
  const section = new PcapngSection(random.below(4) !== 0);
  const linkTypes = [...new Set(packets.map(({ linkType }) => linkType))];
  for (const linkType of linkTypes) section.interface({ linkType });
  let time = FIRST_SECOND * MICROSECONDS + random.below(MICROSECONDS);
  const pace = random.of([1000, 100_000, 3 * MICROSECONDS]);
  for (const { packet, linkType } of packets) {
    time += random.below(40) === 0
      ? random.of([-5, -40, 20, 70, 200, 4000]) * MICROSECONDS
      : random.below(pace);
    const length = packet.length + (random.below(20) === 0 ? random.below(1500) : 0);
    section.enhanced(linkTypes.indexOf(linkType), BigInt(time), packet, length);
  }
  return section.bytes();
}

/** The same with some of its packets changed: in place, so that the file stays whole. */
function changedPackets(capture: Uint8Array, random: SeededRandom): Uint8Array {
  const mutator = new Mutator(random);
  return bytes(
    ...capturePartsOf(capture).map((block) => {
      const head = 28;
      const isPacket = block.length > head + 64 && block[0] + block[3] === 6;
      if (!isPacket || random.below(3) !== 0) return block;
      const end = block.length - 24;
      const content = mutator.mutated(block.subarray(head, end)).subarray(0, end - head);
      const whole = block.slice();
      whole.set(content, head);
      return whole;
    }),
  );
}
