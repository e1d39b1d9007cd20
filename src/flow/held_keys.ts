import { startProgram } from "../wasm_program.ts";
import { PROGRAM } from "./key_program.ts";
import { IDENTITY_WORDS } from "./observation_batch.ts";

/** A key is held back in the window in which it was written and the two after it. */
export const WINDOWS_HELD = 3;
/** Seconds of a window. */
export const WINDOW_SECONDS = 30;
/** The first window that can be given. */
export const FIRST_WINDOW = 1000;

const PAGE = 64 * 1024;
const WORD = 4;
/** A slot is two words: 32 bits of a fingerprint, then 24 more of them and the window. */
const SLOT = 2 * WORD;
const FIRST_SIZE = 1 << 10;
/** Numbers of 8 bytes that fingerprints are made with, eleven for each half: see `assembly/fingerprint.ts`. */
const SECRETS = 2 * 11 * 2 * WORD;
/** The program takes what is at 0 for an address of which all words are 0. */
const FIRST_PLACE = 64;
/** How full the set may be after it was swept: see `assembly/keys.ts`. */
const FULL_AFTERWARDS = 0.45;

/** What `assembly/keys.ts` exports. */
export interface KeyProgram {
  setUpKeys(
    slots: number,
    otherSlots: number,
    ages: number,
    limit: number,
    windowsHeld: number,
    firstWindow: number,
    secrets: number,
  ): void;
  setUpWriter(
    staged: number,
    fingerprints: number,
    observations: number,
    flowsBy: number,
  ): void;
  admit(first: number, second: number, window: number): number;
  admitObservation(observation: number, window: number): number;
  stageFlow(
    place: number,
    isIpv6: boolean,
    client: number,
    server: number,
    port: number,
    about: number,
    isIgnored: boolean,
    seconds: number,
  ): void;
  commit(count: number, observed: number, window: number): number;
  forgotten(): number;
}

/**
 * The keys that were written lately, so that a busy flow costs one write in 60 to 90 seconds
 * (three rotating windows of 30 s, as the Redis contract has it): a hash set with open addressing.
 *
 * A key is known by 56 bits of its fingerprint. That two keys have the same, and one is held back
 * for a minute because of the other, happens once in 10^10 keys with a million of them in the set; in
 * return a key is 8 bytes, and asking about one is mostly one wait for memory.
 *
 * The set is in WebAssembly (`assembly/keys.ts`). It has room for its full size twice from the start,
 * as it is swept from the one into the other: the system gives memory when it is first used.
 */
export class HeldKeys {
  readonly memory: HeldKeysMemory;
  readonly #program: KeyProgram;

  /**
   * @param limit How many keys are held at most after a sweep, and about twice as many before it.
   * Above it the oldest are let go, which costs writes that were not needed, and loses nothing.
   * @param windows In how many windows a key is held back, that in which it was written included.
   * @param room How many bytes besides its own are wanted in the program's memory.
   */
  constructor(limit: number, windows: number = WINDOWS_HELD, room = 0) {
    const places = heldKeysPlaces(FIRST_PLACE, limit, windows, room);
    const pages = Math.ceil(places.end / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#program = startProgram<KeyProgram>(PROGRAM, memory);
    this.memory = places.setUp(this.#program, memory.buffer);
  }

  /** Keys that were let go before their time because too many were held. */
  get forgotten(): number {
    return this.#program.forgotten();
  }

  /**
   * Asks whether a key may be written in this window. If so, it counts as written.
   *
   * @param first The first half of its fingerprint.
   * @param second The second half.
   * @param window At least {@linkcode FIRST_WINDOW}, and never less than in an earlier call.
   * @returns 0 if it may be written, otherwise the window in which it may.
   */
  admit(first: number, second: number, window: number): number {
    return this.#program.admit(first, second, window);
  }

  /**
   * The same for the key of an observation.
   *
   * @param words Has the observation, which begins at `at`.
   */
  admitObservation(words: Uint32Array, at: number, window: number): number {
    const { identity, identityAt } = this.memory;
    for (let word = 0; word < IDENTITY_WORDS; word++) identity[word] = words[at + word];
    return this.#program.admitObservation(identityAt, window);
  }
}

/** Where a set of held keys is that may be among other things, and the program that knows it. */
export interface HeldKeysMemory {
  readonly program: KeyProgram;
  readonly buffer: ArrayBufferLike;
  /** Where the room is that was asked for. */
  readonly room: number;
  /** Room for the words that tell the key of an observation from others, and where it is. */
  readonly identity: Uint32Array;
  readonly identityAt: number;
}

/** Where a set of held keys is to be. */
export interface HeldKeysPlaces {
  /** The first byte after it. */
  readonly end: number;
  /** Makes it there, empty. */
  setUp(program: KeyProgram, buffer: ArrayBufferLike): HeldKeysMemory;
}

/**
 * Finds places for a set of held keys, from some byte of a memory on. Parameters are as of
 * {@linkcode HeldKeys}.
 */
export function heldKeysPlaces(
  from: number,
  limit: number,
  windows: number,
  room: number,
): HeldKeysPlaces {
  const secrets = aligned(from + room);
  const identityAt = secrets + SECRETS;
  const ages = identityAt + IDENTITY_WORDS * WORD;
  const slots = aligned(ages + windows * WORD);
  const size = largestSize(limit) * SLOT;
  return {
    end: slots + 2 * size,
    setUp(program, buffer) {
      // Unknown to whoever sends us packets, so that they can't choose what has the same fingerprint.
      new Uint32Array(buffer, secrets, SECRETS / WORD)
        .set(crypto.getRandomValues(new Uint32Array(SECRETS / WORD)));
      program.setUpKeys(slots, slots + size, ages, limit, windows, FIRST_WINDOW, secrets);
      const identity = new Uint32Array(buffer, identityAt, IDENTITY_WORDS);
      return { program, buffer, room: from, identity, identityAt };
    },
  };
}

/** Slots of the largest set that so many keys can lead to. */
function largestSize(limit: number): number {
  let size = FIRST_SIZE;
  while (limit > size * FULL_AFTERWARDS) size *= 2;
  return size;
}

function aligned(size: number): number {
  return Math.ceil(size / 64) * 64;
}
