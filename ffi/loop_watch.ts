import { libc } from "./libc.ts";
import { LIBC_PATHS, mayUseLibc } from "./library.ts";
import { addressOf, allocate, cString } from "./memory.ts";

/** Resolve all symbols now, dlopen(3). */
const RTLD_NOW = 2;
/** clock_gettime(2): the processor time of the thread that makes the timer. */
const CLOCK_THREAD_CPUTIME_ID = 3;
/** `struct sigevent` of sigevent(3type), and that the C library calls a function in a thread. */
const SIGEVENT = { value: 0, notify: 12, function: 16, size: 64 };
const SIGEV_THREAD = 2;
/** `struct itimerspec` of timer_settime(2): four words, of which the third is seconds. */
const ITIMERSPEC = { seconds: 16, size: 32 };

/** Something that the C library does after some seconds. */
interface Deed {
  readonly seconds: number;
  /** Name of a function of one parameter. */
  readonly function: "warnx" | "_exit";
  readonly parameter: bigint;
}

/**
 * Watches over the thread that makes it: where its event loop has not turned for some seconds of
 * processor time, something in it has no end, and no JavaScript of this thread will run again to say so.
 * Then the C library does: by timers, whose functions are its own (timer_create(2), err(3)). Neither a
 * process that was stopped nor a machine that is busy or was suspended looks like that.
 */
export class LoopWatch {
  /** How often, in milliseconds, the event loop says that it turns. */
  static readonly TURN = 1_000;
  readonly #timers: bigint[] = [];
  /** What C keeps addresses of. */
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];
  readonly #seconds: number[] = [];
  readonly #interval: ReturnType<typeof setInterval>;

  private constructor(program: string, warnings: ReadonlyMap<number, string>, end: number | null) {
    setProgramName(program);
    for (const [seconds, text] of warnings) {
      // What is a format would read what is not there.
      const format = this.#keep(text.replaceAll("%", "%%"));
      this.#add({ seconds, function: "warnx", parameter: addressOf(format) });
    }
    if (end !== null) this.#add({ seconds: end, function: "_exit", parameter: 1n });
    this.turn();
    this.#interval = setInterval(() => this.turn(), LoopWatch.TURN);
    Deno.unrefTimer(this.#interval as unknown as number);
  }

  /**
   * Begins to watch; `null` where the C library may not be used, or has no such timers.
   *
   * @param program What begins each line.
   * @param warnings What is written to standard error after so many seconds of processor time.
   * @param end After so many the process ends with status 1; `null` for never.
   */
  static start(
    program: string,
    warnings: ReadonlyMap<number, string>,
    end: number | null,
  ): LoopWatch | null {
    if (!mayUseLibc()) return null;
    const { timer_create, timer_settime, timer_delete, dlopen, dlsym_address } = libc();
    if (!timer_create || !timer_settime || !timer_delete || !dlopen || !dlsym_address) return null;
    return new LoopWatch(program, warnings, end);
  }

  /** The event loop turns: all times start again. */
  turn(): void {
    for (const [i, timer] of this.#timers.entries()) this.#set(timer, this.#seconds[i]);
  }

  /** Watches no more. */
  close(): void {
    clearInterval(this.#interval);
    for (const timer of this.#timers.splice(0)) libc().timer_delete!(timer);
  }

  #add({ seconds, function: name, parameter }: Deed): void {
    const address = addressInLibc(name);
    if (address === null) return;
    const event = allocate(SIGEVENT.size);
    const words = new DataView(event.buffer);
    words.setBigUint64(SIGEVENT.value, parameter, true);
    words.setInt32(SIGEVENT.notify, SIGEV_THREAD, true);
    words.setBigUint64(SIGEVENT.function, address, true);
    const timer = allocate(BigUint64Array.BYTES_PER_ELEMENT);
    if (libc().timer_create!(CLOCK_THREAD_CPUTIME_ID, event, timer) !== 0) return;
    this.#timers.push(new DataView(timer.buffer).getBigUint64(0, true));
    this.#seconds.push(seconds);
  }

  #set(timer: bigint, seconds: number): void {
    const time = allocate(ITIMERSPEC.size);
    new DataView(time.buffer).setBigInt64(ITIMERSPEC.seconds, BigInt(seconds), true);
    libc().timer_settime!(timer, 0, time, 0n);
  }

  #keep(text: string): Uint8Array<ArrayBuffer> {
    const string = cString(text);
    this.#kept.push(string);
    return string;
  }
}

/** The C library keeps its address, whether anything is watched or not. */
let programName: Uint8Array<ArrayBuffer> | null = null;

/** What err(3) begins a line with. */
function setProgramName(name: string): void {
  const variable = addressInLibc("program_invocation_short_name");
  if (variable === null || programName !== null) return;
  programName = cString(name);
  const pointer = allocate(BigUint64Array.BYTES_PER_ELEMENT);
  new DataView(pointer.buffer).setBigUint64(0, addressOf(programName), true);
  libc().store(variable, pointer, BigInt(pointer.length));
}

/** The address of a function or a variable of the C library. */
function addressInLibc(name: string): bigint | null {
  const { dlopen, dlsym_address } = libc();
  for (const path of LIBC_PATHS) {
    const handle = dlopen!(cString(path), RTLD_NOW);
    const address = handle === null ? 0n : dlsym_address!(handle, cString(name));
    if (address !== 0n) return address;
  }
  return null;
}
