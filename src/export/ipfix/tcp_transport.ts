import type { IpfixAddress } from "../../model/ipfix_address.ts";
import type { IpfixTransport } from "./ipfix_transport.ts";

const MOST_BYTES = 16_384;
/** How long, in milliseconds, a collector may take to be connected to. */
const CONNECT_PATIENCE = 5_000;

/** Messages to a collector over a TCP connection, which is never made again by itself. */
export class TcpTransport implements IpfixTransport {
  readonly mostBytes = MOST_BYTES;
  readonly isUnreliable = false;
  readonly #connection: Deno.TcpConn;
  readonly #patience: number;
  #isClosed = false;

  private constructor(connection: Deno.TcpConn, patience: number) {
    this.#connection = connection;
    this.#patience = patience;
    this.#watch();
  }

  /**
   * Connects.
   *
   * @param patience How long, in milliseconds, a collector may take nothing.
   * @throws {Error} when that can't be done now.
   */
  static async open(
    { hostname, port }: IpfixAddress,
    patience: number,
  ): Promise<TcpTransport> {
    const connecting = Deno.connect({ hostname, port });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no answer")), CONNECT_PATIENCE);
    });
    try {
      return new TcpTransport(await Promise.race([connecting, late]), patience);
    } catch (error) {
      connecting.then((connection) => connection.close(), () => {});
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    let isLate = false;
    // One that is frozen, or whose link is half open, takes nothing and says nothing.
    const timer = setTimeout(() => {
      isLate = true;
      this.close();
    }, this.#patience);
    try {
      for (let done = 0; done < message.length;) {
        done += await this.#connection.write(message.subarray(done));
      }
    } catch (error) {
      if (!isLate) throw error;
      throw new Error(`it has taken nothing for ${this.#patience / 1000} s`);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }

  /** A collector says nothing. When its side is read to the end, it has gone. */
  async #watch(): Promise<void> {
    const ignored = new Uint8Array(1024);
    try {
      while (await this.#connection.read(ignored) !== null);
    } catch {
      // It was reset, or closed by us.
    }
    this.close();
  }
}
