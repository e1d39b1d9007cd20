import type { ReadBytes } from "../../src/capture/chunk_reader.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { UserError } from "../../src/user_error.ts";

/** A packet as a source gave it. */
export interface SavedPacket {
  seconds: number;
  length: number;
  linkType: number;
  packet: Uint8Array;
}

/** All that a source gave. */
export interface SavedPackets {
  packets: SavedPacket[];
  /** The message with which it ended, or `null` when it came to its end. */
  failure: string | null;
}

/** Reads a source to its end and closes it. */
export async function readAll(source: SavefileSource): Promise<SavedPackets> {
  const packets: SavedPacket[] = [];
  try {
    for (let batch; (batch = await source.next()) !== null;) {
      const { bytes, offset, captured, length, seconds, linkType, count } = batch;
      for (let i = 0; i < count; i++) {
        packets.push({
          seconds: seconds[i],
          length: length[i],
          linkType: linkType[i],
          packet: bytes.slice(offset[i], offset[i] + captured[i]),
        });
      }
    }
    return { packets, failure: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { packets, failure: error.message };
  } finally {
    source.close();
  }
}

/** Gives bytes as a file does, or as a pipe: later, and no more than so many at once. */
export function reading(data: Uint8Array, pipe?: { atOnce: number }): ReadBytes {
  let done = 0;
  const read = (into: Uint8Array, most: number) => {
    if (done === data.length) return null;
    const part = data.subarray(done, done + Math.min(most, into.length));
    into.set(part);
    done += part.length;
    return part.length;
  };
  if (pipe === undefined) return (into) => read(into, Infinity);
  return (into) => Promise.resolve().then(() => read(into, pipe.atOnce));
}

/** The packets of a capture that is in memory, named `capture`. */
export function readBytes(data: Uint8Array): Promise<SavedPackets> {
  return readAll(new SavefileSource("capture", reading(data)));
}
