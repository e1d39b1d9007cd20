import { PacketBatch } from "../src/capture/packet_batch.ts";

/** A packet of a batch. */
export interface BatchPacket {
  packet: Uint8Array;
  linkType: number;
  seconds: number;
  /** Of its second. */
  milliseconds?: number;
  /** Its number, from 1. */
  interface?: number;
  /** Bytes on the wire, when there are fewer here. */
  length?: number;
}

/**
 * A batch of some packets.
 *
 * @param between Bytes between them, and before the first and after the last.
 * @param filler What these are.
 */
export function batchOf(packets: readonly BatchPacket[], between = 0, filler = 0): PacketBatch {
  const size = packets.reduce((sum, { packet }) => sum + packet.length + between, between);
  const batch = new PacketBatch(Math.max(1, packets.length), new Uint8Array(size).fill(filler));
  let at = between;
  for (const { packet, linkType, seconds, ...more } of packets) {
    const i = batch.count++;
    batch.bytes.set(packet, at);
    batch.offset[i] = at;
    batch.captured[i] = packet.length;
    batch.length[i] = more.length ?? packet.length;
    batch.seconds[i] = seconds;
    batch.milliseconds[i] = more.milliseconds ?? 0;
    batch.interface[i] = more.interface ?? 0;
    batch.linkType[i] = linkType;
    at += packet.length + between;
  }
  return batch;
}
