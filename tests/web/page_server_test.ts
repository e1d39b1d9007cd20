import assert from "node:assert/strict";
import { LineLog } from "../../src/log.ts";
import type { PageSettings } from "../../src/web/page_options.ts";
import { PageServer } from "../../src/web/page_server.ts";
import { StorePageData } from "../../src/web/store_page_data.ts";
import { unusedPort } from "../redis_server.ts";
import { officeStore } from "./office_store.ts";

/** What a server answered. */
interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A page of the office, and how it is asked: by bytes, as a browser would not send them. */
class Page implements AsyncDisposable {
  readonly port: number;
  readonly log: string[] = [];
  readonly #store = officeStore();
  readonly #server: PageServer;

  private constructor(port: number, settings: Partial<PageSettings>) {
    this.port = port;
    const data = new StorePageData(this.#store.database);
    this.#server = new PageServer(
      { data, explain: () => Promise.resolve("It is so.") },
      {
        ...{
          address: { hostname: "127.0.0.1", port },
          token: null,
          hosts: [],
          isTls: false,
          tls: null,
        },
        ...settings,
      },
      new LineLog("info", (line) => this.log.push(line)),
    );
  }

  static async open(settings: Partial<PageSettings> = {}): Promise<Page> {
    return new Page(await unusedPort(), settings);
  }

  async ask(
    target: string,
    headers: Readonly<Record<string, string>> = {},
    method = "GET",
  ): Promise<Answer> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    const all = { host: `127.0.0.1:${this.port}`, connection: "close", ...headers };
    const lines = Object.entries(all).filter(([, value]) => value !== "")
      .map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await connection.write(
      new TextEncoder().encode(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`),
    );
    const text = await new Response(connection.readable).text();
    const [head, ...body] = text.split("\r\n\r\n");
    const [status, ...fields] = head.split("\r\n");
    return {
      status: Number(status.split(" ")[1]),
      headers: new Map(fields.map((field) => {
        const [name, ...value] = field.split(": ");
        return [name.toLowerCase(), value.join(": ")];
      })),
      body: body.join("\r\n\r\n"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#store[Symbol.dispose]();
  }
}

Deno.test("every answer forbids what is inline, from elsewhere, or in a frame", async () => {
  await using page = await Page.open();
  for (
    const target of ["/", "/page.js", "/api/overview", "/api/nothing", "/nothing.js", "/names"]
  ) {
    const { headers } = await page.ask(target);
    const policy = headers.get("content-security-policy")!;
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/, target);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
  }
});

Deno.test("addresses of views are the page, and files that are not there are not", async () => {
  await using page = await Page.open();
  for (const target of ["/", "/names", "/flow?client=1"]) {
    const { status, body } = await page.ask(target);
    assert.equal(status, 200);
    assert.match(body, /<div id="page">/);
  }
  assert.equal((await page.ask("/favicon.ico")).status, 404);
  const { headers } = await page.ask("/page.js");
  const again = await page.ask("/page.js", { "if-none-match": headers.get("etag")! });
  assert.equal(again.status, 304);
});

Deno.test("a name of another site that resolves to this host gets nothing", async () => {
  await using page = await Page.open();
  const { port } = page;
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "127.0.0.1"]) {
    assert.equal((await page.ask("/api/overview", { host })).status, 200, host);
  }
  for (
    const host of [
      "evil.example",
      `evil.example:${port}`,
      "192.0.2.1",
      "localhost.evil.example",
      "x",
    ]
  ) {
    const { status, body } = await page.ask("/api/overview", { host });
    assert.equal(status, 421, host);
    assert.doesNotMatch(body, /192\.168/);
  }
});

Deno.test("a host that was named reaches the page, as behind a proxy", async () => {
  await using page = await Page.open({ hosts: ["flows.example"] });
  assert.equal((await page.ask("/api/overview", { host: "flows.example" })).status, 200);
  const headers = { host: "flows.example", origin: "https://flows.example" };
  assert.equal((await page.ask("/api/overview", headers)).status, 200);
});

Deno.test("requests that pages of other sites make get nothing", async () => {
  await using page = await Page.open();
  const own = `http://127.0.0.1:${page.port}`;
  assert.equal((await page.ask("/api/overview", { origin: own })).status, 200);
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `http://127.0.0.1:${page.port + 1}` },
    { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
    { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
  ];
  for (const headers of foreign) {
    assert.equal((await page.ask("/api/overview", headers)).status, 403, JSON.stringify(headers));
  }
  // A link from elsewhere may be followed.
  const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  assert.equal((await page.ask("/", link)).status, 200);
});

Deno.test("nothing can be changed: there is no method but GET and HEAD", async () => {
  await using page = await Page.open();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const { status, headers } = await page.ask("/api/overview", { "content-length": "0" }, method);
    assert.equal(status, 405, method);
    assert.equal(headers.get("access-control-allow-origin"), undefined);
  }
  assert.equal((await page.ask("/", {}, "HEAD")).status, 200);
});

Deno.test("a token is wanted once, and is a cookie after that", async () => {
  const token = "correct-horse-battery";
  await using page = await Page.open({ token });
  for (
    const target of ["/", "/api/overview", "/page.js", "/api/live", "/?token=wrong", "/?token="]
  ) {
    const { status, body } = await page.ask(target);
    assert.equal(status, 401, target);
    assert.doesNotMatch(body, /correct|192\.168/);
  }
  const visit = await page.ask(`/names?filter=name:example&token=${token}`);
  assert.equal(visit.status, 303);
  // Neither the address nor what is sent on from it has the token any more.
  assert.equal(visit.headers.get("location"), "/names?filter=name%3Aexample");
  const cookie = visit.headers.get("set-cookie")!;
  assert.match(cookie, /; HttpOnly; SameSite=Lax$/);
  const [pair] = cookie.split(";");
  assert.equal((await page.ask("/api/overview", { cookie: `other=1; ${pair}` })).status, 200);
  assert.equal((await page.ask("/api/overview", { cookie: `${pair}x` })).status, 401);
  const bearer = { authorization: `Bearer ${token}` };
  assert.equal((await page.ask("/api/overview", bearer)).status, 200);
  assert.equal((await page.ask("/", { host: "evil.example", cookie: pair })).status, 421);
});

Deno.test("what is asked wrongly is answered with what is wrong", async () => {
  await using page = await Page.open();
  const wrong: readonly (readonly [string, number, RegExp])[] = [
    ["/api/flows?filter=port:https", 400, /port:https is no port/],
    ["/api/names?filter=client:1:1", 400, /"1:1" is not an IPv4 or IPv6 prefix/],
    ["/api/overview?filter=-host:::ffff:1.2.3.4", 400, /::ffff:1\.2\.3\.4/],
    ["/api/refused?filter=server:010.0.0.1", 400, /"010\.0\.0\.1" is not an address/],
    ["/api/flows?sort=colour", 400, /sort: there are last, first/],
    ["/api/flows?offset=-1", 400, /offset: a whole number/],
    ["/api/flows?span=1e99", 400, /span: a whole number/],
    ["/api/flow?client=x&server=y&port=1", 404, /nothing like that/],
    ["/api/nothing", 404, /nothing like that/],
  ];
  for (const [target, status, message] of wrong) {
    const answer = await page.ask(target);
    assert.equal(answer.status, status, target);
    assert.match(JSON.parse(answer.body).error, message);
  }
  assert.deepEqual(page.log, []);
});

Deno.test("the most rows that are asked for at a time are bounded", async () => {
  await using page = await Page.open();
  const { body } = await page.ask("/api/flows?limit=1000000");
  const { rows, total } = JSON.parse(body).data;
  assert.equal(rows.length, Math.min(total, 500));
});

Deno.test("events tell versions, and no more of them are open than the server can feed", async () => {
  await using page = await Page.open();
  const url = `http://127.0.0.1:${page.port}/api/live`;
  const open: Response[] = [];
  try {
    for (let i = 0; i < 64; i++) open.push(await fetch(url));
    const reader = open[0].body!.getReader();
    const { value } = await reader.read();
    const event = new TextDecoder().decode(value);
    assert.match(event, /^data: \{"version":"[^"]+","isLive":false\}\n\n$/);
    reader.releaseLock();
    const refused = await fetch(url);
    assert.equal(refused.status, 503);
    await refused.body?.cancel();
    // One that goes makes room.
    await open.pop()!.body?.cancel();
    for (let i = 0; i < 100; i++) {
      const again = await fetch(url);
      if (again.status === 200) {
        open.push(again);
        break;
      }
      await again.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(open.length, 64);
  } finally {
    for (const { body } of open) await body?.cancel();
  }
});
