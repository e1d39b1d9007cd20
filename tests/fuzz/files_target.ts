import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import * as zlib from "node:zlib";
import { pcap } from "../packets.ts";
import { PcapngSection } from "../pcapng.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { capturePartsOf } from "./capture_parts.ts";
import {
  CaptureStories,
  type CaptureStory,
  errorOf,
  READING_WAYS,
  type ReadingWay,
} from "./capture_story.ts";
import type { CorpusCapture } from "./corpus.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { joined, Mutator } from "./mutator.ts";

const MOST_PACKETS = 60;
const PCAP_MAGICS = [0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34];
const FIRST_SECOND = 1_700_000_000;
/** Bytes that all compressed files begin with are changed less often than what is behind them. */
const MAGIC = 4;
/** What is said of compressed data that is damaged, and where what came of it before is no capture. */
const IN_COMPRESSED = /(?:gzip|zstd) data |what is packed in it is neither/;
/** Its decoder keeps what it took for such data as long as the process lives. */
const MOST_DAMAGED_ZSTD = 200;
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const NOTHING: CaptureStory = { lines: [], counted: null, received: 0, error: "nothing" };
/**
 * Capture files whose structure is changed: pcap and pcapng, also compressed with gzip and zstd. They are
 * read, or refused in one line, and all ways to read them come to the same.
 */
export class FilesTarget implements FuzzTarget {
  readonly name = "files";
  readonly weight = 20;
  readonly given = { files: 0, whole: 0, packets: 0 };
  #damagedZstd = 0;
  readonly #captures: readonly CorpusCapture[];
  readonly #files: readonly Uint8Array[];
  readonly #stories = new CaptureStories();

  constructor(captures: readonly CorpusCapture[]) {
    this.#captures = captures.filter(({ packets }) => packets.length > 0);
    this.#files = captures.map(({ file }) => file).filter((file) => file.length > 0);
  }

  make(random: SeededRandom, kept: readonly Uint8Array[]): Uint8Array {
    let file = kept.length > 0 && random.below(5) === 0
      ? random.of(kept)
      : this.#files.length > 0 && random.below(3) === 0
      ? random.of(this.#files).subarray(0, 1000 + random.below(20_000))
      : this.#built(random);
    const mutator = new Mutator(random);
    if (random.below(4) !== 0) file = restructured(file, random, mutator);
    if (random.below(3) === 0) file = mutator.mutated(file);
    const packing = random.below(8);
    if (packing > 2) return file;
    // Also several members or frames.
    const cut = random.below(3) === 0 ? random.below(file.length + 1) : file.length;
    const members = cut < file.length ? [file.subarray(0, cut), file.subarray(cut)] : [file];
    const packed = joined(members.map((it) => packing === 0 ? zstd(it) : gzipSync(it)));
    if (random.below(2) === 0) return packed;
    return joined([packed.subarray(0, MAGIC), mutator.mutated(packed.subarray(MAGIC))]);
  }

  async check(input: Uint8Array): Promise<void> {
    const story = await this.#check(input, this.#stories);
    this.given.files++;
    this.given.packets += story.received;
    if (story.error === "") this.given.whole++;
  }

  async checkAlone(input: Uint8Array): Promise<void> {
    await this.#check(input, new CaptureStories());
  }

  async #check(input: Uint8Array, all: CaptureStories): Promise<CaptureStory> {
    if (this.#damagedZstd >= MOST_DAMAGED_ZSTD && isZstd(input)) return NOTHING;
    const [error, ofPipe] = [await errorOf(input, false), await errorOf(input, true)];
    const isDamaged = IN_COMPRESSED.test(error) || IN_COMPRESSED.test(ofPipe);
    // What the decoder makes of it until then is also up to what its memory was used for before.
    if (isDamaged && isZstd(input)) {
      this.#damagedZstd++;
      for (const isPipe of [false, true]) assert.notEqual(await errorOf(input, isPipe), "");
      return NOTHING;
    }
    try {
      const story = await this.#story(input, all, "records");
      assert.equal(story.error, toldOf(error));
      for (const way of READING_WAYS.slice(1)) {
        assert.deepEqual(await this.#story(input, all, way), story, `${way} is not as records`);
      }
      return story;
    } catch (thrown) {
      all.forget();
      throw thrown;
    }
  }

  async #story(input: Uint8Array, all: CaptureStories, way: ReadingWay): Promise<CaptureStory> {
    const story = await all.of(input, way);
    return { ...story, error: toldOf(story.error) };
  }

  partsOf(input: Uint8Array): Uint8Array[] {
    return capturePartsOf(input);
  }

  #built(random: SeededRandom): Uint8Array {
    const { packets } = random.of(this.#captures);
    const from = random.below(packets.length);
    const some = packets.slice(from, from + 1 + random.below(MOST_PACKETS));
    if (random.below(2) === 0) {
      const [{ linkType }] = some;
      const timed = some.map(({ packet }, i) => ({ packet, seconds: FIRST_SECOND + i / 10 }));
      const littleEndian = random.below(3) !== 0;
      return pcap(timed, { linkType, littleEndian, magic: random.of(PCAP_MAGICS) });
    }
    const sections = Array.from({ length: 1 + random.below(3) }, () => {
      const section = new PcapngSection(random.below(2) === 0);
      const resolution = random.of([undefined, 6, 9, 3, 0x80 | 20, 0, 0x80, 127, 255]);
      const offset = random.of([undefined, 0n, 100n, -1_000_000n]);
      const linkTypes = [...new Set(some.map(({ linkType }) => linkType))];
      for (const linkType of linkTypes) {
        section.interface({ linkType, resolution, offset, snapshotLength: random.of([0, 96]) });
      }
      for (const [i, { packet, linkType }] of some.entries()) {
        const number = linkTypes.indexOf(linkType);
        const time = BigInt(FIRST_SECOND) * 1_000_000n + BigInt(i * 100_000);
        switch (random.below(6)) {
          case 0:
            section.simple(packet);
            break;
          case 1:
            section.obsolete(number, time, packet);
            break;
          case 2:
            section.block(random.of([4, 5, 10, 0xbad, 0x8000_0000]), packet.slice(0, 40 & ~3));
            break;
          default:
            section.enhanced(number, time, packet);
        }
      }
      return section.bytes();
    });
    return joined(sections);
  }
}

/**
 * A message. Which of two is told of damaged compressed data, and how much of it was read by then, is up to
 * how much is read at once.
 */
function toldOf(error: string): string {
  return IN_COMPRESSED.test(error) ? "it is compressed, and damaged" : error;
}

/** Blocks and records left out, doubled, in another order, cut, and with wrong lengths and types. */
function restructured(file: Uint8Array, random: SeededRandom, mutator: Mutator): Uint8Array {
  let parts = capturePartsOf(file);
  for (let left = 1 + random.below(4); left > 0 && parts.length > 0; left--) {
    const at = random.below(parts.length);
    switch (random.below(6)) {
      case 0:
        parts = parts.toSpliced(at, 1);
        break;
      case 1:
        parts = parts.toSpliced(random.below(parts.length), 0, parts[at]);
        break;
      case 2: {
        const other = random.below(parts.length);
        parts = parts.with(at, parts[other]).with(other, parts[at]);
        break;
      }
      case 3:
        parts = parts.slice(0, at + 1);
        break;
      default: {
        // The head of a block or record, with its type and lengths.
        const part = parts[at];
        const head = mutator.mutated(part.subarray(0, 28)).subarray(0, part.length);
        parts = parts.with(at, joined([head, part.subarray(Math.min(head.length, 28))]));
      }
    }
  }
  return joined(parts);
}

function isZstd(input: Uint8Array): boolean {
  return ZSTD_MAGIC.every((byte, i) => input[i] === byte);
}

/** Deno 2.6 has no zstd: there the data stays as it is. */
function zstd(data: Uint8Array): Uint8Array {
  const { zstdCompressSync } = zlib as { zstdCompressSync?: (data: Uint8Array) => Uint8Array };
  return zstdCompressSync === undefined ? data : zstdCompressSync(data);
}
