/**
 * A TCP proxy on loopback whose link goes wrong as it is told.
 *
 * As a program of its own, such as in a network namespace: `faulty_link.ts PORT TARGET-PORT`, and on
 * standard input what {@linkcode FaultyLink.become} is told, a JSON object a line.
 */
import { createConnection, createServer, type Server, type Socket } from "node:net";

/** What is wrong with a link. Nothing is wrong where nothing is said. */
export interface LinkFault {
  /** Bytes that go through a connection in a second, each way. */
  bytesPerSecond?: number;
  /** A connection is reset after so many bytes of the client's. */
  cutAfter?: number;
  /** Half open: nothing gets through any more, and neither side learns that. */
  isDead?: boolean;
}

/** How much is passed on at once where the link is slow: a part of a second's. */
const PARTS_OF_A_SECOND = 10;

/** The proxy. */
export class FaultyLink implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fault: LinkFault = {};

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    server.on("connection", (client) => this.#connect(client, targetPort));
  }

  /**
   * Starts it on a port of loopback.
   *
   * @param port 0 for any.
   */
  static async start(port: number, targetPort: number): Promise<FaultyLink> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const link = new FaultyLink(server, targetPort);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return link;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Has the link be as it is told, for connections that are there as well. */
  become(fault: LinkFault): void {
    this.#fault = fault;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(client: Socket, targetPort: number): void {
    const target = createConnection({ port: targetPort, host: "127.0.0.1", noDelay: true });
    for (const socket of [client, target]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    }
    let sent = 0;
    const isCut = (bytes: number) => (sent += bytes) > (this.#fault.cutAfter ?? Infinity);
    this.#pass(client, target, isCut);
    this.#pass(target, client, () => false);
  }

  /** Passes on what one says to the other, until one of both has ended. */
  async #pass(from: Socket, to: Socket, isCut: (bytes: number) => boolean): Promise<void> {
    try {
      for await (const chunk of from) {
        for (let rest: Uint8Array = chunk; rest.length > 0;) {
          await this.#delay();
          if (isCut(rest.length)) {
            from.resetAndDestroy();
            break;
          }
          const { bytesPerSecond = Infinity } = this.#fault;
          const part = rest.subarray(0, Math.ceil(bytesPerSecond / PARTS_OF_A_SECOND));
          rest = rest.subarray(part.length);
          await new Promise((resolve) => to.write(part, resolve));
        }
      }
    } catch {
      // It was reset.
    }
    while (this.#fault.isDead) await wait(50);
    from.destroy();
    to.destroy();
  }

  async #delay(): Promise<void> {
    if (this.#fault.bytesPerSecond !== undefined) await wait(1000 / PARTS_OF_A_SECOND);
    while (this.#fault.isDead) await wait(50);
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

if (import.meta.main) {
  const link = await FaultyLink.start(Number(Deno.args[0]), Number(Deno.args[1]));
  console.log("ready");
  let text = "";
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (text + chunk).split("\n");
    text = lines.pop()!;
    for (const line of lines) link.become(JSON.parse(line));
  }
  Deno.exit();
}
