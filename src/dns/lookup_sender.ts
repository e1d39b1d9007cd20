import { parseAddress } from "../model/address.ts";
import { isGroup } from "../model/group_address.ts";
import type { Complaints } from "./complaints.ts";
import { listenError, listenText } from "./listen_error.ts";
import type { LookupFields } from "./lookup_datagram.ts";
import type { SendAddress } from "./send_address.ts";

/** How a {@linkcode LookupSender} goes about its work. */
export interface LookupSenderOptions {
  /**
   * The address of the interface by which datagrams to an IPv4 multicast group leave. By default, the
   * system chooses one.
   */
  multicastInterface?: string;
  /** Milliseconds that never go back. @default {performance.now} */
  clock?: () => number;
}

/** What a sender counted, in datagrams. */
export interface SentCounts {
  sent: number;
  /** Left out, since the same was sent less than a second before. */
  repeated: number;
  /** Given up: the system did not take them, or too many waited. */
  lost: number;
}

/** How long the same is not sent again, in milliseconds. */
const REPEAT_TIME = 1000;
/** Datagrams that are remembered for that, in characters: some 8 MB. */
const REMEMBERED_CHARACTERS = 4 * 1024 * 1024;
/** Datagrams that wait for the system, which takes each at once mostly. */
const MOST_WAITING = 10_000;
const ANY_IPV4 = "0.0.0.0";
const ANY_IPV6 = "::";

/**
 * Sends lookups as ShoDoHFlo's dnstap agent does: a line of JSON a datagram, to one address or to a group,
 * each with a number that is one more than that of the one before.
 */
export class LookupSender {
  readonly counts: SentCounts = { sent: 0, repeated: 0, lost: 0 };
  readonly #to: SendAddress;
  readonly #text: string;
  readonly #socket: Deno.DatagramConn;
  readonly #complaints: Complaints;
  readonly #clock: () => number;
  readonly #encoder = new TextEncoder();
  /** Sent one after the other: of two at once the second may leave first. */
  readonly #waiting: Uint8Array[] = [];
  #sending: Promise<void> | null = null;
  /** When what was sent lately was sent, the oldest first. */
  readonly #sentAt = new Map<string, number>();
  #remembered = 0;
  #id = 0;

  private constructor(
    to: SendAddress,
    text: string,
    socket: Deno.DatagramConn,
    complaints: Complaints,
    clock: () => number,
  ) {
    this.#to = to;
    this.#text = text;
    this.#socket = socket;
    this.#complaints = complaints;
    this.#clock = clock;
  }

  /**
   * Opens a socket to send from.
   *
   * @throws {UserError} when that can't be done.
   */
  static open(
    to: SendAddress,
    { multicastInterface, clock = () => performance.now() }: LookupSenderOptions,
    complaints: Complaints,
  ): LookupSender {
    const text = listenText(to);
    const address = parseAddress(to.hostname)!;
    const isIpv6 = address.family === 6;
    // The kernel sends to a group by the interface that has the address which the socket is bound to.
    const from = isGroup(1, address.words[3]) ? multicastInterface ?? ANY_IPV4 : ANY_IPV4;
    const hostname = isIpv6 ? ANY_IPV6 : from;
    try {
      const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
      return new LookupSender(to, text, socket, complaints, clock);
    } catch (error) {
      throw listenError({ transport: "udp", hostname, port: to.port }, error);
    }
  }

  /** Sends it, unless the same was sent less than a second before. */
  send(fields: LookupFields): void {
    const content = JSON.stringify(fields);
    if (this.#isRepeated(content)) {
      this.counts.repeated++;
      return;
    }
    // Numbered before it is given up, so that who receives it knows that it is missing.
    this.#id++;
    if (this.#waiting.length === MOST_WAITING) {
      this.#lose("too many datagrams wait to be sent");
      return;
    }
    this.#waiting.push(this.#encoder.encode(`${content.slice(0, -1)},"id":${this.#id}}\n`));
    this.#sending ??= this.#sendWaiting();
  }

  /** Ends after all that waits was sent. */
  async close(): Promise<void> {
    await this.#sending;
    this.#socket.close();
  }

  async #sendWaiting(): Promise<void> {
    for (let datagram; (datagram = this.#waiting.shift()) !== undefined;) {
      try {
        await this.#socket.send(datagram, this.#to);
        this.counts.sent++;
      } catch (error) {
        this.#lose((error as Error).message);
      }
    }
    this.#sending = null;
  }

  #lose(reason: string): void {
    this.counts.lost++;
    this.#complaints.say("send", `${this.#text}: a datagram is not sent: ${reason}`);
  }

  #isRepeated(content: string): boolean {
    const now = this.#clock();
    for (const [oldest, sentAt] of this.#sentAt) {
      if (now - sentAt < REPEAT_TIME && this.#remembered <= REMEMBERED_CHARACTERS) break;
      this.#sentAt.delete(oldest);
      this.#remembered -= oldest.length;
    }
    if (this.#sentAt.has(content)) return true;
    this.#sentAt.set(content, now);
    this.#remembered += content.length;
    return false;
  }
}
