import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createConnection, isIP, type Socket } from "node:net";
import { permissionAdvice } from "../permission_advice.ts";
import type { OwnSockets } from "./own_sockets.ts";
import type { RedisAddress } from "./redis_url.ts";
import { socketsMadeBy } from "./sockets_made_by.ts";
import { UnusableRedisError } from "./unusable_redis_error.ts";

/** What `CLIENT LIST` calls the sensor's connection. */
const CLIENT_NAME = "flosensor";
/** How long, in milliseconds, a server may take to be connected to. */
const CONNECT_PATIENCE = 5_000;
/** How long, in milliseconds, it is listened to for why it closed a connection. */
const REFUSAL_PATIENCE = 1_000;
/**
 * How long, in milliseconds, it may say nothing while it has something to answer: it may be saving, or
 * run another's script.
 */
const REPLY_PATIENCE = 10_000;
/**
 * A timer that is later than this, in milliseconds, says that this process was stopped: it could not
 * hear what was said meanwhile.
 */
const STOPPED = 2_000;
/** Errors with which a server that is there and healthy says that it will be usable soon, or as a cluster. */
const PASSING_REPLY = /^(LOADING|BUSY|MASTERDOWN|TRYAGAIN|MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/;
/** The error of one that has no room for us: it may have at the next try, or never. */
const FULL_REPLY = /max number of clients/;
/** Errors with which a node of a Redis Cluster says that it is one. */
const CLUSTER_REPLY = /^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/;
/** Errors of a TLS handshake that fail in the same way each time. */
const CERTIFICATE = /cert|ERR_TLS|ALERT_(\w+_)?(UNKNOWN_CA|ACCESS_DENIED|DECRYPT)/i;
/** With these alerts the server says what it has against ours (RFC 8446, section 6.2). */
const OUR_CERTIFICATE = /ALERT_\w*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT)/;
/** The section of `INFO` that says what a server is, and the line that does, of Redis or of Valkey. */
const INFO_SECTION = "server";
const MODE_LINE = /^(?:redis|server)_mode:(cluster|sentinel)/m;
/** Errors of the library that say less than the socket does, or the server. */
const VAGUE_ERRORS = ["SocketClosedUnexpectedlyError", "ConnectionTimeoutError", "TypeError"];

/** The server answered a command with an error. */
export class RedisReplyError extends Error {
  override name = "RedisReplyError";

  /** Whether it may be gone at the next try although nobody mended anything. */
  get isPassing(): boolean {
    return PASSING_REPLY.test(this.message) || this.isOfFull;
  }

  /** Whether the server has too many clients. */
  get isOfFull(): boolean {
    return FULL_REPLY.test(this.message);
  }

  /** Whether only a node of a Redis Cluster says so. */
  get isOfCluster(): boolean {
    return CLUSTER_REPLY.test(this.message);
  }
}

/** What a server is: one for itself, a node of a Redis Cluster, or a Sentinel. */
export type RedisMode = "standalone" | "cluster" | "sentinel";

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
  /** The first error of a socket. */
  #socketError: Error | null = null;
  /** With what the server refused us before it was asked for anything. */
  #refusal: RedisReplyError | null = null;
  /** When bytes of the server's came last. */
  #heardAt = 0;
  #mode: RedisMode = "standalone";

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
   * @throws {UnusableRedisError} when something has to be mended first.
   * @throws {UserError} when the file with the password can't be read.
   * @throws {Error} when the server can't be reached or does not answer.
   */
  static async open(
    address: RedisAddress,
    sockets: OwnSockets,
    signal: AbortSignal,
  ): Promise<RedisConnection> {
    requirePermission(address);
    const redis = await import("./redis_library.ts");
    // Read again at each attempt: it may have been changed.
    const password = address.passwordFile?.read() ?? address.password;
    if (address.tls) requireOwnKey(address);
    const underTls = address.tls ? await connectSocket(address, sockets, signal) : undefined;
    const client = redis.createClient({
      socket: socketOptions(address, underTls),
      username: address.username,
      password,
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
      const ready = address.tls ? "secureConnect" : "connect";
      const connect = () =>
        socketsMadeBy(() => client.connect(), (socket) => connection.#watch(socket, ready));
      await withPatience(
        isFollowed ? connect() : sockets.track(address.host, address.port, connect),
        CONNECT_PATIENCE,
      );
      connection.#refusal = null;
      await connection.#introduce(address.database);
    } catch (error) {
      client.destroy();
      underTls?.destroy();
      const cause = connection.#causeOf(error);
      const path = (cause as { code?: string }).code === "EPIPE" ? address.socketPath : undefined;
      const refusal = path === undefined ? null : await refusalOf(path, signal);
      throw await explained(connection.#asReplyError(refusal ?? cause), address);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    return connection;
  }

  /** What the server is, as far as it tells us. */
  get mode(): RedisMode {
    return this.#mode;
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
      return await this.#withReplies(this.#client.sendCommand(command));
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
    const settled = await this.#withReplies(replies);
    return settled.map((it) =>
      it.status === "fulfilled" ? it.value : this.#asReplyError(it.reason)
    );
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#onClosed = () => {};
    this.#client.destroy();
  }

  /**
   * Says who we are, which may be forbidden, asks what the server is, which may be too, and whether it
   * is ready, and selects the database.
   */
  async #introduce(database: number): Promise<void> {
    const commands = [["CLIENT", "SETNAME", CLIENT_NAME], ["INFO", INFO_SECTION], ["PING"]];
    if (database !== 0) commands.push(["SELECT", String(database)]);
    const [, info, pong, selected] = await this.pipeline(commands);
    this.#mode = MODE_LINE.exec(String(info))?.[1] as RedisMode | undefined ?? "standalone";
    if (pong instanceof Error && !pong.message.startsWith("NOPERM")) throw pong;
    if (!(selected instanceof Error) || this.#mode === "sentinel") return;
    if (this.#mode === "standalone") throw selected;
    throw new UnusableRedisError(
      `it is a node of a Redis Cluster, which has no database ${database}`,
      ": leave the database out",
    );
  }

  /**
   * Watches a socket of the library's. That itself listens for its first error only, and throws away
   * what the server says before it was asked, as a server with too many clients does.
   *
   * @param ready The event after which the server is heard.
   */
  #watch(socket: Socket, ready: string): void {
    socket.on("error", (error) => this.#socketError ??= error);
    socket.once(ready, () => {
      socket.once("data", (bytes: Uint8Array) => this.#refusal = refusalIn(bytes));
      socket.on("data", () => this.#heardAt = performance.now());
    });
  }

  /** Waits for what replies bring, over however slow a link, as long as the server says something. */
  #withReplies<T>(promise: Promise<T>): Promise<T> {
    return withPatience(promise, REPLY_PATIENCE, () => this.#heardAt);
  }

  /**
   * The error that says most about why the connection could not be made. A server that refuses us
   * closes the connection behind its words, and what we send meanwhile is answered by an error of the
   * socket: ECONNRESET over TCP, EPIPE over a Unix socket.
   */
  #causeOf(error: unknown): unknown {
    const isVague = error === this.#socketError ||
      VAGUE_ERRORS.includes((error as Error).constructor.name);
    return isVague ? this.#refusal ?? this.#socketError ?? error : error;
  }

  #asReplyError(error: unknown): Error {
    if (error instanceof UnusableRedisError || error instanceof RedisReplyError) return error;
    if (error instanceof this.#redis.ErrorReply) {
      return new RedisReplyError(withoutLogin(error.message));
    }
    return errorOf(error);
  }
}

/** The error that a server's words are, if they are one. */
function refusalIn(bytes: Uint8Array): RedisReplyError | null {
  // Why it denies is one sentence; advice for whoever runs the server follows.
  const reason = /^-(.*?)(\. .*)?\r\n/.exec(new TextDecoder().decode(bytes))?.[1];
  return reason === undefined ? null : new RedisReplyError(withoutLogin(reason));
}

/**
 * With what a server at a Unix socket refuses whoever connects, before it is asked for anything. Where
 * it has closed the connection before our first command, that fails, and what the server said may not
 * have been read yet; over TCP it always has been.
 */
async function refusalOf(path: string, signal: AbortSignal): Promise<RedisReplyError | null> {
  const socket = createConnection({ path });
  const { promise, resolve } = Promise.withResolvers<RedisReplyError | null>();
  const end = () => socket.destroy();
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  const timer = setTimeout(end, REFUSAL_PATIENCE);
  socket.once("data", (bytes: Uint8Array) => resolve(refusalIn(bytes)));
  socket.on("error", end);
  socket.once("close", () => resolve(null));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    end();
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
    throw new UnusableRedisError("no permission", `, ${permissionAdvice(options, path)}`);
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

/** What we show, and its key, have to belong together: Node's way says of others that TLS is. */
function requireOwnKey({ certificateFile, keyFile }: RedisAddress): void {
  const [certificate, key] = [pem(certificateFile), pem(keyFile)];
  if (certificate === undefined || key === undefined) return;
  const file = (name: string, read: () => void) => {
    try {
      read();
    } catch (error) {
      const reason = (error as Error).message.split("\n")[0];
      throw new UnusableRedisError(`${name}: it can't be used (${reason})`, ": name a PEM file");
    }
  };
  let isOwn = false;
  file(certificateFile!, () => void new X509Certificate(certificate));
  file(keyFile!, () => {
    isOwn = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  });
  if (isOwn) return;
  throw new UnusableRedisError(`${keyFile} is not the key of ${certificateFile}`, "");
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
    throw new UnusableRedisError(`${file}: can't be read (${(error as Error).message})`, "");
  }
}

/** @param lastSign When there was a sign of life last, from which on the patience is counted. */
async function withPatience<T>(
  promise: Promise<T>,
  patience: number,
  lastSign: () => number = () => 0,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${patience / 1000} s`);
    const wait = (since: number) => {
      const end = since + patience;
      timer = setTimeout(() => {
        const now = performance.now();
        const last = now > end + STOPPED ? now : lastSign();
        if (last > since) wait(last);
        else reject(error);
      }, end - performance.now());
    };
    wait(performance.now());
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Says what to mend where a certificate, theirs or ours, was not taken. */
async function explained(error: Error, address: RedisAddress): Promise<Error> {
  const text = `${(error as { code?: unknown }).code} ${error.message}`;
  if (!CERTIFICATE.test(text)) return error;
  if (/CERTIFICATE_REQUIRED/.test(text)) {
    return new UnusableRedisError(
      `it asks for our certificate (${error.message})`,
      ": name it with ?cert=FILE&key=FILE",
    );
  }
  const { certificateFile, caFile } = address;
  if (OUR_CERTIFICATE.test(text) && certificateFile !== undefined) {
    return new UnusableRedisError(
      `it refuses our certificate (${error.message})`,
      `: ${certificateFile} has to be valid, and of an authority that it trusts`,
    );
  }
  if (text.includes("CaUsedAsEndEntity")) {
    return new UnusableRedisError(
      `its certificate is an authority's own (${error.message})`,
      ": make one with basicConstraints=CA:FALSE",
    );
  }
  const reason = text.startsWith(VAGUE_DISTRUST) ? await reasonOfDistrust(address) : null;
  const isUnknown = caFile === undefined && (reason ?? UNKNOWN_ISSUER) === UNKNOWN_ISSUER;
  return new UnusableRedisError(
    `its certificate is not trusted (${reason ?? error.message})`,
    isUnknown ? ": name its authority's file with ?cacert=FILE" : "",
  );
}

/** What Node's way says of whatever is wrong with a chain of certificates; Deno's own says what. */
const VAGUE_DISTRUST = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
const UNKNOWN_ISSUER = "unknown issuer";

/** Shakes hands once more to know why the server's certificate is not trusted; `null` if that fails. */
async function reasonOfDistrust({ host, port, caFile }: RedisAddress): Promise<string | null> {
  const ca = pem(caFile);
  const shakeHands = async () => {
    using connection = await Deno.connectTls({
      hostname: host,
      port,
      caCerts: ca === undefined ? [] : [ca],
    });
    await connection.handshake();
  };
  try {
    await withPatience(shakeHands(), CONNECT_PATIENCE);
    return null;
  } catch (error) {
    const [, reason] = /^invalid peer certificate: ([^\n]*)/.exec((error as Error).message) ?? [];
    if (reason === "UnknownIssuer") return UNKNOWN_ISSUER;
    // With the seconds since 1970 in which it was looked at.
    return reason?.replace(/: verification time .*?\((\d+ seconds ago)\)$/, " $1") ?? null;
  }
}

/** The error with a message of one line that a person understands. */
function errorOf(error: unknown): Error {
  const { code, message, constructor } = error as { code?: string; message?: string } & object;
  const words = WORDS_FOR_CODES.get(code ?? constructor.name) ??
    (message || code || String(error)).split("\n")[0];
  return Object.assign(new Error(words, { cause: error }), { code });
}
