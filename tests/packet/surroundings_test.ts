import assert from "node:assert/strict";
import fc from "fast-check";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { Engine } from "../../src/engine/engine.ts";
import { OBSERVATION_WORDS } from "../../src/model/observation_batch.ts";
import { keyText } from "../../src/sink/keys.ts";
import { UserError } from "../../src/user_error.ts";
import { batchOf, type BatchPacket } from "../batches.ts";
import { LINK_LAYERS } from "../link_layers.ts";
import { mappingOf } from "../observed_keys.ts";
import { bytes } from "../packets.ts";
import { SAMPLE_PACKETS, type SamplePacket } from "../sample_packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import { readPacket } from "./read_packet.ts";

/**
 * What may lie around a packet. Each would change the result if it were read: zeros, ones, and bytes
 * that look like versions, header lengths and protocols.
 */
const FILLERS = [0x00, 0xff, 0x06, 0x11, 0x3a, 0x45, 0x60];
const MUTATED_PACKETS = 20_000;
const MOST_MUTATIONS = 8;
/** A second of the Engine's time has so many packets. */
const PACKETS_A_SECOND = 50;
const FIRST_SECOND = 1_700_000_000;

const anyFiller = fc.integer({ min: 0, max: 255 });
const anyLinkType = fc.constantFrom(...new Set(LINK_LAYERS.map(({ linkType }) => linkType)));
const anySample = fc.constantFrom(...SAMPLE_PACKETS);

Deno.test("decode() reads nothing beyond a packet that is cut anywhere", () => {
  for (const { packet, linkType } of SAMPLE_PACKETS) {
    for (let captured = 0; captured <= packet.length; captured++) {
      assertSameSurrounded(packet.subarray(0, captured), linkType);
    }
  }
});

Deno.test("decode() reads nothing beyond a packet with any byte changed", () => {
  fc.assert(
    fc.property(
      anySample,
      fc.array(fc.tuple(fc.nat(), anyFiller), { maxLength: MOST_MUTATIONS }),
      fc.nat(),
      anyFiller,
      anyFiller,
      ({ packet, linkType }, changes, cut, one, other) => {
        const changed = bytes(packet).subarray(0, packet.length - cut % 20);
        for (const [at, byte] of changes) changed[at % changed.length] = byte;
        assert.deepEqual(readPacket(changed, linkType, one), readPacket(changed, linkType, other));
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("decode() reads nothing beyond bytes that are no packet", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      anyLinkType,
      anyFiller,
      anyFiller,
      (...taken) => {
        const [packet, linkType, one, other] = taken;
        assert.deepEqual(readPacket(packet, linkType, one), readPacket(packet, linkType, other));
      },
    ),
    { numRuns: 2000 },
  );
});

function assertSameSurrounded(packet: Uint8Array, linkType: number, message?: string): void {
  const read = readPacket(packet, linkType, FILLERS[0]);
  for (const filler of FILLERS.slice(1)) {
    assert.deepEqual(readPacket(packet, linkType, filler), read, message);
  }
}

/** The packet with some bytes changed, taken out, put in, or cut off. */
function mutated(packet: Uint8Array, random: SeededRandom): Uint8Array {
  let changed = [...packet];
  for (let left = 1 + random.below(MOST_MUTATIONS); left > 0; left--) {
    const at = random.below(changed.length + 1);
    switch (random.below(6)) {
      case 0:
        changed = changed.slice(0, at);
        break;
      case 1:
        changed.splice(at, 1 + random.below(4));
        break;
      case 2:
        changed.splice(at, 0, random.of(FILLERS), random.below(256));
        break;
      case 3:
        changed[Math.max(0, at - 1)] ^= 1 << random.below(8);
        break;
      default:
        // Headers lie at the front, so that is where most of it is done.
        changed[random.below(Math.min(changed.length + 1, 80))] = random.below(256);
    }
  }
  return Uint8Array.from(changed, (byte) => byte ?? 0);
}

function assertMutatedPacketsAreSafe(samples: readonly SamplePacket[]): void {
  const random = new SeededRandom();
  const again = `FLOSENSOR_TEST_SEED=${random.seed}`;
  const packets: BatchPacket[] = [];
  for (let i = 0; i < MUTATED_PACKETS; i++) {
    const { packet, linkType } = random.of(samples);
    const seconds = FIRST_SECOND + Math.floor(i / PACKETS_A_SECOND) - random.below(3);
    packets.push({ packet: mutated(packet, random), linkType, seconds });
  }
  try {
    for (const [i, { packet, linkType }] of packets.entries()) {
      assertSameSurrounded(packet, linkType, `packet ${i}`);
    }
    const alone = metered(packets, 0, 0);
    assert.equal(alone.decoded.reduce((sum, count) => sum + count), MUTATED_PACKETS);
    // Were all of them refused, the test would say nothing.
    assert.ok(alone.decoded[0] > MUTATED_PACKETS / 20, `${alone.decoded[0]} were decoded`);
    assert.ok(alone.keys.length > 0);
    for (const filler of FILLERS) assert.deepEqual(metered(packets, 64, filler), alone);
  } catch (error) {
    throw new Error(`${again}: ${error}`, { cause: error });
  }
}

/** What a meter makes of the packets, in batches with other bytes between the packets. */
function metered(
  packets: readonly BatchPacket[],
  between: number,
  filler: number,
): { decoded: readonly number[]; keys: string[] } {
  const keys: string[] = [];
  const mapping = mappingOf({ suppressOwnNetwork: false }, ["10.0.0.0/8", "2001:db8::/32"]);
  const meter = new Engine({
    mapping,
    maxConversations: 100,
    emit: ({ words, count }) => {
      for (let i = 0; i < count; i++) keys.push(keyText(words, i * OBSERVATION_WORDS));
    },
  });
  for (let from = 0; from < packets.length; from += 1000) {
    meter.take(batchOf(packets.slice(from, from + 1000), between, filler));
  }
  meter.flush();
  return { decoded: meter.statistics().decoded, keys };
}

Deno.test("Engine takes 20,000 mutated packets, and their surroundings change nothing", () => {
  assertMutatedPacketsAreSafe(SAMPLE_PACKETS);
});

/** Some packets from the beginning of each shared capture. */
async function sharedSamples(): Promise<SamplePacket[]> {
  const samples: SamplePacket[] = [];
  for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
    const source = SavefileSource.open(sharedCapture(`pcap/${name}`));
    try {
      const batch = await source.next();
      for (let i = 0; batch !== null && i < Math.min(batch.count, 40); i++) {
        const { bytes, offset, captured, linkType } = batch;
        const packet = bytes.slice(offset[i], offset[i] + Math.min(captured[i], 300));
        samples.push({ packet, linkType: linkType[i] });
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    } finally {
      source.close();
    }
  }
  return samples;
}

Deno.test({
  name: `Engine takes 20,000 mutated packets of real captures${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => assertMutatedPacketsAreSafe(await sharedSamples()),
});
