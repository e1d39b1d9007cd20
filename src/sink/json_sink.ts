import type { NameWrite } from "../dns/name_write.ts";
import { BY_NAMES } from "../flow/by.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
} from "../flow/observation_batch.ts";
import type { FlowNames } from "./flow_names.ts";
import { keyText } from "./keys.ts";
import { LineOutput, type LineOutputOptions } from "./line_output.ts";
import type { Sink } from "./sink.ts";

/** How a {@linkcode JsonSink} goes about its work. */
export interface JsonSinkOptions extends LineOutputOptions {
  /** Where lines of flows get the server's `"name"` from. By default, they have none. */
  names?: FlowNames;
}

/**
 * Writes each observation as one line of JSON (https://jsonlines.org), `{"key":"…","count":1}`, on
 * standard output. A flow's line says what decided who is client and server, `"by":"syn"`. A key that has names is `{"key":"…;dns","name":"www.example.com."}`, and a flow
 * whose server the client looked up has the name that it looked up, as `"name"`, beside its count.
 */
export class JsonSink implements Sink {
  readonly #options: JsonSinkOptions;
  readonly #output: LineOutput;

  constructor(options: JsonSinkOptions) {
    this.#options = options;
    this.#output = new LineOutput(options);
  }

  get pending(): number {
    return this.#output.pending;
  }

  /** How many lines a capture dropped because their reader was too slow. */
  get lost(): number {
    return this.#output.lost;
  }

  /** Whether there is nobody to write for any more. */
  get isClosed(): boolean {
    return this.#output.isClosed;
  }

  write(batch: ObservationBatch): void {
    const { words, count } = batch;
    for (let i = 0; i < count; i++) {
      // Nothing is made that there is no room for.
      if (!this.#output.takes(count - i)) return;
      this.#output.add(this.#line(words, i * OBSERVATION_WORDS));
    }
  }

  writeNames(writes: readonly NameWrite[]): void {
    for (const [i, { key, name }] of writes.entries()) {
      if (!this.#output.takes(writes.length - i)) return;
      // A name may have backslashes and quotation marks in it.
      this.#output.add(JSON.stringify(name === null ? { key, count: 1 } : { key, name }) + "\n");
    }
  }

  /** Writes anything else as a line. */
  writeLine(value: unknown): void {
    if (this.#output.takes(1)) this.#output.add(JSON.stringify(value) + "\n");
  }

  /**
   * Writes what is pending, as {@linkcode LineOutput.flush}.
   *
   * @throws {OutputClosedError} when the reader has gone.
   * @throws {UserError} when standard output can't be written to.
   */
  flush(): Promise<void> {
    return this.#output.flush();
  }

  /**
   * Writes what is pending, as {@linkcode LineOutput.close}.
   *
   * @throws {UserError} when standard output can't be written to, or lines were lost.
   */
  close(): Promise<void> {
    return this.#output.close();
  }

  /** Keys consist of digits, letters and punctuation that JSON strings take as they are. */
  #line(words: Uint32Array, offset: number): string {
    let line = '{"key":"' + keyText(words, offset) + '","count":1';
    const head = words[offset + WORD_KIND];
    if ((head & 0xff) !== KIND_FLOW) return line + "}\n";
    line += ',"by":"' + BY_NAMES[words[offset + WORD_ABOUT] & 0xff] + '"';
    const name = this.#options.names
      ?.find((head & IPV6_BIT) !== 0, words, offset + WORD_A, offset + WORD_B);
    return line + (name ? ',"name":' + JSON.stringify(name) : "") + "}\n";
  }
}
