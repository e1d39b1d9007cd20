/** What collectors of tests have in common: they keep whole messages, in their order. */
export interface TestCollector extends AsyncDisposable {
  readonly port: number;
  readonly messages: Uint8Array[];
  /** Resolves when there are so many messages. */
  received(messages: number): Promise<void>;
}

/** Where the length of a message is in its header (RFC 7011, section 3.1). */
const LENGTH_AT = 2;

/** Collects datagrams on loopback. */
export class UdpCollector implements TestCollector {
  readonly messages: Uint8Array[] = [];
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #reading = this.#read();
  #onMessage = () => {};

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async received(messages: number): Promise<void> {
    while (this.messages.length < messages) {
      await new Promise<void>((resolve) => this.#onMessage = resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const [message] of this.#socket) {
      this.messages.push(message);
      this.#onMessage();
    }
  }
}

/** Collects what comes over TCP connections on loopback. */
export class TcpCollector implements TestCollector {
  readonly messages: Uint8Array[] = [];
  /** For each connection, how many messages had come before. */
  readonly connections: number[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;
  readonly #reading: Promise<void>[] = [];
  #onMessage = () => {};

  /** @param port By default, one that is free. */
  constructor(port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** All bytes that came. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.messages.flatMap((message) => [...message]));
  }

  async received(messages: number): Promise<void> {
    while (this.messages.length < messages) {
      await new Promise<void>((resolve) => this.#onMessage = resolve);
    }
  }

  /** Resolves when all connections that were made have ended. There has been a message. */
  async ended(): Promise<void> {
    await this.received(1);
    await Promise.all(this.#reading);
  }

  /** Ends the connections that are open, and listens on. */
  endConnections(): void {
    for (const connection of this.#open) connection.close();
    this.#open.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.endConnections();
    await this.#accepting;
    await Promise.all(this.#reading);
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#open.add(connection);
      this.connections.push(this.messages.length);
      this.#reading.push(this.#read(connection));
    }
  }

  async #read(connection: Deno.TcpConn): Promise<void> {
    let waiting = new Uint8Array(0);
    const piece = new Uint8Array(65_536);
    try {
      for (let length; (length = await connection.read(piece)) !== null;) {
        waiting = new Uint8Array([...waiting, ...piece.subarray(0, length)]);
        for (let whole; (whole = lengthOfFirst(waiting)) <= waiting.length;) {
          this.messages.push(waiting.slice(0, whole));
          waiting = waiting.slice(whole);
          this.#onMessage();
        }
      }
    } catch {
      // It was closed by the test.
    }
    if (this.#open.delete(connection)) connection.close();
  }
}

function lengthOfFirst(bytes: Uint8Array): number {
  if (bytes.length < LENGTH_AT + 2) return Infinity;
  return bytes[LENGTH_AT] << 8 | bytes[LENGTH_AT + 1];
}
