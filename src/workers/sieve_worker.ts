/**
 * A thread of its own that reads saved captures and sifts their packets, for a meter in the main
 * thread. See `sieve_thread.ts`.
 *
 * @module
 */
import { filtered } from "../capture/filtered.ts";
import type { RecordFormat } from "../capture/packet_batch.ts";
import { PACKETS_PER_BATCH, SavefileSource } from "../capture/savefile_source.ts";
import { TimeOrigin } from "../capture/time_origin.ts";
import { Sieve } from "../sieve/sieve.ts";
import { SieveLayout, SieveOutput } from "../sieve/sieve_memory.ts";
import { SieveRing } from "../sieve/sieve_ring.ts";
import { failureOf } from "./failure.ts";
import type { SieveMessage, SiftMessage } from "./sieve_thread.ts";
import type { WorkerScope } from "./worker_scope.ts";

/** Thrown where the main thread has closed the file. */
const NOBODY_WANTS_MORE = new Error("the file was closed");

const scope = globalThis as unknown as WorkerScope<SiftMessage, SieveMessage>;

/** That of the last file, whose conversations may go on in the next. */
let last: { readonly number: number; readonly sieve: Sieve } | null = null;

function sieveFor({ sieve, memory, settings }: SiftMessage): Sieve {
  if (last?.number !== sieve) last = { number: sieve, sieve: new Sieve(memory, settings) };
  return last.sieve;
}

/** Reads one file. */
class Sifting {
  readonly #ring: SieveRing;
  readonly #sieve: Sieve;
  readonly #output: SieveOutput;
  readonly #origin: TimeOrigin;
  #received = 0;
  #position = 0;

  constructor(message: SiftMessage) {
    const { control, memory, settings } = message;
    const layout = new SieveLayout(settings);
    this.#ring = new SieveRing(control, layout);
    this.#output = new SieveOutput(memory.buffer, layout);
    this.#sieve = sieveFor(message);
    this.#origin = TimeOrigin.of(message.origin);
  }

  async run(message: SiftMessage): Promise<void> {
    try {
      await this.#read(message);
      this.#post(message, { kind: "ended" });
    } catch (error) {
      this.#post(message, failureOf(error));
    }
    this.#sayLast();
  }

  #post({ number }: SiftMessage, end: Exclude<SieveMessage, "loaded">["end"]): void {
    scope.postMessage({ number, end, untold: this.#origin.untold });
  }

  async #read({ path, filter }: SiftMessage): Promise<void> {
    const input = this.#sieve.newInput();
    const file = SavefileSource.open(path, input, this.#origin);
    if (filter === undefined) {
      input.takeRecords = (format, from, end) => this.#siftRecords(file, format, from, end);
    }
    try {
      const source = await filtered(file, filter);
      for (let batch; (batch = await source.next()) !== null;) {
        this.#position = file.position;
        let from = 0;
        // A batch of which a filter keeps nothing says at least how far the file was read.
        do from = this.#sift(from); while (from < batch.count);
      }
    } catch (error) {
      if (error !== NOBODY_WANTS_MORE) throw error;
    } finally {
      file.close();
    }
  }

  /** @returns The index after the packets that found room. */
  #sift(from: number): number {
    const room = this.#room();
    const end = this.#sieve.sift(from, room, this.#output);
    this.#handOver(room, end - from);
    return end;
  }

  /** @returns The place after the records. */
  #siftRecords(file: SavefileSource, format: RecordFormat, from: number, end: number): number {
    const before = file.position - from;
    let at = from;
    for (let isMore = true; isMore;) {
      const room = this.#room();
      const sifted = this.#sieve.siftRecords(format, at, end, room, this.#output);
      if (sifted.count === 0) break;
      at = sifted.taken;
      this.#position = before + at;
      this.#handOver(room, sifted.count);
      isMore = sifted.count === PACKETS_PER_BATCH;
    }
    return at;
  }

  #room(): number {
    const room = this.#ring.room();
    if (room === null) throw NOBODY_WANTS_MORE;
    return room;
  }

  #handOver(room: number, packets: number): void {
    this.#received += packets;
    this.#output.setProgress(this.#received, this.#position, false);
    this.#ring.fill(room, this.#output.endAddress);
  }

  #sayLast(): void {
    const room = this.#ring.room();
    if (room === null) return;
    this.#output.moveTo(room);
    this.#output.setProgress(this.#received, this.#position, true);
    this.#ring.fill(room, room, true);
  }
}

scope.onmessage = ({ data }) => void new Sifting(data).run(data);
scope.postMessage("loaded");
