import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Log } from "../log.ts";
import { type Alert, alertText } from "./alert.ts";
import { type AlertPlace, alertPlaceName } from "../config/alert_place.ts";

/** How long, in milliseconds, a webhook may take to answer. */
const PATIENCE = 4_000;
/** Alerts that may be on their way to a webhook at a time; more are dropped, and said to be. */
const MOST_ON_THE_WAY = 32;
/** Facility 13, log alert, and severity 4, warning (RFC 5424, section 6.2.1). */
const PRIORITY = 13 * 8 + 4;

/** Sends alerts to where they should go. What can't be sent is said on the log. */
export class AlertSender {
  readonly #places: readonly AlertPlace[];
  readonly #log: Log;
  readonly #printJson: ((alert: Alert) => void) | null;
  readonly #onTheWay = new Set<Promise<void>>();
  /** The datagram before: those that are sent at once come in any order. */
  #datagramBefore: Promise<unknown> = Promise.resolve();
  #socket: Socket | null = null;

  /**
   * @param printJson Prints a line of JSON on standard output; `null` where that has a table, so that they
   * are said on the log.
   */
  constructor(
    places: readonly AlertPlace[],
    log: Log,
    printJson: ((alert: Alert) => void) | null,
  ) {
    // What is said on the log is said there once.
    const isLog = ({ kind }: AlertPlace) =>
      kind === "log" || (kind === "json" && printJson === null);
    const first = places.findIndex(isLog);
    this.#places = places.filter((place, i) => !isLog(place) || i === first);
    this.#log = log;
    this.#printJson = printJson;
  }

  /** Sends it, without waiting for that. */
  send(alert: Alert): void {
    for (const place of this.#places) {
      if (place.kind === "webhook" || place.kind === "syslog") this.#start(alert, place);
      else if (place.kind === "json" && this.#printJson !== null) this.#printJson(alert);
      else this.#log.warn(alertText(alert));
    }
  }

  /** Waits until all was sent, or can't be. */
  async close(): Promise<void> {
    await Promise.all(this.#onTheWay);
    this.#socket?.close();
    this.#socket = null;
  }

  #start(alert: Alert, place: Extract<AlertPlace, { kind: "webhook" | "syslog" }>): void {
    if (this.#onTheWay.size >= MOST_ON_THE_WAY) {
      this.#log.warn(`onAlert ${alertPlaceName(place)} is too slow; dropped: ${alertText(alert)}`);
      return;
    }
    const sending =
      (place.kind === "webhook"
        ? this.#post(place.url, alert)
        : this.#nextDatagram(place.host, place.port, alert))
        .catch((error) => {
          const reason = reasonOf(error as Error);
          this.#log.warn(
            `onAlert ${alertPlaceName(place)} did not take an alert (${reason}): ${
              alertText(alert)
            }`,
          );
        })
        .finally(() => this.#onTheWay.delete(sending));
    this.#onTheWay.add(sending);
  }

  async #post(url: string, alert: Alert): Promise<void> {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // "text" is what chat programs show.
      body: JSON.stringify({ text: alertText(alert), ...alert }),
      signal: AbortSignal.timeout(PATIENCE),
      redirect: "error",
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  }

  #nextDatagram(host: string, port: number, alert: Alert): Promise<void> {
    const sent = this.#datagramBefore.then(() => this.#datagram(host, port, alert));
    this.#datagramBefore = sent.catch(() => {});
    return sent;
  }

  #datagram(host: string, port: number, alert: Alert): Promise<void> {
    this.#socket ??= this.#openSocket(host);
    const socket = this.#socket;
    // Neither the host's name nor the process's number is known by every permission.
    const line = `<${PRIORITY}>1 ${alert.time} - flosensor - ${alert.alert} - ${alertText(alert)}`;
    return new Promise((resolve, reject) =>
      socket.send(
        Buffer.from(line),
        port,
        host,
        (error) => error === null || error === undefined ? resolve() : reject(error),
      )
    );
  }

  #openSocket(host: string): Socket {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    // What a datagram's error is, its callback says.
    socket.on("error", () => {});
    socket.unref();
    return socket;
  }
}

/** What the system says; the address, whose path is a secret of who may post there, is left out. */
function reasonOf({ message, cause }: Error): string {
  const text = cause instanceof Error ? cause.message : message;
  return text.replace(/^error sending request (?:from \S+ )?for (?:url )?\S+.*?\): /, "")
    .replace(/ \(os error \d+\)$/, "").replaceAll(/\bhttps?:\/\/\S+/g, "…");
}
