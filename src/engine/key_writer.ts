import { OBSERVATION_WORDS, ObservationBatch } from "../model/observation_batch.ts";
import { EngineMemory, type EngineProgram, NO_HOST } from "./engine_memory.ts";
import {
  KEY_ADDRESS,
  OBSERVATIONS,
  OBSERVATIONS_AT_ONCE,
  OTHER_KEY_ADDRESS,
  WORD,
} from "./layout.ts";

/** Makes observations as an engine does, and suppresses those that were made lately, without packets. */
export class KeyWriter {
  readonly #program: EngineProgram;
  readonly #words: Int32Array;
  #seconds = 0;

  /**
   * @param mostSuppressed How many keys are suppressed at the same time.
   * @param emit Takes a batch, which is used again as soon as this returns.
   */
  constructor(mostSuppressed: number, emit: (batch: ObservationBatch) => void) {
    const memory = new EngineMemory(1, mostSuppressed);
    const batch = new ObservationBatch(
      OBSERVATIONS_AT_ONCE,
      new Uint32Array(memory.buffer, OBSERVATIONS, OBSERVATIONS_AT_ONCE * OBSERVATION_WORDS),
    );
    this.#words = memory.words;
    this.#program = memory.start({
      ...NO_HOST,
      emit: (count) => {
        batch.count = count;
        emit(batch);
      },
    });
  }

  /** Sets the time and the window (see `WindowClock`) of what is written next. */
  setTime(seconds: number, window: number): void {
    this.#seconds = seconds;
    this.#program.setTime(seconds, 0, window);
  }

  /** Writes the key of a client. Addresses are four words, IPv4 in the last of them, the others 0. */
  writeClient(isIpv6: boolean, client: Uint32Array): void {
    this.#words.set(client, KEY_ADDRESS / WORD);
    this.#program.writeClient(isIpv6, KEY_ADDRESS);
  }

  /**
   * Writes the keys of a flow: client, both peers, and the flow unless it is ignored.
   *
   * @param about What decided it and the protocol, as in an observation's `WORD_ABOUT`.
   */
  writeFlow(
    isIpv6: boolean,
    client: Uint32Array,
    server: Uint32Array,
    port: number,
    about: number,
    isIgnored: boolean,
  ): void {
    this.#words.set(client, KEY_ADDRESS / WORD);
    this.#words.set(server, OTHER_KEY_ADDRESS / WORD);
    const program = this.#program;
    const [one, other] = [KEY_ADDRESS, OTHER_KEY_ADDRESS];
    program.stageFlow(0, isIpv6, one, other, port, about, isIgnored, this.#seconds);
    program.commit(1);
  }

  /** Hands on what was written. */
  flush(): void {
    this.#program.flushObservations();
  }
}
