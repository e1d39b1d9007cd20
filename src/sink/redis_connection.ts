import { readFileSync } from "node:fs";
import { createConnection, isIP, type Socket } from "node:net";
import { permissionAdvice } from "../permission_advice.ts";
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
    const underTls = address.tls ? await connectSocket(address, sockets, signal) : undefined;
    const client = redis.createClient({
      socket: socketOptions(address, underTls),
      username: address.username,
      // Read again at each attempt: it may have been changed.
      password: address.passwordFile?.read() ?? address.password,
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
      const isFollowed = address.tls || address.socketPath !== undefined;
      const connect = () => client.connect();
      await withPatience(
        isFollowed ? connect() : sockets.track(address.host, address.port, connect),
        CONNECT_PATIENCE,
      );
      await connection.#introduce();
    } catch (error) {
      client.destroy();
      underTls?.destroy();
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
    if (error instanceof UserError || error instanceof RedisReplyError) return error;
    if (error instanceof this.#redis.ErrorReply) {
      return new RedisReplyError(withoutLogin(error.message));
    }
    return errorOf(error);
  }
}

/** A server that does not know the command to log in repeats what it was given. */
function withoutLogin(message: string): string {
  return message.replace(/(with args beginning with:).*/s, "$1 ***");
}

/** Deno 2.9 turns a missing permission into a refused connection, so it is asked for before. */
function requirePermission(address: RedisAddress): void {
  const { socketPath: path, host, port } = address;
  const end = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const [descriptors, options]: [Deno.PermissionDescriptor[], string] = path === undefined
    ? [[{ name: "net", host: end }], `--allow-net=${end}`]
    : [
      [{ name: "read", path }, { name: "write", path }],
      `--allow-read=${path} --allow-write=${path}`,
    ];
  if (descriptors.some((it) => Deno.permissions.querySync(it).state !== "granted")) {
    const advice = permissionAdvice(options, path);
    throw new UserError(`Redis at ${address.text}: no permission, ${advice}`);
  }
}

/**
 * The TCP connection under TLS is made here, since Deno 2.9 tells nobody of those that it makes
 * for TLS itself.
 */
async function connectSocket(
  address: RedisAddress,
  sockets: OwnSockets,
  signal: AbortSignal,
): Promise<Socket> {
  const { host, port } = address;
  const socket = createConnection({ host, port, noDelay: true, keepAlive: true });
  // Nothing may be read from it before TLS takes it over.
  socket.pause();
  sockets.follow(socket, host, port);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const abort = () => socket.destroy(new Error("given up"));
  signal.addEventListener("abort", abort);
  socket.once("connect", () => resolve(socket));
  // The listener stays: what happens later is said by the TLS socket as well.
  socket.on("error", (error) => reject(errorOf(error)));
  try {
    return await withPatience(promise, CONNECT_PATIENCE);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function socketOptions(address: RedisAddress, underTls: Socket | undefined) {
  const common = { connectTimeout: CONNECT_PATIENCE, reconnectStrategy: false as const };
  if (address.socketPath !== undefined) return { ...common, path: address.socketPath };
  const tcp = { ...common, host: address.host, port: address.port };
  if (!address.tls) return tcp;
  return {
    ...tcp,
    tls: true as const,
    socket: underTls,
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
  const text = `${(error as { code?: unknown }).code} ${error.message}`;
  if (!CERTIFICATE.test(text)) return error;
  const [what, way] = /CertificateRequired|CERTIFICATE_REQUIRED/.test(text)
    ? ["it asks for our certificate", ": name it with ?cert=FILE&key=FILE"]
    : text.includes("CaUsedAsEndEntity")
    ? ["its certificate is an authority's own", ": make one with basicConstraints=CA:FALSE"]
    : [
      "its certificate is not trusted",
      address.caFile === undefined ? ": name its authority's file with ?cacert=FILE" : "",
    ];
  return new UserError(`Redis at ${address.text}: ${what} (${error.message})${way}`);
}

/** The error with a message of one line that a person understands. */
function errorOf(error: unknown): Error {
  const { code, message, constructor } = error as { code?: string; message?: string } & object;
  const words = WORDS_FOR_CODES.get(code ?? constructor.name) ??
    (message || code || String(error)).split("\n")[0];
  return Object.assign(new Error(words, { cause: error }), { code });
}
