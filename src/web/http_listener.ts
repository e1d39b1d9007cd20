import type { HttpAddress } from "../model/http_address.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { hostText } from "./page_address.ts";
import { plainResponse } from "./plain_response.ts";

/** How requests are answered. */
export interface HttpHandlers {
  readonly answer: (request: Request) => Response | Promise<Response>;
  /** What is answered where that throws. */
  readonly onError: (error: unknown) => Response | Promise<Response>;
}

/** Certificate and key as PEM. */
export interface HttpTls {
  readonly cert: string;
  readonly key: string;
}

/** How long open requests are waited for at the end, in milliseconds. */
const PATIENCE = 1_000;
/** Pause before it listens again, in milliseconds. */
const PAUSE = 1_000;
/** How often it is said at most that it could not take connections, in milliseconds. */
const SAY_PAUSE = 60_000;

/**
 * Listens for requests. Deno gives up where it can't take a connection, as when others hold so many open
 * that there are no file descriptors: then all of them are closed, and it listens again.
 */
export class HttpListener {
  /** Where it listens. */
  readonly addr: Deno.NetAddr;
  readonly #name: string;
  readonly #tls: HttpTls | null;
  readonly #handlers: HttpHandlers;
  readonly #log: Log;
  #server: Deno.HttpServer<Deno.NetAddr>;
  #connections = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #saidAt = -Infinity;

  /**
   * @param place Where the user said so, for messages: an option, or a place in a file.
   * @param tls `null` for HTTP.
   * @throws {UserError} when it can't listen there.
   */
  constructor(
    place: string,
    address: HttpAddress,
    tls: HttpTls | null,
    handlers: HttpHandlers,
    log: Log,
  ) {
    this.#name = `${place} ${hostText(address)}`;
    this.#tls = tls;
    this.#handlers = handlers;
    this.#log = log;
    try {
      this.#server = this.#listen(address);
    } catch (error) {
      throw listenError(this.#name, error);
    }
    this.addr = this.#server.addr;
  }

  /** Takes no more requests, and waits a moment for the answers to those that are there. */
  async shutdown(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    // A request whose body never ends, or an answer that is never read, would hold it up for ever.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, PATIENCE);
    await Promise.race([this.#server.shutdown(), late.promise]);
    clearTimeout(timer);
  }

  #listen({ hostname, port }: HttpAddress): Deno.HttpServer<Deno.NetAddr> {
    const { answer, onError } = this.#handlers;
    this.#connections = new AbortController();
    const { signal } = this.#connections;
    const options = { hostname, port, signal, onListen: () => {}, onError };
    const server = Deno.serve({ ...options, ...this.#tls }, (request) =>
      // Its address has what the request names as Host, whatever that is.
      URL.canParse(request.url)
        ? answer(request)
        : plainResponse(400, "The Host of the request is none."));
    server.finished.catch((error) => this.#failed(error));
    return server;
  }

  #failed(error: unknown): void {
    this.#connections.abort();
    if (this.#isClosed) return;
    const now = performance.now();
    if (now > this.#saidAt + SAY_PAUSE) {
      this.#saidAt = now;
      const { message } = error as Error;
      this.#log.warn(
        `${this.#name}: connections can't be taken (${
          message.replace(/^Error: | \(os error \d+\)$/g, "")
        }): ` +
          "those that are open are closed, and it listens again",
      );
    }
    this.#timer = setTimeout(() => this.#listenAgain(), PAUSE);
  }

  #listenAgain(): void {
    try {
      this.#server = this.#listen(this.addr);
    } catch (error) {
      this.#failed(error);
    }
  }
}

function listenError(what: string, error: unknown): unknown {
  if (error instanceof Deno.errors.AddrInUse) {
    return new UserError(`${what}: another program listens there: name another port`);
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return new UserError(`${what}: no permission to listen there`);
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return new UserError(`${what}: this host has no such address`);
  }
  const message = error instanceof Error ? error.message : String(error);
  return new UserError(`${what}: ${message}`, 1, { cause: error });
}
