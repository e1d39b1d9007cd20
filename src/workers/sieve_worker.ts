/**
 * A thread of its own that reads saved captures and sifts their packets, for a meter in the main
 * thread. See `sieve_thread.ts`.
 *
 * @module
 */
import { filtered } from "../capture/filtered.ts";
import { SavefileSource } from "../capture/savefile_source.ts";
import { Sieve } from "../sieve/sieve.ts";
import { SieveLayout, SieveOutput } from "../sieve/sieve_memory.ts";
import { SieveRing } from "../sieve/sieve_ring.ts";
import { failureOf } from "./failure.ts";
import type { EndMessage, SiftMessage } from "./sieve_thread.ts";
import type { WorkerScope } from "./worker_scope.ts";

/** Thrown where the main thread has closed the file. */
const NOBODY_WANTS_MORE = new Error("the file was closed");

const scope = globalThis as unknown as WorkerScope<SiftMessage, EndMessage>;

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
  #received = 0;
  #position = 0;

  constructor(message: SiftMessage) {
    const { control, memory, settings } = message;
    this.#ring = new SieveRing(control, new SieveLayout(settings));
    this.#output = new SieveOutput(memory.buffer);
    this.#sieve = sieveFor(message);
  }

  async run(message: SiftMessage): Promise<void> {
    try {
      await this.#read(message);
      scope.postMessage({ number: message.number, end: { kind: "ended" } });
    } catch (error) {
      scope.postMessage({ number: message.number, end: failureOf(error) });
    }
    this.#sayLast();
  }

  async #read({ path, filter }: SiftMessage): Promise<void> {
    const file = SavefileSource.open(path, this.#sieve.newInput());
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
    const room = this.#ring.room();
    if (room === null) throw NOBODY_WANTS_MORE;
    const end = this.#sieve.sift(from, room, this.#output);
    this.#received += end - from;
    this.#output.setProgress(this.#received, this.#position, false);
    this.#ring.fill(room, this.#output.endAddress);
    return end;
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
