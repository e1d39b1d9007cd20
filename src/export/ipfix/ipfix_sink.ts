import type { Log } from "../../log.ts";
import type { ConversationRecord } from "../../model/conversation_record.ts";
import { permissionAdvice } from "../../permission_advice.ts";
import type { Sink } from "../../sink/sink.ts";
import { UserError } from "../../user_error.ts";
import type { FlowSlice } from "./flow_slice.ts";
import { FlowSlices } from "./flow_slices.ts";
import type { IpfixAddress } from "../../model/ipfix_address.ts";
import { IpfixMessages } from "./ipfix_messages.ts";
import type { IpfixTransport } from "./ipfix_transport.ts";
import { TcpTransport } from "./tcp_transport.ts";
import { UdpTransport } from "./udp_transport.ts";

/** How an {@linkcode IpfixSink} goes about its work. */
export interface IpfixSinkOptions {
  /** A replay waits for a collector. A capture can't: beyond a bound it drops slices. */
  readonly mode: "capture" | "replay";
  /**
   * How many slices may wait for a collector that is away.
   * @default {100_000}
   */
  readonly mostPending?: number;
  /**
   * How long, in milliseconds, a collector may take nothing over TCP.
   * @default {30_000}
   */
  readonly patience?: number;
  /**
   * A clock in milliseconds since 1970-01-01 UTC.
   * @default {Date.now}
   */
  readonly now?: () => number;
}

const MOST_PENDING = 100_000;
const PATIENCE = 30_000;
/** What a slice needs while it waits, in bytes, about. */
const BYTES_OF_ONE = 300;
/** Templates over UDP are sent again after so long, in milliseconds (RFC 7011, section 8.4). */
const TEMPLATE_REFRESH = 60_000;
/** Between tries to reach a collector that is away, in milliseconds: twice as long each time. */
const FIRST_PAUSE = 1_000;
const MOST_PAUSE = 60_000;
/** How long, in milliseconds, a collector that takes nothing may hold up the end of a capture. */
const CLOSE_PATIENCE = 5_000;

/** One transport session, and what makes its messages. */
interface Session {
  readonly transport: IpfixTransport;
  readonly messages: IpfixMessages;
  /** When templates were sent. */
  templatesSent: number;
}

/**
 * Sends records of conversations to a collector as IPFIX (RFC 7011), each conversation as a biflow
 * (RFC 5103) whose source is the client. What goes on is sent in slices, as routers do.
 */
export class IpfixSink implements Sink {
  readonly name = "ipfix";
  readonly #address: IpfixAddress;
  readonly #options: IpfixSinkOptions;
  readonly #mostPending: number;
  readonly #now: () => number;
  readonly #log: Log;
  readonly #slices = new FlowSlices();
  readonly #queue: FlowSlice[] = [];
  /** How many of the queue, from its beginning, are sent. */
  #sent = 0;
  #session: Session | null = null;
  #flushing: Promise<void> | null = null;
  /** What is wrong with the collector, `null` where nothing is. */
  #failure: string | null = null;
  #pause = FIRST_PAUSE;
  #nextTry = 0;
  #lost = 0;
  #written = 0;
  #isHurried = false;
  #isClosed = false;

  private constructor(address: IpfixAddress, options: IpfixSinkOptions, log: Log) {
    this.#address = address;
    this.#options = options;
    this.#mostPending = options.mostPending ?? MOST_PENDING;
    this.#now = options.now ?? Date.now;
    this.#log = log;
  }

  /**
   * Reaches the collector.
   *
   * @throws {UserError} in a replay when it can't be reached, and without the permission to. A capture
   * says that it can't be, and goes on trying.
   */
  static async open(
    address: IpfixAddress,
    options: IpfixSinkOptions,
    log: Log,
  ): Promise<IpfixSink> {
    const sink = new IpfixSink(address, options, log);
    await sink.flush();
    return sink;
  }

  get trouble(): string | null {
    return this.#failure === null ? null : `${this.#address.text}: ${this.#failure}`;
  }

  get pending(): number {
    return this.#queue.length - this.#sent;
  }

  get pendingBytes(): number {
    return this.pending * BYTES_OF_ONE;
  }

  /** How many slices were sent: of what was sent over UDP nobody knows whether it arrived. */
  get written(): number {
    return this.#written;
  }

  /** How many slices a capture dropped because the collector was away for too long. */
  get lost(): number {
    return this.#lost;
  }

  /** IPFIX is of conversations: observations are not sent. */
  write(): void {}

  /** Nor are names. */
  writeNames(): void {}

  /** Takes records of conversations. */
  takeRecords(records: readonly ConversationRecord[]): void {
    for (const record of records) {
      const slice = this.#slices.next(record);
      if (slice === null) continue;
      if (this.#options.mode === "capture" && this.pending >= this.#mostPending) this.#lost++;
      else this.#queue.push(slice);
    }
  }

  /**
   * Sends what is pending.
   *
   * @throws {UserError} in a replay when it can't be sent.
   */
  async flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => this.#flushing = null);
    await this.#flushing;
  }

  /**
   * Sends what is pending; in a capture, for at most five seconds.
   *
   * @throws {UserError} that says how many slices were lost, when some were.
   */
  async close(): Promise<void> {
    this.#nextTry = 0;
    let failure: unknown = null;
    try {
      if (this.#options.mode === "replay" && !this.#isHurried) await this.#flushAll();
      else await inTime(this.#flushAll());
    } catch (error) {
      failure = error;
    }
    const lost = this.abandon("the collector is too slow");
    if (lost !== null) throw lost;
    if (failure !== null) throw failure;
  }

  hurry(): void {
    this.#isHurried = true;
  }

  abandon(reason: string): UserError | null {
    this.#isClosed = true;
    this.#session?.transport.close();
    this.#session = null;
    const lost = this.#lost + this.pending;
    return lost === 0 ? null : new UserError(
      `${this.#address.text}: ${lost} records of flows were lost (${this.#failure ?? reason})`,
    );
  }

  /** Sends what was taken while the last flush was under way as well. */
  async #flushAll(): Promise<void> {
    await this.#flushing?.catch(() => {});
    await this.flush();
  }

  async #flush(): Promise<void> {
    try {
      const session = await this.#openSession();
      if (session === null) return;
      await this.#sendAll(session);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #openSession(): Promise<Session | null> {
    if (this.#session?.transport.isClosed) {
      this.#session = null;
      throw new Error("the collector closed the connection");
    }
    if (this.#session === null) {
      if (this.#now() < this.#nextTry) return null;
      const { transport: kind } = this.#address;
      const transport = kind === "udp"
        ? await UdpTransport.open(this.#address)
        : await TcpTransport.open(this.#address, this.#options.patience ?? PATIENCE);
      const messages = new IpfixMessages(transport.mostBytes, this.#now);
      this.#session = { transport, messages, templatesSent: -Infinity };
    }
    return this.#session;
  }

  async #sendAll(session: Session): Promise<void> {
    const { transport, messages } = session;
    const age = this.#now() - session.templatesSent;
    if (age === Infinity || transport.isUnreliable && (age >= TEMPLATE_REFRESH || age < 0)) {
      await transport.send(messages.templates().bytes);
      session.templatesSent = this.#now();
    }
    try {
      while (this.pending > 0) {
        const { bytes, slices } = messages.records(this.#queue, this.#sent);
        await transport.send(bytes);
        this.#sent += slices;
        this.#written += slices;
      }
    } finally {
      this.#queue.splice(0, this.#sent);
      this.#sent = 0;
    }
    if (this.#failure !== null) this.#log.info(`${this.#address.text}: reached again`);
    this.#failure = null;
    this.#pause = FIRST_PAUSE;
  }

  /** Says that the collector is away, once until it is reached again. */
  #fail(error: Error): void {
    // What was under way for too long ends when the session does, and is said already.
    if (this.#isClosed) return;
    this.#session?.transport.close();
    this.#session = null;
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.NotCapable) {
      const advice = permissionAdvice("--allow-net");
      throw new UserError(`${this.#address.text}: no permission, ${advice}`, 1, { cause: error });
    }
    const reason = reasonOf(error);
    const isNew = this.#failure === null;
    this.#failure = reason;
    if (this.#options.mode === "replay") {
      throw new UserError(`${this.#address.text}: can't be sent to: ${reason}`, 1, {
        cause: error,
      });
    }
    this.#nextTry = this.#now() + this.#pause;
    this.#pause = Math.min(this.#pause * 2, MOST_PAUSE);
    if (isNew) {
      this.#log.warn(
        `${this.#address.text}: can't be sent to: ${reason}; up to ${this.#mostPending} records of ` +
          "flows wait for it",
      );
    }
  }
}

/** What the system says, without its number and that of the error. */
function reasonOf({ message }: Error): string {
  return message.replace(/ \(os error \d+\)$/, "").replace(
    /^[A-Z](?=[a-z])/,
    (it) => it.toLowerCase(),
  );
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_PATIENCE));
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
