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
  #isClosed = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#watch();
  }

  /**
   * Connects.
   *
   * @throws {Error} when that can't be done now.
   */
  static async open({ hostname, port }: IpfixAddress): Promise<TcpTransport> {
    const connecting = Deno.connect({ hostname, port });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no answer")), CONNECT_PATIENCE);
    });
    try {
      return new TcpTransport(await Promise.race([connecting, late]));
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
    for (let done = 0; done < message.length;) {
      done += await this.#connection.write(message.subarray(done));
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
