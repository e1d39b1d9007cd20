import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Metrics, Row, Rows } from "./metric.ts";

/** Writes metrics in the text format of Prometheus. */
export class Exposition {
  readonly #registry = new Registry();
  readonly #readers: (() => void)[] = [];

  /** The media type of {@linkcode Exposition.text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /**
   * Adds metrics.
   *
   * @param read Reads all their numbers at once; called for each text.
   */
  add<Counts extends Rows<Counts>>(metrics: Metrics<Counts>, read: () => Counts): void {
    const names = Object.keys(metrics) as (keyof Counts)[];
    const writers = names.map((name) => this.#writer(name, metrics));
    this.#readers.push(() => {
      const counts = read();
      for (const write of writers) write(counts);
    });
  }

  /** Adds a histogram of seconds, with a label whose values are known. */
  addHistogram(
    { name, help, label, values, buckets }: {
      readonly name: string;
      readonly help: string;
      readonly label: string;
      readonly values: readonly string[];
      readonly buckets: readonly number[];
    },
  ): Histogram<string> {
    const histogram = new Histogram({
      name,
      help,
      labelNames: [label],
      buckets: [...buckets],
      registers: [this.#registry],
    });
    for (const value of values) histogram.zero({ [label]: value });
    return histogram;
  }

  /** All metrics as they are now. */
  text(): Promise<string> {
    for (const read of this.#readers) read();
    return this.#registry.metrics();
  }

  #writer<Counts extends Rows<Counts>>(
    key: keyof Counts,
    metrics: Metrics<Counts>,
  ): (counts: Counts) => void {
    const { name, help, type, labels } = metrics[key];
    const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
    const labelled = ([, ...values]: Row) =>
      Object.fromEntries(labels.map((label, i) => [label, values[i]]));
    if (type === "gauge") {
      const gauge = new Gauge(options);
      return (counts) => {
        gauge.reset();
        for (const row of counts[key]) gauge.set(labelled(row), row[0]);
      };
    }
    const counter = new Counter(options);
    return (counts) => {
      // What is counted elsewhere is taken over.
      counter.reset();
      for (const row of counts[key]) counter.inc(labelled(row), row[0]);
    };
  }
}
