import type { NameWrite } from "../dns/name_write.ts";
import type { TimeOrigin } from "../capture/time_origin.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import { OBSERVATION_WORDS, type ObservationBatch } from "../model/observation_batch.ts";
import { printable } from "../printable.ts";
import { IS_OVER, RECORD_HEAD, RECORD_WORDS, type RecordBatch } from "../model/record_batch.ts";
import type { DnsKinds } from "../model/dns_kinds.ts";
import type { FlowNames } from "./flow_names.ts";
import { JsonLines } from "./json_lines.ts";
import { LinesSink, type LinesSinkOptions } from "./lines_sink.ts";

/** How a {@linkcode JsonSink} goes about its work. */
export interface JsonSinkOptions extends LinesSinkOptions {
  /** What the sensor is called, for each line. By default, lines have no such name. */
  sensor?: string;
  /** Where lines of flows get the server's `"name"` from. By default, they have none. */
  names?: FlowNames;
  /** Knows which services are DNS. By default, none is. */
  dnsServices?: DnsKinds;
  /** Names of interfaces by their number, from 1. By default, none has a name. */
  interfaces?: readonly string[];
  /** From when on times are counted. By default, from 1970-01-01 UTC. */
  origin?: TimeOrigin;
}

/** Where a line has its last brace, before the line feed. */
const LINE_END = -2;

/**
 * Writes each observation as one line of JSON (https://jsonlines.org) on standard output,
 * `{"type":"flow","time":"…","key":"…","count":1,"by":"syn",…}`, each write of a key that has names, and
 * each conversation that is over, `"type":"end"`. docs/json.schema.json has all fields.
 */
export class JsonSink extends LinesSink {
  readonly name = "json";
  readonly #jsonLines: JsonLines;
  /** Ends each line. */
  readonly #tail: string | null;

  constructor(options: JsonSinkOptions) {
    super(options);
    this.#jsonLines = new JsonLines(options);
    this.#tail = options.sensor === undefined ? null : `,"sensor":"${options.sensor}"}\n`;
  }

  write(batch: ObservationBatch): void {
    if (this.isBroken) return;
    const { words, count, records } = batch;
    for (let i = 0; i < count; i++) {
      if (this.isFull) {
        this.drop(count - i);
        return;
      }
      const line = this.#jsonLines
        .observation(words, i * OBSERVATION_WORDS, records, i * RECORD_WORDS);
      this.add(this.#tailed(line));
    }
  }

  writeNames(writes: readonly NameWrite[], seconds: number): void {
    for (const write of writes) {
      this.addUnlessFull(this.#tailed(this.#jsonLines.name(write, seconds)));
    }
  }

  takeFigures({ words, count }: RecordBatch): void {
    for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
      if ((words[at + RECORD_HEAD] & IS_OVER) === 0) continue;
      // It has no key that anybody counts.
      this.addUnlessFull(this.#tailed(this.#jsonLines.end(words, at)), 0);
    }
  }

  takeDevices(devices: readonly DeviceRecord[]): void {
    for (const device of devices) {
      // When one was heard of last is in the next line that says something else.
      if (!device.hasNews) continue;
      this.addUnlessFull(this.#tailed(this.#jsonLines.device(device)), 0);
    }
  }

  /** Writes anything else as a line. */
  writeLine(value: unknown): void {
    this.addUnlessFull(this.#tailed(printable(JSON.stringify(value)) + "\n"));
  }

  #tailed(line: string): string {
    return this.#tail === null ? line : line.slice(0, LINE_END) + this.#tail;
  }
}
