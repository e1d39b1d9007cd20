import type { PacketBatch } from "../src/capture/packet_batch.ts";
import { SavefileSource } from "../src/capture/savefile_source.ts";
import { parseInterfacePrefix } from "../src/config/cidr.ts";
import { Mapping } from "../src/config/mapping.ts";
import { type Config, defineConfig } from "../src/config/mod.ts";
import { validate } from "../src/config/validate.ts";
import { Engine } from "../src/engine/engine.ts";
import { OBSERVATION_WORDS } from "../src/model/observation_batch.ts";
import { keyText } from "../src/sink/keys.ts";
import { UserError } from "../src/user_error.ts";

/** A mapping of what a test has in the place of config.ts. */
export function mappingOf(config: Config<string>, ourNets: string[]): Mapping {
  const ignore = { warn: () => {} };
  return new Mapping(validate(defineConfig(config)), ourNets.map(parseInterfacePrefix), ignore);
}

/**
 * The keys, in order, that a capture gives with a mapping, up to its end or to where it is cut.
 *
 * @param isWanted Which packets are given to the meter.
 */
export function observedKeys(
  path: string,
  mapping: Mapping,
  isWanted: (packet: DataView) => boolean = () => true,
): Promise<string[]> {
  return keysTaken(path, mapping, (meter, batch) => {
    keepWanted(batch, isWanted);
    meter.take(batch);
  });
}

/** The same, with another way of giving a batch to the meter. */
export async function keysTaken(
  path: string,
  mapping: Mapping,
  take: (meter: Engine, batch: PacketBatch) => void,
): Promise<string[]> {
  const keys: string[] = [];
  const meter = new Engine({
    // Small, as hundreds of meters are made one after the other.
    maxConversations: 50_000,
    mapping,
    emit: ({ words, count }) => {
      for (let i = 0; i < count; i++) keys.push(keyText(words, i * OBSERVATION_WORDS));
    },
  });
  const source = SavefileSource.open(path);
  try {
    for (let batch; (batch = await source.next()) !== null;) take(meter, batch);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  } finally {
    source.close();
  }
  meter.flush();
  return keys;
}

function keepWanted(batch: PacketBatch, isWanted: (packet: DataView) => boolean): void {
  const { bytes, offset, captured } = batch;
  let kept = 0;
  for (let i = 0; i < batch.count; i++) {
    const packet = new DataView(bytes.buffer, bytes.byteOffset + offset[i], captured[i]);
    if (isWanted(packet)) batch.move(i, kept++);
  }
  batch.count = kept;
}
