import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { OwnSockets } from "../sink/own_sockets.ts";
import { UserError } from "../user_error.ts";
import type { ClickHouseAddress } from "./clickhouse_address.ts";
import { ClickHouseError } from "./clickhouse_error.ts";

/** How long, in milliseconds, a server may say nothing to what it was asked. */
const PATIENCE = 30_000;
/** How much is read of an error's text, and of an answer that has nothing to say: more is no ClickHouse's. */
const MOST_TEXT = 10_000;
/** How long a row may be, in UTF-16 units. */
const MOST_ROW = 1_048_576;

/**
 * Talks to the HTTP interface of a ClickHouse, over connections that are kept and are known as the
 * sensor's own.
 */
export class ClickHouseClient {
  readonly address: ClickHouseAddress;
  readonly sockets: OwnSockets;
  readonly #agent: HttpAgent;
  readonly #patience: number;

  /**
   * Connects to nothing yet.
   *
   * @param patience How long, in milliseconds, the server may say nothing.
   */
  constructor(address: ClickHouseAddress, sockets: OwnSockets, patience = PATIENCE) {
    this.address = address;
    this.sockets = sockets;
    this.#patience = patience;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = address.tls ? new HttpsAgent(options) : new HttpAgent(options);
    // There is no other way to know of a socket before it connects.
    Object.assign(this.#agent, { createConnection: () => this.#connect() });
  }

  #connect(): Socket {
    const { host, port, tls, caFile } = this.address;
    const socket = this.sockets.track(host, port, () => {
      if (!tls) return connect({ host, port });
      const ca = caFile === undefined ? undefined : readCertificates(caFile, this.address.text);
      return connectTls({ host, port, ca, servername: /^[\d.]+$|:/.test(host) ? undefined : host });
    });
    // What is wrong with a request, its own listener is told.
    socket.on("error", () => {});
    return socket;
  }

  /**
   * Asks something, or inserts rows.
   *
   * @param rows What an INSERT inserts.
   * @param hasDatabase Whether the database is there.
   * @throws {ClickHouseError} What the server says against it.
   * @throws {UserError} for a password that can't be read.
   * @throws {Error} when it can't be reached.
   */
  async execute(statement: string, rows?: string | Uint8Array, hasDatabase = true): Promise<void> {
    const response = await this.#send(statement, rows, hasDatabase);
    // A connection is used again when its answer was read.
    await this.#textOf(response);
  }

  /** The rows of an answer. What is thrown is as with `execute`. */
  async *rows<Row>(query: string): AsyncGenerator<Row> {
    const response = await this.#send(`${query} FORMAT JSONEachRow`, undefined, true);
    let rest = "";
    let lastRow = performance.now();
    for await (const part of this.#partsOf(response)) {
      const lines = (rest + part).split("\n");
      rest = lines.pop()!;
      if (lines.length === 0 && performance.now() > lastRow + this.#patience) {
        throw new Error(this.#silence);
      }
      if (rest.length > MOST_ROW) throw new Error("its answer has a row without an end");
      for (const line of lines) {
        // A query may fail when a part of the answer is on its way.
        if (line.startsWith("{")) yield JSON.parse(line) as Row;
        else if (line.includes("Code: ")) throw new ClickHouseError(200, line);
      }
      if (lines.length > 0) lastRow = performance.now();
    }
    if (rest.includes("Code: ")) throw new ClickHouseError(200, rest);
  }

  /** Closes its connections. */
  destroy(): void {
    this.#agent.destroy();
  }

  async #send(
    statement: string,
    rows: string | Uint8Array | undefined,
    hasDatabase: boolean,
  ): Promise<IncomingMessage> {
    const { host, port, tls, user, password, passwordFile, database } = this.address;
    const settings = new URLSearchParams({ output_format_json_quote_64bit_integers: "0" });
    if (hasDatabase) settings.set("database", database);
    if (rows !== undefined) settings.set("query", statement);
    const body = typeof rows === "string" || rows === undefined
      ? new TextEncoder().encode(rows ?? statement)
      : rows;
    const headers: Record<string, string | number> = {
      "x-clickhouse-user": encodeHeader(user),
      "content-length": body.length,
    };
    const secret = password ?? passwordFile?.read();
    if (secret !== undefined) headers["x-clickhouse-key"] = encodeHeader(secret);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = (tls ? httpsRequest : httpRequest)({
        host,
        port,
        method: "POST",
        path: `/?${settings}`,
        headers,
        agent: this.#agent,
      }, resolve);
      const timer = setTimeout(
        () => request.destroy(new Error(this.#silence)),
        this.#patience,
      );
      request.on("error", reject).on("close", () => clearTimeout(timer));
      request.on("response", () => clearTimeout(timer));
      request.end(body);
    });
    if (response.statusCode === 200) return response;
    throw new ClickHouseError(response.statusCode ?? 0, await this.#textOf(response));
  }

  get #silence(): string {
    return `no answer for ${this.#patience / 1000} s`;
  }

  /** A text that is short, in time. */
  async #textOf(response: IncomingMessage): Promise<string> {
    const deadline = performance.now() + this.#patience;
    let text = "";
    for await (const part of this.#partsOf(response)) {
      text += part;
      if (text.length > MOST_TEXT) throw new Error("its answer has no end");
      if (performance.now() > deadline) throw new Error(this.#silence);
    }
    return text;
  }

  /** What comes, as long as something does. */
  async *#partsOf(response: IncomingMessage): AsyncGenerator<string> {
    response.setEncoding("utf8");
    const silent = () => response.destroy(new Error(this.#silence));
    let timer = setTimeout(silent, this.#patience);
    try {
      for await (const part of response) {
        clearTimeout(timer);
        yield part;
        timer = setTimeout(silent, this.#patience);
      }
    } finally {
      clearTimeout(timer);
    }
    if (!response.complete) throw new Error("it closed the connection");
  }
}

/** Bytes of UTF-8, as characters of a header. */
function encodeHeader(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function readCertificates(path: string, text: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new UserError(
      `ClickHouse at ${text}: cacert ${path} can't be read: ${(error as Error).message}`,
      1,
      { cause: error },
    );
  }
}

/** What the system says, without its number and that of the error. */
export function reasonOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const { message } = error as Error;
  return message.replace(/ \(os error \d+\)$/, "").replace(
    /^[A-Z](?=[a-z])/,
    (it) => it.toLowerCase(),
  );
}
