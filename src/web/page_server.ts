import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { Access } from "./access.ts";
import { requireAddresses } from "./addresses_within.ts";
import { FilterError, parseFilter } from "./filter.ts";
import {
  FLOW_SORTS,
  type FlowKey,
  type FlowSort,
  type PageData,
  type PageQuery,
} from "./page_data.ts";
import { HttpListener } from "./http_listener.ts";
import { hostText } from "./page_address.ts";
import { PAGE } from "./page_files.ts";
import type { PageSettings } from "./page_options.ts";
import { plainResponse } from "./plain_response.ts";
import type { SensorFigures } from "./sensor_figures.ts";

/** A flow of which `explain` is asked. */
export interface ExplainedKey extends FlowKey {
  /** 0 where it is not known. */
  readonly clientPort: number;
}

/** What a page is made of. */
export interface PageSources {
  /** `null` as long as there is none. */
  readonly data: PageData | null;
  /** What `explain` says of a flow. */
  readonly explain: (flow: ExplainedKey) => Promise<string>;
  /** Called when something was answered, which may have needed memory. */
  readonly onAnswered?: () => void;
}

/** How often it is looked whether there is something new, in milliseconds. */
const LOOK_EVERY = 1_000;
/** Without anything new, this is how often a browser hears that the sensor is there, in milliseconds. */
const SAY_EVERY = 15_000;
/** Pages that are kept up to date at a time. */
const MOST_STREAMS = 64;
const MOST_PART = 500;
const MOST_SPAN = 10 * 366 * 86_400_000;

const HEADERS: Readonly<Record<string, string>> = {
  // Nothing from elsewhere, nothing inline, in no frame: a name out of a packet stays a text.
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** What was asked can't be answered. */
class BadRequest extends Error {}

/** Serves the page and its data. */
export class PageServer implements AsyncDisposable {
  readonly #sources: PageSources;
  readonly #options: PageSettings;
  readonly #log: Log;
  readonly #access: Access;
  readonly #server: HttpListener;
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #version = "";
  #saidAt = 0;
  /** What a capture says of itself, where it is this process. */
  figures: SensorFigures | null = null;

  /** @throws {UserError} when it can't listen there. */
  constructor(sources: PageSources, options: PageSettings, log: Log) {
    this.#sources = sources;
    this.#options = options;
    this.#log = log;
    this.#access = new Access(options);
    this.#server = new HttpListener("--listen", options.address, options.tls, {
      answer: (request) => this.#answer(request),
      onError: (error) => this.#failed(error),
    }, log);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  /** Where it is reached, without a token. */
  get url(): string {
    const { tls, address } = this.#options;
    return `${tls === null ? "http" : "https"}://${
      hostText({ ...address, port: this.#server.addr.port })
    }/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
    await this.#server.shutdown();
  }

  #answer(request: Request): Response | Promise<Response> {
    const response = this.#access.refusal(request) ?? this.#respond(request);
    return response instanceof Promise ? response.then(withHeaders) : withHeaders(response);
  }

  #respond(request: Request): Response | Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/api/live") return this.#live();
    if (pathname.startsWith("/api/")) return this.#api(pathname.slice(5), searchParams);
    const file = PAGE[pathname];
    // Addresses of views are those of the page, which looks at them itself.
    if (file === undefined && pathname.includes(".")) {
      return plainResponse(404, "There is no such file.");
    }
    const { type, text, tag } = file ?? PAGE["/"];
    const isKnown = request.headers.get("if-none-match") === tag;
    return new Response(isKnown ? null : text, {
      status: isKnown ? 304 : 200,
      headers: { "content-type": type, "cache-control": "no-cache", "etag": tag },
    });
  }

  async #api(what: string, parameters: URLSearchParams): Promise<Response> {
    const { data } = this.#sources;
    if (data === null) return json({ error: "flosensor is starting" }, 503);
    try {
      const answer = await this.#ask(data, what, parameters);
      this.#sources.onAnswered?.();
      return answer === undefined
        ? json({ error: "flosensor has nothing like that" }, 404)
        : json({ version: data.version, data: answer });
    } catch (error) {
      if (
        error instanceof FilterError || error instanceof BadRequest || error instanceof UserError
      ) {
        return json({ error: error.message }, 400);
      }
      const message = error instanceof Error ? error.message : String(error);
      this.#log.warn(`page: ${what}: ${message}`);
      return json({ error: `the store can't be read: ${message}` }, 500);
    }
  }

  #ask(data: PageData, what: string, parameters: URLSearchParams): unknown {
    switch (what) {
      case "overview": {
        const overview = data.overview(queryOf(parameters));
        const sensor = overview.sensor === null ? null : { ...overview.sensor, ...this.figures };
        return { ...overview, sensor };
      }
      case "flows":
        return data.flows(queryOf(parameters), orderOf(parameters), {
          offset: numberOf(parameters, "offset", 0, Number.MAX_SAFE_INTEGER),
          limit: numberOf(parameters, "limit", 100, MOST_PART),
          snapshot: parameters.get("snapshot"),
        });
      case "flow":
        return data.flow(flowKeyOf(parameters)) ?? undefined;
      case "explain":
        return this.#sources.explain({
          ...flowKeyOf(parameters),
          clientPort: numberOf(parameters, "clientPort", 0, 65_535),
        });
      case "services":
        return data.services(queryOf(parameters), parameters.get("of") !== "all");
      case "devices":
        return data.devices(queryOf(parameters));
      case "unexplained":
        return data.unexplained(queryOf(parameters));
      case "encrypted-dns":
        return data.encryptedDns(queryOf(parameters));
      case "refused":
        return data.refused(queryOf(parameters));
      case "names":
        return data.names(queryOf(parameters));
    }
  }

  /** Server-sent events (HTML, section 9.2): a version, whenever it is another. */
  #live(): Response {
    if (this.#streams.size >= MOST_STREAMS) {
      return plainResponse(503, `${MOST_STREAMS} pages are kept up to date already.`);
    }
    let stream: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        stream = controller;
        this.#streams.add(controller);
        controller.enqueue(this.#event());
      },
      cancel: () => void this.#streams.delete(stream),
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    });
  }

  #look(): void {
    if (this.#streams.size === 0) return;
    try {
      const version = this.#sources.data?.version ?? "";
      const now = performance.now();
      if (version === this.#version && now < this.#saidAt + SAY_EVERY) return;
      this.#version = version;
      this.#saidAt = now;
      const event = this.#event();
      for (const stream of this.#streams) {
        // Whoever reads slowly needs the last version only.
        if ((stream.desiredSize ?? 0) > -MOST_STREAMS) stream.enqueue(event);
      }
    } catch (error) {
      this.#log.debug(`page: ${error}`);
    }
  }

  #event(): Uint8Array {
    const { version = "", isLive = false } = this.#sources.data ?? {};
    const state = { version, isLive, ...this.figures };
    return new TextEncoder().encode(`data: ${JSON.stringify(state)}\n\n`);
  }

  #failed(error: unknown): Response {
    this.#log.warn(`page: ${error instanceof Error ? error.message : error}`);
    return withHeaders(plainResponse(500, "That did not work."));
  }
}

function queryOf(parameters: URLSearchParams): PageQuery {
  const span = parameters.get("span");
  const filter = parseFilter(parameters.get("filter") ?? "");
  requireAddresses(filter);
  return {
    filter,
    span: span === null ? null : numberOf(parameters, "span", 0, MOST_SPAN),
  };
}

function orderOf(parameters: URLSearchParams): { by: FlowSort; isDescending: boolean } {
  const text = parameters.get("sort") ?? "-last";
  const by = text.replace(/^-/, "");
  if (!(FLOW_SORTS as readonly string[]).includes(by)) {
    throw new BadRequest(`sort: there are ${FLOW_SORTS.join(", ")}`);
  }
  return { by: by as FlowSort, isDescending: text.startsWith("-") };
}

function flowKeyOf(parameters: URLSearchParams): FlowKey {
  return {
    client: parameters.get("client") ?? "",
    server: parameters.get("server") ?? "",
    port: numberOf(parameters, "port", 0, 65_535),
    protocol: parameters.get("proto") ?? "",
  };
}

function numberOf(
  parameters: URLSearchParams,
  name: string,
  otherwise: number,
  most: number,
): number {
  const text = parameters.get(name);
  if (text === null) return otherwise;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return Math.min(number, most);
  throw new BadRequest(`${name}: a whole number is wanted`);
}

function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}

function withHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
  return response;
}
