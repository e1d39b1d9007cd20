import type { NameWrite } from "../dns/name_write.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import type { ObservationBatch } from "../model/observation_batch.ts";
import type { RecordBatch } from "../model/record_batch.ts";
import { JsonLines, type JsonLinesOptions } from "./json_lines.ts";
import { LinesSink, type LinesSinkOptions } from "./lines_sink.ts";

/** How a {@linkcode JsonSink} goes about its work. */
export interface JsonSinkOptions extends LinesSinkOptions, JsonLinesOptions {}

/**
 * Writes each observation as one line of JSON (https://jsonlines.org) on standard output,
 * `{"type":"flow","time":"…","key":"…","count":1,"by":"syn",…}`, each write of a key that has names, and
 * each conversation that is over, `"type":"end"`. docs/json.schema.json has all fields.
 */
export class JsonSink extends LinesSink {
  readonly name = "json";
  readonly #jsonLines: JsonLines;
  readonly #isFull = () => this.isFull;

  constructor(options: JsonSinkOptions) {
    const jsonLines = new JsonLines(options);
    super(options, jsonLines.buffer);
    this.#jsonLines = jsonLines;
  }

  write(batch: ObservationBatch): void {
    if (this.isBroken) return;
    const written = this.#jsonLines.observations(batch, this.#isFull);
    if (written < batch.count) this.drop(batch.count - written);
  }

  writeNames(writes: readonly NameWrite[], seconds: number): void {
    for (const write of writes) this.unlessFull(() => this.#jsonLines.name(write, seconds));
  }

  takeFigures(batch: RecordBatch): void {
    if (this.isBroken) return;
    const lost = this.#jsonLines.ends(batch, this.#isFull);
    if (lost > 0) this.drop(lost);
  }

  takeDevices(devices: readonly DeviceRecord[]): void {
    for (const device of devices) {
      // When one was heard of last is in the next line that says something else.
      if (device.hasNews) this.unlessFull(() => this.#jsonLines.device(device));
    }
  }

  /** Writes anything else as a line. */
  writeLine(value: unknown): void {
    this.unlessFull(() => this.#jsonLines.value(value));
  }
}
