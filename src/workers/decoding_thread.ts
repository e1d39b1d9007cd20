import { isPipe } from "../capture/pipe.ts";
import type { SourceStatistics } from "../capture/packet_source.ts";
import type { DecodedBatch } from "../flow/decoded_batch.ts";
import type { DecoderSettings } from "../flow/batch_decoder.ts";
import {
  controlBuffer,
  FILLED,
  NO_MORE,
  type Slot,
  slotBuffers,
  type SlotMemory,
  SlotRing,
  TAKEN,
} from "./decoded_slot.ts";
import { errorOf, type Failure, failureOf } from "./failure.ts";
import { mayReadModules } from "./permission.ts";

/** Has the thread read a file. */
export interface DecodeMessage {
  /** Which of the files that it has read. */
  readonly number: number;
  readonly path: string;
  readonly filter: string | undefined;
  readonly settings: DecoderSettings;
  readonly memory: SlotMemory;
}

/** What the thread tells at the end of a file, before it hands over the last slot. */
export interface EndMessage {
  readonly number: number;
  readonly end: End;
}

/** How the reading of a file ended. */
type End = { readonly kind: "ended" } | Failure;

const WORKER = new URL("./decode_worker.ts", import.meta.url);
/** Where there is more to read, in bytes, a thread is worth its start. */
const WORTH_A_THREAD = 16 * 1024 * 1024;
/** For how long, in milliseconds, nothing else has its turn while packets are waited for. */
const PATIENCE = 20;

/** A thread that reads saved captures and decodes their packets while this one attributes them. */
export class DecodingThread {
  readonly #worker: Worker;
  readonly #slots = slotBuffers();
  #file: DecodedFile | null = null;
  #files = 0;
  /** Why it is of no use any more. */
  #failure: Failure | null = null;

  constructor() {
    this.#worker = new Worker(WORKER, { type: "module", name: "decoder" });
    this.#worker.onmessage = ({ data }: MessageEvent<EndMessage>) => {
      if (data.number === this.#files) this.#file?.setEnd(data.end);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failure = failureOf(new Error(`the decoding thread: ${event.message}`));
      this.#file?.setEnd(this.#failure);
    };
  }

  /**
   * Starts it, or gives `null` where it is of no use: there is little to read, or a pipe among it, no
   * second processor, or the program's own modules may not be read.
   *
   * @param names What will be read; other things may be among them.
   */
  static startFor(names: readonly string[]): DecodingThread | null {
    if (navigator.hardwareConcurrency < 2 || names.some(isPipe)) return null;
    if (names.reduce((sum, name) => sum + fileSize(name), 0) < WORTH_A_THREAD) return null;
    return mayReadModules(WORKER) ? new DecodingThread() : null;
  }

  /** Has it read a file, after the one before was read to its end or closed. */
  read(path: string, filter: string | undefined, settings: DecoderSettings): DecodedFile {
    const memory: SlotMemory = { control: controlBuffer(), slots: this.#slots };
    const file = new DecodedFile(path, memory);
    const number = ++this.#files;
    this.#file = file;
    if (this.#failure !== null) file.setEnd(this.#failure);
    this.#worker.postMessage({ number, path, filter, settings, memory } satisfies DecodeMessage);
    return file;
  }

  /** Ends it. */
  close(): void {
    this.#worker.terminate();
  }
}

/** The packets of a saved capture, decoded by another thread. */
export class DecodedFile {
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly #ring: SlotRing;
  /** How it ended. Packets of before may still be there. */
  #end: End | null = null;
  /** The slot that is being used. */
  #slot: Slot | null = null;
  #taken = 0;
  #received = 0;
  #position = 0;
  #closed = false;

  constructor(path: string, memory: SlotMemory) {
    this.name = path;
    this.size = fileSize(path);
    this.#ring = new SlotRing(memory);
  }

  /** Bytes that were used up to now. */
  get position(): number {
    return this.#position;
  }

  /**
   * Gives the next packets, which are valid until it is called again, or `null` after the last.
   *
   * @throws {UserError} when the file can't be read, or is damaged.
   */
  async next(): Promise<DecodedBatch | null> {
    this.#giveBack();
    const slot = await this.#filledSlot();
    if (slot === null) return null;
    this.#received = slot.received;
    this.#position = slot.position;
    return slot.decoded;
  }

  statistics(): SourceStatistics {
    return { received: this.#received, droppedByKernel: 0, droppedByInterface: 0 };
  }

  close(): void {
    this.#closed = true;
    // In the word that the other thread waits on, so that it can't miss it.
    Atomics.store(this.#ring.control, TAKEN, NO_MORE);
    Atomics.notify(this.#ring.control, TAKEN);
  }

  /** Says how the reading ended. */
  setEnd(end: End): void {
    this.#end = end;
  }

  /** Waits for packets. @returns `null` after the last. */
  async #filledSlot(): Promise<Slot | null> {
    const { control, slots } = this.#ring;
    while (!this.#closed) {
      const slot = slots[this.#taken % slots.length];
      const isFilled = Atomics.load(control, FILLED) !== this.#taken;
      if (isFilled && !slot.isLast) return this.#slot = slot;
      if (this.#end?.kind === "failed") throw errorOf(this.#end);
      if (this.#end?.kind === "ended" && isFilled) return null;
      const answer = isFilled ? "ended" : Atomics.wait(control, FILLED, this.#taken, PATIENCE);
      // Signals, timers and what the thread says of the end have their turn.
      if (answer !== "ok") await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return null;
  }

  #giveBack(): void {
    if (this.#slot === null) return;
    this.#slot = null;
    if (this.#closed) return;
    this.#taken++;
    Atomics.store(this.#ring.control, TAKEN, this.#taken);
    Atomics.notify(this.#ring.control, TAKEN);
  }
}

/** How long a file is, in bytes; 0 for what is none. */
function fileSize(name: string): number {
  try {
    const { isFile, size } = Deno.statSync(name);
    return isFile ? size : 0;
  } catch {
    return 0;
  }
}
