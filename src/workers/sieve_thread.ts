import { isPipe } from "../capture/pipe.ts";
import type { SourceStatistics } from "../capture/packet_source.ts";
import {
  SieveLayout,
  sieveMemory,
  SieveOutput,
  type SieveSettings,
} from "../sieve/sieve_memory.ts";
import type { SightingBatch } from "../sieve/sighting_batch.ts";
import { ringControl, SieveRing } from "../sieve/sieve_ring.ts";
import { errorOf, type Failure, failureOf } from "./failure.ts";
import { mayReadModules } from "./permission.ts";

/** Has the thread read a file. */
export interface SiftMessage {
  /** Which of the files that it has read. */
  readonly number: number;
  readonly path: string;
  readonly filter: string | undefined;
  readonly settings: SieveSettings;
  /** Which sieve of those that it has had: another number is a new one. */
  readonly sieve: number;
  /** That of the sieve. */
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
}

/** What the thread tells at the end of a file, before it hands over the last batch. */
export interface EndMessage {
  readonly number: number;
  readonly end: End;
}

/** How the reading of a file ended. */
type End = { readonly kind: "ended" } | Failure;

const WORKER = new URL("./sieve_worker.ts", import.meta.url);
/** Where there is more to read, in bytes, a thread is worth its start. */
const WORTH_A_THREAD = 16 * 1024 * 1024;
/** For how long, in milliseconds, nothing else has its turn while packets are waited for. */
const PATIENCE = 20;

/** A thread that reads saved captures and sifts their packets while this one attributes them. */
export class SieveThread {
  readonly #worker: Worker;
  /** The meter that the last sieve worked for, and the sieve's memory. */
  #meter = 0;
  #memory: WebAssembly.Memory | null = null;
  #sieves = 0;
  #file: SiftedFile | null = null;
  #files = 0;
  /** Why it is of no use any more. */
  #failure: Failure | null = null;

  constructor() {
    this.#worker = new Worker(WORKER, { type: "module", name: "sieve" });
    this.#worker.onmessage = ({ data }: MessageEvent<EndMessage>) => {
      if (data.number === this.#files) this.#file?.setEnd(data.end);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failure = failureOf(new Error(`the sieve's thread: ${event.message}`));
      this.#file?.setEnd(this.#failure);
    };
  }

  /**
   * Starts it, or gives `null` where it is of no use: there is little to read, or a pipe among it, no
   * second processor, or the program's own modules may not be read.
   *
   * @param names What will be read; other things may be among them, such as options. So nobody is asked
   * for permission to look at any of them.
   */
  static startFor(names: readonly string[]): SieveThread | null {
    const known = names.filter(mayLookAt);
    if (navigator.hardwareConcurrency < 2 || known.some(isPipe)) return null;
    if (known.reduce((sum, name) => sum + fileSize(name), 0) < WORTH_A_THREAD) return null;
    return mayReadModules(WORKER) ? new SieveThread() : null;
  }

  /** Has it read a file, after the one before was read to its end or closed. */
  read(path: string, filter: string | undefined, settings: SieveSettings): SiftedFile {
    // What a meter has not taken, its sieve must not take for known.
    if (this.#meter !== settings.id || this.#file?.isWhole === false) this.#memory = null;
    if (this.#memory === null) {
      this.#memory = sieveMemory(settings);
      this.#meter = settings.id;
      this.#sieves++;
    }
    const memory = this.#memory;
    const control = ringControl();
    const ring = new SieveRing(control, new SieveLayout(settings));
    const file = new SiftedFile(path, ring, memory.buffer);
    const number = ++this.#files;
    this.#file = file;
    if (this.#failure !== null) file.setEnd(this.#failure);
    const sieve = this.#sieves;
    const message: SiftMessage = { number, path, filter, settings, sieve, memory, control };
    this.#worker.postMessage(message);
    return file;
  }

  /** Ends it. */
  close(): void {
    this.#worker.terminate();
  }
}

/** What another thread sends on of the packets of a saved capture. */
export class SiftedFile {
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly #ring: SieveRing;
  readonly #output: SieveOutput;
  /** How it ended. Packets of before may still be there. */
  #end: End | null = null;
  /** Batches whose room was given back, and whether there is one that is being used. */
  #taken = 0;
  #isUsed = false;
  #received = 0;
  #position = 0;
  #closed = false;
  /** Whether all of it was given, be it to its end or to where it is damaged. */
  isWhole = false;

  constructor(path: string, ring: SieveRing, memory: ArrayBufferLike) {
    this.name = path;
    this.size = fileSize(path);
    this.#ring = ring;
    this.#output = new SieveOutput(memory);
  }

  /** Bytes that were used up to now. */
  get position(): number {
    return this.#position;
  }

  /**
   * Gives what is next, which is valid until it is called again, or `null` after the last.
   *
   * @throws {UserError} when the file can't be read, or is damaged.
   */
  async next(): Promise<SightingBatch | null> {
    if (this.#isUsed && !this.#closed) this.#ring.take(++this.#taken);
    this.#isUsed = await this.#isFilled();
    if (!this.#isUsed) return null;
    this.#received = this.#output.received;
    this.#position = this.#output.position;
    return this.#output;
  }

  statistics(): SourceStatistics {
    return { received: this.#received, droppedByKernel: 0, droppedByInterface: 0 };
  }

  close(): void {
    this.#closed = true;
    this.#ring.close();
  }

  /** Says how the reading ended. */
  setEnd(end: End): void {
    this.#end = end;
  }

  /** Waits for what is next. @returns Whether there is anything. */
  async #isFilled(): Promise<boolean> {
    while (!this.#closed) {
      const filled = this.#ring.filled(this.#taken);
      if (filled !== null) this.#output.moveTo(filled);
      if (filled !== null && !this.#output.isLast) return true;
      if (this.#end !== null && (filled !== null || this.#end.kind === "failed")) {
        this.isWhole = true;
        if (this.#end.kind === "failed") throw errorOf(this.#end);
        return false;
      }
      if (filled === null && this.#ring.wait(this.#taken, PATIENCE)) continue;
      // Signals, timers and what the thread says of the end have their turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return false;
  }
}

/** Whether what a name stands for can be looked at without anybody having to allow it. */
function mayLookAt(name: string): boolean {
  // Standard input needs no permission, and what is empty is no path.
  if (name === "-" || name === "") return name === "-";
  return Deno.permissions.querySync({ name: "read", path: name }).state === "granted";
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
