import type { TimeOrigin } from "../capture/time_origin.ts";
import type { NameWrite } from "../dns/name_write.ts";
import { REASON_NAMES } from "../model/reason.ts";
import {
  KIND_FLOW,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_ABOUT,
  WORD_KIND,
  WORD_SECONDS,
} from "../model/observation_batch.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import type { Log } from "../log.ts";
import type { JsonSink } from "../sink/json_sink.ts";
import { keyText } from "../sink/keys.ts";
import { Patience } from "../sink/patience.ts";
import type { UserError } from "../user_error.ts";
import type { Sink } from "../sink/sink.ts";
import type { Alert } from "./alert.ts";
import type { AlertPlace } from "../config/alert_place.ts";
import { AlertSender } from "./alert_sender.ts";
import type { Expectations, Use } from "./expectations.ts";

/** IP protocol number (RFC 9293, section 3.1). */
const TCP = 6;
/** Services are what answered. */
const IN_VAIN: ReadonlySet<string> = new Set(["refused", "unreachable", "unanswered"]);

/** How an {@linkcode AlertSink} goes about its work. */
export interface AlertSinkOptions {
  /** What is expected, and on whose networks. */
  readonly expectations: Expectations;
  readonly places: readonly AlertPlace[];
  /** From when on times are counted. By default, from 1970-01-01 UTC. */
  readonly origin?: TimeOrigin;
  /** Prints lines of JSON; `null` where standard output has a table, so that the log is for alerts. */
  readonly printer: JsonSink | null;
  /** Whether others flush and close the printer. */
  readonly isPrinterShared: boolean;
}

/** Says when a service of the own networks is used that is not expected. */
export class AlertSink implements Sink {
  readonly name = "alerts";
  /** Alerts are no observations: nothing is waited for. */
  readonly pending = 0;
  readonly pendingBytes = 0;
  readonly written = 0;
  readonly lost = 0;
  /** What is expected, and on whose networks. */
  readonly expectations: Expectations;
  readonly #sender: AlertSender;
  readonly #printer: JsonSink | null;
  readonly #patience = new Patience();
  readonly #origin: TimeOrigin | undefined;

  constructor(
    { expectations, places, origin, printer, isPrinterShared }: AlertSinkOptions,
    log: Log,
  ) {
    this.expectations = expectations;
    this.#origin = origin;
    const print = printer === null ? null : (alert: Alert) => printer.writeLine(alert);
    this.#sender = new AlertSender(places, log, print);
    this.#printer = isPrinterShared ? null : printer;
  }

  write({ words, count }: ObservationBatch): void {
    for (let i = 0; i < count; i++) {
      const offset = i * OBSERVATION_WORDS;
      if ((words[offset + WORD_KIND] & 0xff) !== KIND_FLOW) continue;
      const about = words[offset + WORD_ABOUT];
      // A datagram may be a scan's, or to all: only the record knows whether anyone answered.
      if (((about >>> 8) & 0xff) !== TCP) continue;
      const [client, server, port] = keyText(words, offset).split(";");
      this.#take({
        client,
        server,
        port: Number(port),
        protocol: "tcp",
        by: REASON_NAMES[about & 0xff],
        time: (words[offset + WORD_SECONDS] + (this.#origin?.seconds ?? 0)) * 1000,
      });
    }
  }

  writeNames(_writes: readonly NameWrite[]): void {}

  takeRecords(records: readonly ConversationRecord[]): void {
    for (const record of records) {
      if (IN_VAIN.has(record.state)) continue;
      const { client, server, port, protocol, by, last } = record;
      this.#take({ client, server, port, protocol, by, time: last });
    }
  }

  async flush(): Promise<void> {
    await this.#printer?.flush();
  }

  hurry(): void {
    this.#patience.begin();
    this.#printer?.hurry();
  }

  async close(): Promise<void> {
    this.#patience.begin();
    await this.#patience.wait(this.#sender.close());
    this.#patience.end();
    await this.#printer?.close();
  }

  abandon(reason: string): UserError | null {
    this.#patience.end();
    return this.#printer?.abandon(reason) ?? null;
  }

  #take(use: Use): void {
    const alert = this.expectations.alertOf(use);
    if (alert !== null) this.#sender.send(alert);
  }
}
