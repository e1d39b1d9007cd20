import { CaptureError } from "../../ffi/capture_error.ts";
import { interfaceState } from "../../ffi/interface_state.ts";
import { Readiness } from "../../ffi/readiness.ts";
import type { Log } from "../log.ts";
import type { LiveOptions, LongPackets } from "./live_options.ts";
import { type OpenInterface, TIMEOUT_MILLISECONDS } from "./open_interface.ts";
import { PacketBatch } from "./packet_batch.ts";
import type { PacketSource, SourceStatistics } from "./packet_source.ts";
import { RingOpener } from "./ring_opener.ts";

/** Full batches that are given without a turn of the event loop; others must have theirs too. */
const FULL_BATCHES_IN_A_ROW = 8;
/** How often the interface is looked at, and opened again if it was away. */
const LOOK_MILLISECONDS = 1000;

/**
 * Packets of an interface, which is waited for when it goes down or away. How it is opened and read
 * is for the classes made from this one.
 */
export abstract class InterfaceSource implements PacketSource {
  readonly name: string;
  /** How often it came back after it had been away. */
  returns = 0;
  readonly #log: Log;
  readonly #readiness = new Readiness();
  /** `null` while the interface is away. */
  #capture: OpenInterface | null = null;
  /** Whether the capture can't go on: it is read until `lastReadAt`, when the rest has come. */
  #isOver = false;
  /** On the clock of `performance.now()`. */
  #lastReadAt = 0;
  /** What was counted by captures that are over, and of the present one when it was last asked. */
  readonly #counted: SourceStatistics = {
    received: 0,
    given: 0,
    droppedByKernel: 0,
    droppedByInterface: 0,
  };
  #away: string | null = null;
  #long: LongPackets = { ports: [], withNames: false };
  #lookedAt = performance.now();
  #fullBatches = 0;
  #isReading = false;
  #isClosed = false;

  /** What is filled with packets: its taker is whoever takes them where they lie. */
  readonly batch: PacketBatch;
  /** Where packets are to be put, if not just anywhere. */
  protected readonly input: Uint8Array<ArrayBuffer> | undefined;
  /** What opens the interface once that is not permitted any more. */
  protected readonly ring: RingOpener;

  /**
   * @param options How packets are taken.
   * @param capacity Most packets of a batch.
   * @param input Where packets are to be put, if not just anywhere: others may be put there too, once
   * those that were put there were taken.
   */
  protected constructor(
    name: string,
    options: Readonly<LiveOptions>,
    log: Log,
    capacity: number,
    input: Uint8Array<ArrayBuffer> | undefined,
  ) {
    this.name = name;
    this.#log = log;
    this.input = input;
    this.ring = new RingOpener(name, options, log);
    this.batch = new PacketBatch(capacity, input ?? new Uint8Array());
  }

  /**
   * Opens the interface for the first time, and again where {@linkcode InterfaceSource.needsPermission}.
   *
   * @param long Of which packets more is taken.
   * @throws {CaptureError} when it can't be captured on now; any other {@linkcode UserError} when it
   * never can.
   */
  protected abstract openInterface(long: LongPackets): OpenInterface;

  /**
   * Starts to take packets. An interface that is there and down is waited for.
   *
   * @throws {UserError} when there is no such interface, capture is not permitted, or the options
   * can't be met.
   */
  protected start(): this {
    try {
      this.#begin();
      this.ring.prepare();
      return this;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether it may need capabilities to open the interface again, which then have to be kept. */
  get needsPermission(): boolean {
    return this.ring.needsPermission;
  }

  /** That the interface went down or away, as it was said; `null` while it is up. */
  get away(): string | null {
    return this.#away;
  }

  async next(): Promise<PacketBatch | null> {
    if (this.#isClosed) return null;
    if (this.#isReading) throw new Error(`${this.name}: next() was called before the last is over`);
    this.#isReading = true;
    this.batch.clear();
    try {
      await this.#wait();
      if (this.#isClosed) return null;
      this.#look();
      if (this.#capture !== null) this.#read(this.#capture);
      return this.batch;
    } finally {
      this.#isReading = false;
      if (this.#isClosed) this.#release();
    }
  }

  /**
   * Takes more of some packets, from now on.
   *
   * @throws {UserError} when that can't be done.
   */
  takeMoreOf(long: LongPackets): void {
    this.#long = long;
    if (this.#isOver) return;
    try {
      this.#capture?.setLongPackets(long);
    } catch (error) {
      // An interface that has just gone is opened again as it is wanted.
      if (!(error instanceof CaptureError && error.isAbsence)) throw error;
      this.#log.debug(error.message);
    }
  }

  statistics(): SourceStatistics {
    this.#capture?.countInto(this.#counted);
    return { ...this.#counted };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A wait that is going on uses what would be given back: it is ended, and then sees to it.
    if (this.#isReading) this.#readiness.wake();
    else this.#release();
  }

  #begin(): void {
    try {
      const { warning } = this.#open();
      if (warning !== null) this.#log.warn(warning);
    } catch (error) {
      const isDown = error instanceof CaptureError && error.isAbsence &&
        interfaceState(this.name).index !== 0;
      if (!isDown) throw error;
      this.#sayAway("is down");
    }
  }

  async #wait(): Promise<void> {
    if (this.#fullBatches > 0 && this.#fullBatches < FULL_BATCHES_IN_A_ROW) return;
    // An interface that is down makes its descriptor ready all the time: then the time is waited.
    const fd = this.#capture === null || this.#away !== null ? null : this.#capture.fd;
    await this.#readiness.wait(fd, this.#fullBatches > 0 ? 0 : TIMEOUT_MILLISECONDS);
    this.#fullBatches = 0;
  }

  #read(capture: OpenInterface): void {
    const isLast = this.#isOver && performance.now() >= this.#lastReadAt;
    try {
      this.#fullBatches = capture.read(this.batch) ? this.#fullBatches + 1 : 0;
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      this.#log.debug(error.message);
      this.#lose(capture);
    }
    this.#counted.given += this.batch.count + this.batch.taken;
    // What the last batch refers to is gone with the capture: it is an empty one.
    if (isLast && this.batch.isEmpty) this.#end(capture);
  }

  /**
   * The interface that is open is no more: what the kernel has of it is read, then it is over. One that has
   * another name now, or is up again, has more packets all the time: they are not taken, or it would never
   * be over.
   */
  #lose(capture: OpenInterface): void {
    this.#sayAway(interfaceState(this.name).index === capture.index ? "went down" : "has vanished");
    if (this.#isOver) return;
    capture.stop();
    this.#isOver = true;
    this.#lastReadAt = performance.now() + 2 * TIMEOUT_MILLISECONDS;
  }

  /** Once in a while: is the interface the one that is open, and is it up? */
  #look(): void {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MILLISECONDS) return;
    this.#lookedAt = now;
    const capture = this.#capture;
    if (capture === null) {
      this.#openAgain();
    } else if (capture.index !== 0) {
      const { index, isUp } = interfaceState(this.name);
      if (index !== capture.index) this.#lose(capture);
      else if (!isUp) this.#sayAway("went down");
      else if (!this.#isOver) this.#sayBack();
    }
  }

  #openAgain(): void {
    try {
      this.#open();
      this.#sayBack();
    } catch (error) {
      if (!(error instanceof CaptureError) || error.isPermission) throw error;
      this.#log.debug(error.message);
    }
  }

  #open(): OpenInterface {
    const capture = this.ring.needsPermission
      ? this.openInterface(this.#long)
      : this.ring.open(this.#long, this.input);
    this.#capture = capture;
    this.#isOver = false;
    this.batch.setBytes(capture.bytes);
    return capture;
  }

  #end(capture: OpenInterface): void {
    capture.countInto(this.#counted);
    this.batch.clear();
    this.batch.setBytes(new Uint8Array());
    capture.close();
    this.#capture = null;
    this.#fullBatches = 0;
    // It may be back, with packets that nobody takes.
    this.#lookedAt = -Infinity;
  }

  #sayAway(what: string): void {
    if (this.#away !== null) return;
    this.#away = `${this.name} ${what}`;
    this.#log.warn(`${this.#away}: capture waits for it to come back`);
  }

  #sayBack(): void {
    if (this.#away === null) return;
    this.#log.info(`${this.name} is up: capture goes on`);
    this.#away = null;
    this.returns++;
  }

  #release(): void {
    // In this order no ring is given back that is closed at once: with many interfaces that took seconds.
    this.ring.close();
    if (this.#capture !== null) this.#end(this.#capture);
    this.#readiness.close();
  }
}
