import type { Cidr } from "../config/cidr.ts";
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
import { fileSize, newSieveWorker, type SieveWorker, startSieveWorker } from "./sieve_start.ts";

/** Has the thread read a file. */
export interface SiftMessage {
  /** Which of the files that it has read. */
  readonly number: number;
  readonly path: string;
  readonly filter: string | undefined;
  /** That of times: see `TimeOrigin`. */
  readonly origin: number;
  readonly settings: SieveSettings;
  /** Which sieve of those that it has had: another number is a new one. */
  readonly sieve: number;
  /** That of the sieve. */
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
}

/**
 * What the thread tells: that it was loaded, or how a file ended, before it hands over the last batch.
 */
export type SieveMessage = "loaded" | {
  readonly number: number;
  readonly end: End;
  /** Packets whose times could not be told: see `TimeOrigin`. */
  readonly untold: number;
};

/** How the reading of a file ended. */
type End = { readonly kind: "ended" } | Failure;

/** What is sifted of packets, and how, as far as that decides what comes out. */
export interface SiftedCapture {
  readonly path: string;
  /** See pcap-filter(7); `undefined` for none. */
  readonly filter: string | undefined;
  /** That of times. @default 0 */
  readonly origin?: number;
  readonly settings: Pick<SieveSettings, "maxConversations" | "readPorts" | "ownNetworks">;
}

/** For how long, in milliseconds, nothing else has its turn while packets are waited for. */
const PATIENCE = 20;

/** A thread that reads saved captures and sifts their packets while this one attributes them. */
export class SieveThread {
  /** Resolves when it has loaded its modules, or has failed to. */
  readonly loaded: Promise<void>;
  readonly #worker: Worker;
  /** The meter that the last sieve worked for, and the sieve's memory. */
  #meter = 0;
  #memory: WebAssembly.Memory | null = null;
  #sieves = 0;
  #file: SiftedFile | null = null;
  #files = 0;
  /** Why it is of no use any more. */
  #failure: Failure | null = null;
  /** What it reads before it was asked to, and what comes of it. */
  #presumed: { readonly capture: SiftedCapture; readonly file: SiftedFile } | null = null;
  /** By what its sieves are told that all conversations are to be seen anew. */
  readonly #anew = new Int32Array(new SharedArrayBuffer(4));

  /** @param worker The thread, if it was started. */
  constructor({ worker, loaded }: SieveWorker = newSieveWorker()) {
    this.#worker = worker;
    this.loaded = loaded.then((failure) => {
      if (failure !== null) this.#fail(failure);
    });
    worker.onmessage = ({ data }: MessageEvent<SieveMessage>) => {
      if (data === "loaded" || data.number !== this.#files) return;
      this.#file?.setEnd(data.end, data.untold);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
  }

  /** Starts it, or gives `null` where {@linkcode startSieveWorker} does. */
  static startFor(names: readonly string[]): SieveThread | null {
    const worker = startSieveWorker(names);
    return worker === null ? null : new SieveThread(worker);
  }

  /**
   * Has it read a file that it will probably be asked to read for a meter that has seen nothing yet.
   * Where it is asked for something else, that was in vain, and nothing more.
   *
   * @returns What {@linkcode SieveThread.read} gives if it is asked for just that.
   */
  presume(capture: SiftedCapture): SiftedFile {
    this.#memory = null;
    const file = this.#start(capture);
    this.#presumed = { capture, file };
    return file;
  }

  /** Has it read a file, after the one before was read to its end or closed. */
  read(
    path: string,
    filter: string | undefined,
    settings: SieveSettings,
    origin = 0,
  ): SiftedFile {
    const presumed = this.#presumed;
    this.#presumed = null;
    if (presumed !== null && isSame(presumed.capture, { path, filter, origin, settings })) {
      this.#meter = settings.id;
      presumed.file.follow(settings.anew);
      return presumed.file;
    }
    presumed?.file.close();
    // What a meter has not taken, its sieve must not take for known.
    if (this.#meter !== settings.id || this.#file?.isWhole === false) this.#memory = null;
    this.#meter = settings.id;
    const file = this.#start({ path, filter, origin, settings });
    file.follow(settings.anew);
    return file;
  }

  /** Has the last sieve read a file, or a new one where there is none. */
  #start({ path, filter, origin = 0, settings: given }: SiftedCapture): SiftedFile {
    const { maxConversations, readPorts, ownNetworks } = given;
    const settings = { id: 0, maxConversations, readPorts, ownNetworks, anew: this.#anew };
    if (this.#memory === null) {
      this.#memory = sieveMemory(settings);
      this.#sieves++;
    }
    const memory = this.#memory;
    const control = ringControl();
    const layout = new SieveLayout(settings);
    const ring = new SieveRing(control, layout);
    const output = new SieveOutput(memory.buffer, layout);
    const file = new SiftedFile(path, ring, output, this.#anew);
    const number = ++this.#files;
    this.#file = file;
    if (this.#failure !== null) file.setEnd(this.#failure);
    const sieve = this.#sieves;
    const message: SiftMessage = {
      number,
      path,
      filter,
      origin,
      settings,
      sieve,
      memory,
      control,
    };
    this.#worker.postMessage(message);
    return file;
  }

  #fail(why: string): void {
    this.#failure = failureOf(new Error(`the sieve's thread: ${why}`));
    this.#file?.setEnd(this.#failure);
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
  /** Packets whose times could not be told, when it has ended: see `TimeOrigin`. */
  untold = 0;
  /** By what the sieve is told that all is to be seen anew, and what says so here. */
  readonly #anew: Int32Array;
  #followed: Int32Array | null = null;

  constructor(path: string, ring: SieveRing, output: SieveOutput, anew: Int32Array) {
    this.name = path;
    this.size = fileSize(path);
    this.#ring = ring;
    this.#output = output;
    this.#anew = anew;
  }

  /** Has all conversations seen anew when this number is another one, as a meter counts it. */
  follow(anew: Int32Array): void {
    this.#followed = anew;
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
    if (this.#followed !== null) Atomics.store(this.#anew, 0, this.#followed[0]);
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
  setEnd(end: End, untold = 0): void {
    this.#end = end;
    this.untold = untold;
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

function isSame(one: SiftedCapture, other: SiftedCapture): boolean {
  const [settings, others] = [one.settings, other.settings];
  return one.path === other.path && one.filter === other.filter &&
    (one.origin ?? 0) === (other.origin ?? 0) &&
    settings.maxConversations === others.maxConversations &&
    settings.ownNetworks.length === others.ownNetworks.length &&
    settings.ownNetworks.every((cidr, i) => isSameCidr(cidr, others.ownNetworks[i])) &&
    areSamePorts(settings.readPorts, others.readPorts);
}

function isSameCidr(one: Cidr, other: Cidr): boolean {
  return one.family === other.family && one.prefixLength === other.prefixLength &&
    one.words.every((word, i) => word === other.words[i]);
}

function areSamePorts(one: Uint8Array, other: Uint8Array): boolean {
  // Eight at once, as this is run but once, and so not compiled.
  const [words, others] = [one, other].map(({ buffer }) => new BigUint64Array(buffer));
  return words.every((word, i) => word === others[i]);
}
