import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { UserError } from "../user_error.ts";
import type { OwnSockets } from "./own_sockets.ts";
import type { RedisAddress } from "./redis_url.ts";

/** What `CLIENT LIST` calls the sensor's connection. */
const CLIENT_NAME = "flosensor";
/** How long, in milliseconds, a server may take to be connected to. */
const CONNECT_PATIENCE = 5_000;
/** How long, in milliseconds, it may take to answer: it may be saving, or run another's script. */
const REPLY_PATIENCE = 10_000;
/** Errors with which a server that is there and healthy says that it will be usable soon. */
const PASSING_REPLY = /^(LOADING|BUSY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN)\b|max number of clients/;
/** Errors of a TLS handshake that fail in the same way each time. */
const CERTIFICATE = /certificate|CERT|ERR_TLS/;

/** The server answered a command with an error. */
export class RedisReplyError extends Error {
  override name = "RedisReplyError";

  /** Whether it may be gone at the next try although nobody mended anything. */
  get isPassing(): boolean {
    return PASSING_REPLY.test(this.message);
  }
}

/** What the system's error codes, and errors of the library that have none, say. */
const WORDS_FOR_CODES = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["SocketClosedUnexpectedlyError", "it closed the connection"],
  ["ConnectionTimeoutError", "no answer"],
  ["ECONNRESET", "connection reset"],
  ["EPIPE", "connection closed"],
  ["ENOTFOUND", "host name not found"],
  ["EAI_AGAIN", "no answer about the host name"],
  ["EHOSTUNREACH", "no route to the host"],
  ["ENETUNREACH", "network unreachable"],
  ["ETIMEDOUT", "no answer"],
  ["ENOENT", "no such socket"],
  ["EACCES", "permission denied"],
]);

type RedisModule = typeof import("./redis_library.ts");

/** What is used of the library's client, whose own type depends on its options. */
interface Client {
  connect(): Promise<unknown>;
  sendCommand(command: string[]): Promise<unknown>;
  destroy(): void;
}

/** One connection to a Redis, from its being made to its end. It is never made again by itself. */
export class RedisConnection {
  readonly #client: Client;
  readonly #redis: RedisModule;
  #onClosed: (error: Error) => void = () => {};

  private constructor(redis: RedisModule, client: Client) {
    this.#redis = redis;
    this.#client = client;
  }

  /**
   * Connects, logs in and selects the database.
   *
   * @param sockets Is told of the socket.
   * @param signal Ends the attempt.
   * @throws {RedisReplyError} when the server refuses.
   * @throws {UserError} when that can't go well at another try either.
   * @throws {Error} when the server can't be reached or does not answer.
   */
  static async open(
    address: RedisAddress,
    sockets: OwnSockets,
    signal: AbortSignal,
  ): Promise<RedisConnection> {
    requirePermission(address);
    const redis = await import("./redis_library.ts");
    const client = redis.createClient({
      socket: socketOptions(address),
      username: address.username,
      password: address.password,
      database: address.database,
      // Protocol 2 is spoken by every version and by all that call themselves compatible.
      RESP: 2,
      disableOfflineQueue: true,
      commandOptions: { timeout: undefined },
    });
    const connection = new RedisConnection(redis, client);
    client.on("error", (error: Error) => connection.#onClosed(errorOf(error)));
    // A destroyed client rejects what it has not answered.
    const abort = () => client.destroy();
    signal.addEventListener("abort", abort);
    try {
      signal.throwIfAborted();
      await withPatience(
        address.socketPath === undefined
          ? sockets.track(address.port, () => client.connect())
          : client.connect(),
        CONNECT_PATIENCE,
      );
      await connection.#introduce();
    } catch (error) {
      client.destroy();
      throw explained(connection.#asReplyError(error), address);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    return connection;
  }

  /**
   * Says once when the connection has ended, other than by {@linkcode RedisConnection.destroy}.
   * Calls without a reply are rejected as well.
   */
  set onClosed(listener: (error: Error) => void) {
    this.#onClosed = listener;
  }

  /**
   * Sends one command. Commands are answered in their order, and need not wait for each other.
   *
   * @throws {RedisReplyError} when the answer is an error.
   * @throws {Error} when there is no answer.
   */
  async call(command: string[]): Promise<unknown> {
    try {
      return await withPatience(this.#client.sendCommand(command), REPLY_PATIENCE);
    } catch (error) {
      throw this.#asReplyError(error);
    }
  }

  /**
   * Sends commands one behind the other.
   *
   * @returns For each its reply, or the error.
   */
  async pipeline(commands: string[][]): Promise<unknown[]> {
    const replies = Promise.allSettled(commands.map((it) => this.#client.sendCommand(it)));
    const settled = await withPatience(replies, REPLY_PATIENCE);
    return settled.map((it) =>
      it.status === "fulfilled" ? it.value : this.#asReplyError(it.reason)
    );
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#onClosed = () => {};
    this.#client.destroy();
  }

  /** Says who we are, which may be forbidden, and asks whether the server is ready. */
  async #introduce(): Promise<void> {
    const [, pong] = await this.pipeline([["CLIENT", "SETNAME", CLIENT_NAME], ["PING"]]);
    if (pong instanceof Error && !pong.message.startsWith("NOPERM")) throw pong;
  }

  #asReplyError(error: unknown): Error {
    if (error instanceof UserError) return error;
    if (error instanceof this.#redis.ErrorReply) return new RedisReplyError(error.message);
    return errorOf(error);
  }
}

/** Deno 2.9 turns a missing permission into a refused connection, so it is asked for before. */
function requirePermission(address: RedisAddress): void {
  if (address.socketPath !== undefined) return;
  const host = `${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`;
  if (Deno.permissions.querySync({ name: "net", host }).state !== "granted") {
    throw new UserError(`Redis at ${address.text}: no permission, run with --allow-net=${host}`);
  }
}

function socketOptions(address: RedisAddress) {
  const common = { connectTimeout: CONNECT_PATIENCE, reconnectStrategy: false as const };
  if (address.socketPath !== undefined) return { ...common, path: address.socketPath };
  const tcp = { ...common, host: address.host, port: address.port };
  if (!address.tls) return tcp;
  return {
    ...tcp,
    tls: true as const,
    ca: pem(address.caFile),
    cert: pem(address.certificateFile),
    key: pem(address.keyFile),
    // RFC 6066, section 3: an address is no server name.
    servername: isIP(address.host) === 0 ? address.host : undefined,
  };
}

function pem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`${file}: can't be read (${(error as Error).message})`);
  }
}

async function withPatience<T>(promise: Promise<T>, patience: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${patience / 1000} s`);
    timer = setTimeout(() => reject(error), patience);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function explained(error: Error, address: RedisAddress): Error {
  if (!CERTIFICATE.test(`${(error as { code?: unknown }).code} ${error.message}`)) return error;
  const way = address.caFile === undefined ? ": name its authority's file with ?cacert=FILE" : "";
  return new UserError(
    `Redis at ${address.text}: its certificate is not trusted (${error.message})${way}`,
  );
}

/** The error with a message of one line that a person understands. */
function errorOf(error: unknown): Error {
  const { code, message, constructor } = error as { code?: string; message?: string } & object;
  const words = WORDS_FOR_CODES.get(code ?? constructor.name) ??
    (message || code || String(error)).split("\n")[0];
  return Object.assign(new Error(words, { cause: error }), { code });
}
