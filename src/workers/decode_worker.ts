/**
 * A thread of its own that reads saved captures and decodes their packets, for a meter in the main
 * thread. See `decoding_thread.ts`.
 *
 * @module
 */
import { filtered } from "../capture/filtered.ts";
import type { PacketBatch } from "../capture/packet_batch.ts";
import { SavefileSource } from "../capture/savefile_source.ts";
import { BatchDecoder } from "../flow/batch_decoder.ts";
import { FILLED, NO_MORE, type Slot, SlotRing, TAKEN } from "./decoded_slot.ts";
import type { DecodeMessage, EndMessage } from "./decoding_thread.ts";
import { failureOf } from "./failure.ts";
import type { WorkerScope } from "./worker_scope.ts";

/** Thrown where the main thread has closed the file. */
const NOBODY_WANTS_MORE = new Error("the file was closed");

const scope = globalThis as unknown as WorkerScope<DecodeMessage, EndMessage>;

/** Reads one file. */
class Decoding {
  readonly #ring: SlotRing;
  readonly #decoder: BatchDecoder;
  #received = 0;
  #position = 0;

  constructor({ memory, settings }: DecodeMessage) {
    this.#ring = new SlotRing(memory);
    this.#decoder = new BatchDecoder(settings);
  }

  async run(message: DecodeMessage): Promise<void> {
    try {
      await this.#read(message);
      scope.postMessage({ number: message.number, end: { kind: "ended" } });
    } catch (error) {
      scope.postMessage({ number: message.number, end: failureOf(error) });
    }
    this.#sayLast();
  }

  async #read({ path, filter }: DecodeMessage): Promise<void> {
    const file = SavefileSource.open(path, () => this.#window());
    try {
      const source = await filtered(file, filter);
      for (let batch; (batch = await source.next()) !== null;) {
        this.#position = file.position;
        let from = 0;
        // A batch of which a filter keeps nothing says at least how far the file was read.
        do from = this.#fill(this.#freeSlot(), batch, from); while (from < batch.count);
      }
    } catch (error) {
      if (error !== NOBODY_WANTS_MORE) throw error;
    } finally {
      file.close();
    }
  }

  /** @returns The index after the packets that found room. */
  #fill(slot: Slot, batch: PacketBatch, from: number): number {
    const end = slot.endOfRoom(batch, from);
    this.#decoder.decode(batch, from, end, slot.decoded);
    slot.take(batch, from, end);
    this.#received += end - from;
    slot.setProgress(this.#received, this.#position, false);
    this.#handOver();
    return end;
  }

  #sayLast(): void {
    try {
      this.#freeSlot().setProgress(this.#received, this.#position, true);
      this.#handOver();
    } catch (error) {
      if (error !== NOBODY_WANTS_MORE) throw error;
    }
  }

  /** Memory to read into: of the slot that is filled next, where the bytes then stay. */
  #window(): Uint8Array {
    return this.#freeSlot().bytes;
  }

  #handOver(): void {
    Atomics.add(this.#ring.control, FILLED, 1);
    Atomics.notify(this.#ring.control, FILLED);
  }

  /**
   * Waits for the slot that is to be filled next.
   *
   * @throws {@linkcode NOBODY_WANTS_MORE}
   */
  #freeSlot(): Slot {
    const { control, slots } = this.#ring;
    const filled = Atomics.load(control, FILLED);
    for (;;) {
      const taken = Atomics.load(control, TAKEN);
      if (taken === NO_MORE) throw NOBODY_WANTS_MORE;
      if (filled - taken < slots.length) return slots[filled % slots.length];
      Atomics.wait(control, TAKEN, taken);
    }
  }
}

scope.onmessage = ({ data }) => void new Decoding(data).run(data);
