import assert from "node:assert/strict";
import fc from "fast-check";
import { LineLog } from "../../src/log.ts";
import { PageServer } from "../../src/web/page_server.ts";
import { StorePageData } from "../../src/web/store_page_data.ts";
import { hostileText } from "../hostile_text.ts";
import { unusedPort } from "../redis_server.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { officeStore } from "../web/office_store.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { Mutator } from "./mutator.ts";

const TOKEN = "correct-horse-battery-staple";
/** What a page answers. Never 5xx: that would be a defect of ours. */
const STATUSES = [200, 303, 304, 400, 401, 403, 404, 405, 414, 421, 431];
/** How long, in milliseconds, a request that can't be understood may be left without an answer. */
const PATIENCE = 300;

const PLACES = [
  ...["/", "/page.js", "/page.css", "/names", "/flow", "/api/overview", "/api/flows", "/api/flow"],
  ...["/api/services", "/api/unexplained", "/api/encrypted-dns", "/api/refused", "/api/names"],
  ...["/api/explain", "/api/nothing", "/api/", "/../../etc/passwd", "/%2e%2e/%00", "//", "*"],
];
const PARAMETERS = [
  ...["filter", "span", "sort", "offset", "limit", "snapshot", "client", "server", "port", "proto"],
  ...["clientPort", "of", "token", "__proto__"],
];
const VALUES = [
  ...["client:1:1", "host:::ffff:1.2.3.4", "server:010.0.0.1", "-client:a:b:c/300"],
  ...[
    "client:10.0.0.0/24",
    "port:443",
    "-name:example",
    "unexplained",
    '"',
    "%",
    "%ff",
    "-1",
    "1e9",
  ],
  ...["9007199254740993", "last", "-last", "colour", "192.168.1.23", "2001:db8::1", "tcp", "'; --"],
  ...["all", "NaN", "\0", "1;2", "[]", "0x10", " ", "${1}", "name:%_\\", "port:0-65535", TOKEN],
];

const someText = fc.oneof(fc.constantFrom(...VALUES), hostileText);

/**
 * Requests to a page that wants a token. Whatever is asked is answered, without an error of ours, and
 * nothing of what the store has gets to whoever does not show the token.
 */
export class PageTarget implements FuzzTarget, AsyncDisposable {
  readonly name = "page";
  readonly weight = 5;
  readonly given = { requests: 0, answers: 0 };
  readonly #port: number;
  readonly #log: string[] = [];
  readonly #store = officeStore();
  readonly #server: PageServer;

  private constructor(port: number) {
    this.#port = port;
    this.#server = new PageServer(
      { data: new StorePageData(this.#store.database), explain: () => Promise.resolve("So.") },
      {
        address: { hostname: "127.0.0.1", port },
        token: TOKEN,
        hosts: [],
        isTls: false,
        tls: null,
      },
      new LineLog("info", (line) => this.#log.push(line)),
    );
  }

  static async open(): Promise<PageTarget> {
    return new PageTarget(await unusedPort());
  }

  make(random: SeededRandom, kept: readonly Uint8Array[]): Uint8Array {
    if (kept.length > 0 && random.below(3) === 0) {
      return new Mutator(random).mutated(random.of(kept), kept);
    }
    const request = this.#request(random);
    const text = new TextEncoder().encode(request);
    return random.below(3) === 0 ? new Mutator(random).mutated(text) : text;
  }

  async check(input: Uint8Array): Promise<void> {
    this.given.requests++;
    const answer = await this.#ask(input);
    if (answer !== "") {
      this.given.answers++;
      const [head, body] = parted(answer);
      const status = Number(head.split(" ")[1]);
      assert.ok(STATUSES.includes(status), `status ${status}: ${answer.slice(0, 300)}`);
      // 400, 414 and 431 may be the server's own, before we have seen the request.
      if (![400, 414, 431].includes(status)) assert.match(head, /frame-ancestors 'none'/);
      const isShown = new TextDecoder().decode(input).includes(TOKEN);
      if (!isShown) assert.ok(![200, 303].includes(status), `answered without token: ${head}`);
      const isHead = new TextDecoder().decode(input).trimStart().startsWith("HEAD");
      if (/content-type: application\/json/i.test(head) && body !== "" && !isHead) {
        JSON.parse(bodyOf(head, body));
      }
    }
    assert.deepEqual(this.#log, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#store[Symbol.dispose]();
  }

  #request(random: SeededRandom): string {
    const text = () => fc.sample(someText, { seed: random.below(2 ** 31), numRuns: 1 })[0];
    const query = Array.from({ length: random.below(5) }, () => {
      const value = random.below(4) === 0 ? text() : random.of(VALUES);
      return `${random.of(PARAMETERS)}=${
        random.below(8) === 0 ? value : encodeURIComponent(value.toWellFormed())
      }`;
    });
    const place = random.of(PLACES) + (query.length > 0 ? `?${query.join("&")}` : "");
    const method = random.of(["GET", "GET", "GET", "GET", "HEAD", "POST", "TRACE", "x"]);
    const host = random.below(6) === 0
      ? random.of(["evil.example", "[::1]", "127.0.0.1.evil.example", "", "localhost", "a:b:c"])
      : `127.0.0.1:${this.#port}`;
    const headers = [`host: ${host}`, "connection: close"];
    // Mostly it may see what is there, so that there is more to be asked.
    if (random.below(4) !== 0) {
      headers.push(random.of([
        `cookie: a=b; flosensor_${this.#port}=${TOKEN}`,
        `authorization: Bearer ${TOKEN}`,
      ]));
    }
    const others = [
      ...["origin: null", "origin: https://evil.example", "sec-fetch-site: cross-site"],
      ...[
        "sec-fetch-mode: navigate",
        'if-none-match: "x"',
        "cookie: ;;=;",
        "authorization: Bearer",
      ],
      ...[
        "content-length: 5",
        "transfer-encoding: chunked",
        `x: ${"a".repeat(9000)}`,
        "range: bytes=0-",
      ],
    ];
    for (let left = random.below(3); left > 0; left--) headers.push(random.of(others));
    return `${method} ${place} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`;
  }

  /** What is answered to these bytes; empty where they are no whole request. */
  async #ask(input: Uint8Array): Promise<string> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await connection.write(Uint8Array.from(input));
      await connection.closeWrite();
      const answered = new Response(connection.readable).text();
      answered.catch(() => {});
      const late = new Promise<string>((resolve) =>
        timer = setTimeout(() => resolve(""), PATIENCE)
      );
      return await Promise.race([answered, late]);
    } catch {
      // It was ended while we wrote: what we send is no HTTP.
      return "";
    } finally {
      clearTimeout(timer);
    }
  }
}

function parted(answer: string): [head: string, body: string] {
  const end = answer.indexOf("\r\n\r\n");
  return end < 0 ? [answer, ""] : [answer.slice(0, end), answer.slice(end + 4)];
}

/**
 * The body without its chunks' lengths (RFC 9112, section 7.1), nor what answers something behind the
 * request.
 */
function bodyOf(head: string, body: string): string {
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length !== undefined) {
    return new TextDecoder().decode(new TextEncoder().encode(body).subarray(0, Number(length)));
  }
  if (!/transfer-encoding: chunked/i.test(head)) return body;
  const [chunks] = body.split(/\r\n0\r\n/);
  return chunks.replace(/^[0-9a-f]+\r\n/i, "").replace(/\r\n[0-9a-f]+\r\n/gi, "");
}
