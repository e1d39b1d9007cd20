import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { LineLog } from "../../src/log.ts";
import { PageServer } from "../../src/web/page_server.ts";
import { StorePageData } from "../../src/web/store_page_data.ts";
import { unusedPort } from "../redis_server.ts";
import { MIDNIGHT, record } from "../store/record.ts";
import { TestStore } from "../store/test_store.ts";
import { HAS_BROWSER, TestBrowser, WITHOUT_BROWSER } from "./browser.ts";
import { END } from "./office_network.ts";
import { officeStore } from "./office_store.ts";

const VIEWS = [
  ...["/", "/services", "/devices", "/unexplained", "/encrypted-dns", "/refused", "/names"],
];
const FLOW = "/flow?client=192.168.1.34&server=192.0.2.11&port=443&proto=tcp";
/** How long, in milliseconds, a test waits for what must come: machines that run tests are busy. */
const PATIENCE = 60_000;
/** What the view shows, in the page. */
const MAIN = "document.querySelector('main').innerText";
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** What a test has. */
interface Setting {
  readonly browser: TestBrowser;
  readonly store: TestStore;
  /** Without a slash at its end. */
  readonly url: string;
}

/** A test of the page in a browser, with nothing to complain about at its end. */
function pageTest(
  name: string,
  test: (setting: Setting) => Promise<void>,
  makeStore: () => TestStore = officeStore,
): void {
  Deno.test({
    name: name + WITHOUT_BROWSER,
    ignore: !HAS_BROWSER,
    // Playwright keeps timers and pipes of its own.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      using store = makeStore();
      const port = await unusedPort();
      const log: string[] = [];
      await using _server = new PageServer(
        {
          data: new StorePageData(store.database, { ownWrites: () => writes }),
          explain: ({ client }) => Promise.resolve(`The rules say that ${client} is the client.`),
        },
        {
          ...{ address: { hostname: "127.0.0.1", port }, token: null, hosts: [] },
          ...{ isTls: false, tls: null },
        },
        new LineLog("info", (line) => log.push(line)),
      );
      let writes = 0;
      const write = store.write.bind(store);
      store.write = (batch) => {
        write(batch);
        writes++;
      };
      await using browser = await TestBrowser.launch();
      const url = `http://127.0.0.1:${port}`;
      await test({ browser, store, url });
      assert.deepEqual(browser.complaints, []);
      assert.deepEqual(browser.requests.filter((it) => !it.startsWith(`${url}/`)), []);
      assert.deepEqual(log, []);
    },
  });
}

/** Waits until an expression holds in the page; whose policy forbids Playwright to wait for it there. */
async function until(page: Page, expression: string): Promise<void> {
  for (const end = performance.now() + PATIENCE; !await page.evaluate(expression);) {
    if (performance.now() > end) {
      const text: string = await page.locator("main").innerText();
      throw new Error(`not so: ${expression}; the page says: ${text.slice(0, 500)}`);
    }
    await page.waitForTimeout(50);
  }
}

/** Waits until the table has so many flows. */
async function hasFlows(page: Page, count: number): Promise<void> {
  const text = `${count.toLocaleString("en")} ${count === 1 ? "flow" : "flows"}`;
  const place = "document.querySelector('[data-testid=flow-count]')?.textContent";
  await until(page, `(${place} ?? "").startsWith("${text}")`);
}

function rows(page: Page) {
  return page.locator(".grid-body [role=row]");
}

/** What axe-core finds that keeps people from using the page. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] })
  );
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).slice(0, 3).join(" ")}`);
}

pageTest(
  "each view shows its data, in light and dark, and axe finds nothing serious",
  async ({ browser, url }) => {
    const expected: Readonly<Record<string, RegExp>> = {
      "/": /352 flows[^]*192\.168\.1\.10[^]*listening|352 flows/,
      "/services": /192\.168\.1\.77:8080/,
      "/devices": /desk-15[^]*192\.168\.1\.34[^]*b8:27:eb:00:53:0e[^]*Raspberry Pi/,
      "/unexplained": /nobody looked up an address of it/,
      "/encrypted-dns": /dns\.quad9\.net/,
      "/refused": /port scan/,
      "/names": /cdn\.example\.net[^]*NXDOMAIN/,
      [FLOW]: /The client sent the SYN that opened the connection/,
    };
    for (const colorScheme of ["light", "dark"] as const) {
      for (const view of [...VIEWS, FLOW]) {
        const page = await browser.open(`${url}${view}`, { colorScheme });
        const main = page.locator("main");
        await until(page, `${expected[view]}.test(${MAIN})`);
        assert.match(await main.innerText(), expected[view], view);
        assert.deepEqual(await findings(page), [], `${view}, ${colorScheme}`);
        const back = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
        const brightness = Number(/\d+/.exec(back)![0]);
        assert.ok(colorScheme === "dark" ? brightness < 80 : brightness > 180, `${view}: ${back}`);
        await page.context().close();
      }
    }
  },
);

pageTest("a phone shows all views without scrolling sideways", async ({ browser, url }) => {
  for (const view of [...VIEWS, FLOW]) {
    const page = await browser.open(`${url}${view}`, PHONE);
    await until(page, `${MAIN}.length > 150`);
    const [width, scroll] = await page.evaluate<[number, number]>(
      "[document.documentElement.clientWidth, document.documentElement.scrollWidth]",
    );
    assert.ok(scroll <= width, `${view}: ${scroll} of ${width} pixels`);
    assert.deepEqual(await findings(page), [], view);
    await page.context().close();
  }
});

pageTest(
  "on a phone the view that is shown is named in the row of views",
  async ({ browser, url }) => {
    for (const view of ["/", "/refused", "/names"]) {
      const page = await browser.open(url + view, PHONE);
      const box = await page.locator(".bar nav [aria-current]").boundingBox();
      assert.ok(box!.x >= 0 && box!.x + box!.width <= PHONE.viewport.width, `${view}: ${box!.x}`);
      await page.context().close();
    }
  },
);

pageTest(
  "a store in which nothing was seen says so, and not that a filter is in the way",
  async ({ browser, url }) => {
    for (
      const [query, text] of [
        ["", "No flow was seen in this time."],
        ["?span=all", "No flow was seen yet."],
        ["?filter=port:443", "No flow is like that. Widen the time, or the filter."],
      ]
    ) {
      const page = await browser.open(`${url}/${query}`);
      await page.locator("main").getByText(text).waitFor();
      await page.context().close();
    }
  },
  () => new TestStore(),
);

pageTest("on a phone a tap on a flow opens it", async ({ browser, url }) => {
  const page = await browser.open(`${url}/?filter=port:853`, PHONE);
  await hasFlows(page, 2);
  await rows(page).first().locator("a").first().tap();
  await page.getByText("dns.quad9.net").first().waitFor();
  assert.equal(new URL(page.url()).pathname, "/flow");
});

pageTest(
  "what is typed filters, is in the address, and comes back by it",
  async ({ browser, url }) => {
    const page = await browser.open(url);
    await hasFlows(page, 352);
    await page.keyboard.press("/");
    await page.keyboard.type("client:192.168.1.34 port:443");
    await hasFlows(page, 3);
    const address = page.url();
    assert.equal(new URL(address).searchParams.get("filter"), "client:192.168.1.34 port:443");
    // Someone else opens the bookmark.
    const other = await browser.open(address);
    await hasFlows(other, 3);
    assert.equal(await other.getByRole("searchbox").inputValue(), "client:192.168.1.34 port:443");
    // Letters are no steps of history: one step back is without the filter, and Escape leaves the box.
    await page.keyboard.press("Escape");
    await page.keyboard.press("2");
    await page.getByRole("heading", { name: "Services of our networks" }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get("filter"), "client:192.168.1.34 port:443");
    await page.goBack();
    await hasFlows(page, 3);
  },
);

pageTest(
  "a filter that is wrong says what is wrong, and changes nothing",
  async ({ browser, url }) => {
    const page = await browser.open(`${url}/?filter=port:853`);
    await hasFlows(page, 2);
    await page.getByRole("searchbox").fill("port:https");
    await page.getByText("port:https is no port").waitFor();
    await hasFlows(page, 2);
    await page.getByRole("searchbox").fill("port:53");
    await hasFlows(page, 29);
  },
);

pageTest(
  "a click on anything filters by it, with Alt leaves it out, and back undoes it",
  async ({ browser, url }) => {
    const page = await browser.open(`${url}/?filter=port:853`);
    await hasFlows(page, 2);
    await rows(page).first().getByText("dns.quad9.net").click();
    await page.waitForURL(/name/);
    assert.equal(new URL(page.url()).searchParams.get("filter"), "port:853 name:dns.quad9.net");
    const client = await rows(page).first().locator("a.address").first().innerText();
    await rows(page).first().locator("a.address").first().click({ modifiers: ["Alt"] });
    await hasFlows(page, 1);
    assert.match(new URL(page.url()).searchParams.get("filter")!, new RegExp(`-client:${client}$`));
    await page.goBack();
    await hasFlows(page, 2);
  },
);

pageTest("headings sort, and the order is in the address", async ({ browser, url }) => {
  const page = await browser.open(url);
  await hasFlows(page, 352);
  await page.getByRole("columnheader", { name: "Volume" }).getByRole("button").click();
  await page.waitForURL(/sort=-bytes/);
  await rows(page).first().getByText("video.example.com").waitFor();
  assert.equal(
    await page.getByRole("columnheader", { name: "Volume" }).getAttribute("aria-sort"),
    "descending",
  );
  const other = await browser.open(page.url());
  await rows(other).first().getByText("video.example.com").waitFor();
});

pageTest(
  "the table is read by keyboard: rows, pages, the end, a flow, a filter",
  async ({ browser, url }) => {
    const page = await browser.open(`${url}/?sort=client`);
    await hasFlows(page, 352);
    const grid = page.getByRole("grid");
    await grid.focus();
    const selected = () => page.locator("[role=row][aria-selected=true]");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("ArrowDown");
    assert.equal(await selected().getAttribute("id"), "flow-1");
    assert.equal(await grid.getAttribute("aria-activedescendant"), "flow-1");
    await page.keyboard.press("End");
    await page.locator("#flow-351[aria-selected=true]").getByText("443").first().waitFor();
    assert.ok(await page.locator("#flow-351").isVisible());
    await page.keyboard.press("Home");
    await page.locator("#flow-0[aria-selected=true]").waitFor();
    const client = await page.locator("#flow-0 a.address").first().innerText();
    await page.keyboard.press("c");
    await page.waitForURL(new RegExp(`filter=client:${client}`));
    await grid.focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: `Why ${client} is the client` }).waitFor();
  },
);

pageTest("keys open views and help, pause, and change colours", async ({ browser, url }) => {
  const page = await browser.open(url);
  await hasFlows(page, 352);
  for (
    const [key, title] of [
      ["3", "Devices of our networks"],
      ["6", "Refused and unreachable"],
      ["7", "Names"],
      ["5", "Encrypted DNS"],
    ]
  ) {
    await page.keyboard.press(key);
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    assert.match(await page.title(), /flosensor$/);
  }
  await page.keyboard.press("p");
  await page.getByRole("button", { name: "Paused" }).waitFor();
  await page.keyboard.press("t");
  await page.keyboard.press("t");
  assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "dark");
  // It is remembered.
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Encrypted DNS" }).waitFor();
  assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "dark");
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Help" });
  await help.waitFor();
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "detached" });
});

/** For each view a filter, what it leaves, and what it leaves out. */
const FILTERED: Readonly<Record<string, readonly [filter: string, there: RegExp, gone: RegExp]>> = {
  "/": ["port:853", /dns\.quad9\.net/, /dns\.google/],
  "/services": ["port:8080", /192\.168\.1\.77:8080/, /192\.168\.1\.5:/],
  "/devices": ["phone-2", /phone-2/, /desk-1\b/],
  "/unexplained": ["-client:192.168.1.0/24", /Unexplained flows/, /192\.168\.1\.\d+\s[^]*nobody/],
  "/encrypted-dns": ["name:quad9", /dns\.quad9\.net/, /dns\.google/],
  "/refused": ["host:192.168.1.10", /192\.168\.1\.10/, /192\.168\.1\.60/],
  "/names": ["name:video", /video\.example\.com/, /cdn\.example\.net/],
};

pageTest(
  "each view is filtered by keyboard, and a bookmark of it shows the same",
  async ({ browser, url }) => {
    for (const view of VIEWS) {
      const [filter, there, gone] = FILTERED[view];
      const page = await browser.open(`${url}${view}`);
      await until(page, `${gone}.test(${MAIN})`);
      await page.keyboard.press("/");
      await page.keyboard.type(filter);
      await until(page, `${there}.test(${MAIN}) && !${gone}.test(${MAIN})`);
      assert.equal(new URL(page.url()).searchParams.get("filter"), filter);
      const other = await browser.open(page.url());
      await until(other, `${there}.test(${MAIN}) && !${gone}.test(${MAIN})`);
      assert.equal(await other.getByRole("searchbox").inputValue(), filter);
      assert.deepEqual(await findings(other), [], view);
      await page.context().close();
      await other.context().close();
    }
  },
);

pageTest(
  "what filters is reached with Tab on each view, and Enter follows it",
  async ({ browser, url }) => {
    for (const view of [...VIEWS.slice(1), FLOW]) {
      const page = await browser.open(`${url}${view}`);
      await until(page, `${MAIN}.length > 150`);
      await page.locator("main").focus();
      for (let presses = 0;; presses++) {
        assert.ok(presses < 60, view);
        await page.keyboard.press("Tab");
        if (await page.evaluate("document.activeElement.matches('main a.filter-link')")) break;
      }
      await page.keyboard.press("Enter");
      await page.waitForURL(/filter=/);
      await page.context().close();
    }
  },
);

pageTest(
  "a device is all its addresses: a click shows its flows",
  async ({ browser, url }) => {
    const page = await browser.open(`${url}/devices?filter=desk-1`);
    await page.getByRole("link", { name: "desk-1", exact: true }).click();
    await until(page, "location.pathname === '/'");
    assert.equal(
      new URL(page.url()).searchParams.get("filter"),
      "host:192.168.1.20,2001:db8:1::20",
    );
    await until(page, "document.querySelectorAll('.grid-body [role=row]').length > 5");
    const ends = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.grid-body [role=row]')].map((row) => row.innerText)",
    );
    for (const end of ends) assert.match(end, /192\.168\.1\.20\b|2001:db8:1::20\b/);
  },
);

pageTest("what is new comes by itself on a high screen too", async ({ browser, store, url }) => {
  const page = await browser.open(`${url}/?span=all&filter=client:192.168.1.222`, {
    viewport: { width: 1440, height: 2_400 },
  });
  await hasFlows(page, 0);
  const seen = { first: END, last: END + 1_000, client: "192.168.1.222" };
  store.write({ records: [record({ ...seen, id: 2_000_000 })] });
  await hasFlows(page, 1);
});

pageTest("what is new comes by itself on each view", async ({ browser, store, url }) => {
  const pages = await Promise.all(
    VIEWS.map(async (view) => {
      const page = await browser.open(
        `${url}${view}?span=all${view === "/names" ? "&filter=name:fresh" : ""}`,
      );
      await until(page, `${MAIN}.length > 20`);
      return page;
    }),
  );
  const seen = { first: END, last: END + 1_000, client: "192.168.1.222" };
  const fresh = [{ name: "fresh.example", from: "lookup" as const }];
  store.write({
    records: [
      record({ ...seen, id: 2_000_000, server: "192.0.2.222", names: fresh, isExplained: true }),
      record({ ...seen, id: 2_000_001, server: "192.168.1.221", port: 9_999 }),
      record({
        ...seen,
        id: 2_000_002,
        server: "192.0.2.223",
        isExplained: false,
        why: "not seen",
      }),
      record({ ...seen, id: 2_000_003, server: "192.0.2.224", port: 853 }),
      record({ ...seen, id: 2_000_004, server: "192.0.2.225", state: "refused" }),
    ],
    names: [{ key: "192.168.1.222;192.0.2.222;dns", name: "fresh.example.", time: END }],
    devices: [{
      ...{ hardware: "00:00:5e:00:53:01", vendor: null, isPrivate: false, hasNews: true },
      addresses: [{ address: "192.168.1.222", first: END, last: END }],
      ...{ names: [], first: END, last: END },
    }],
  });
  for (const page of pages) await until(page, `/192\\.168\\.1\\.222/.test(${MAIN})`);
});

pageTest("columns are chosen, and stay so", async ({ browser, url }) => {
  const page = await browser.open(url);
  await hasFlows(page, 352);
  await page.getByText("Columns").click();
  await page.getByRole("checkbox", { name: "Packets" }).check();
  await page.getByRole("checkbox", { name: "By", exact: true }).uncheck();
  await page.reload();
  await page.getByRole("columnheader", { name: "Packets" }).waitFor();
  assert.equal(await page.getByRole("columnheader", { name: "By", exact: true }).count(), 0);
});

pageTest(
  "what is new comes by itself; not while it is paused, or under the pointer",
  async ({ browser, store, url }) => {
    const page = await browser.open(`${url}/?span=all`);
    await hasFlows(page, 352);
    let id = 1_000_000;
    const write = (client: string) =>
      store.write({ records: [record({ id: ++id, client, last: MIDNIGHT + id })] });
    write("192.168.1.201");
    await hasFlows(page, 353);
    assert.match(await rows(page).first().innerText(), /192\.168\.1\.201/);

    await page.keyboard.press("p");
    write("192.168.1.202");
    await page.waitForTimeout(4_000);
    await hasFlows(page, 353);
    await page.keyboard.press("p");
    await hasFlows(page, 354);

    await rows(page).nth(1).hover();
    write("192.168.1.203");
    await page.getByRole("button", { name: "Show what is new" }).waitFor();
    assert.match(await rows(page).first().innerText(), /192\.168\.1\.202/);
    await page.getByRole("button", { name: "Show what is new" }).click();
    await hasFlows(page, 355);
    assert.match(await rows(page).first().innerText(), /192\.168\.1\.203/);
  },
);

pageTest(
  "what is older than the time that is shown is told of, and a click away",
  async ({ browser, url }) => {
    const page = await browser.open(`${url}/?filter=port:443`);
    const older = page.getByText("there is older: all time");
    await older.waitFor();
    await page.getByRole("link", { name: "all time" }).click();
    await page.waitForURL(`${url}/?filter=port:443&span=all`);
    await older.waitFor({ state: "detached" });
  },
);

pageTest("a flow's page has names, conversations and rules", async ({ browser, url }) => {
  const page = await browser.open(`${url}${FLOW}`);
  await page.getByText("asked as static.example.com, img.example.com").first().waitFor();
  await page.getByText("26 other clients looked it up").waitFor();
  await page.getByText("Networks, rules and keys").click();
  await page.getByText("The rules say that 192.168.1.34 is the client.").waitFor();
  assert.ok(await page.getByRole("region", { name: "Conversations" }).isVisible());
  // What is clicked there filters the list of flows.
  await page.locator("dd").getByText("192.0.2.11").click();
  await hasFlows(page, 27);
});

pageTest(
  "pointing at a name lights what is connected to it, a click filters",
  async ({ browser, url }) => {
    const page = await browser.open(`${url}/names`);
    const video = page.getByRole("link", { name: /video\.example\.com/ });
    await video.hover();
    await page.locator(".lines .lit").first().waitFor({ state: "attached" });
    const faint = await page.locator(".servers li.faint").count();
    const all = await page.locator(".servers li").count();
    assert.equal(all - faint, 1);
    await video.click();
    await page.waitForURL(/name:video\.example\.com/);
    await until(page, "document.querySelectorAll('.servers li').length === 1");
  },
);

/** Names as packets may have them: markup, escapes of terminals, a turned direction, another's look. */
const HOSTILE = [
  '<script>document.title="taken"</script>.example',
  '"><img src=x onerror=document.title="taken">.example',
  "\u001b[2J\u001b]0;taken\u0007.example",
  "\u202egro.elpmaxe",
  "javascript:alert(1)",
  "{{7*7}}${7*7}.example",
  "a".repeat(253),
];

pageTest("names out of packets are texts, whatever is in them", async ({ browser, url }) => {
  for (
    const view of [
      "/?span=all",
      "/names?span=all",
      "/refused?span=all",
      "/services?span=all&of=all",
      "/unexplained?span=all",
      "/devices?span=all",
      "/encrypted-dns?span=all",
    ]
  ) {
    const page = await browser.open(`${url}${view}`);
    await until(page, `${MAIN}.includes("onerror")`);
    const text = await page.locator("main").innerText();
    assert.match(text, /<script>document\.title="taken"<\/script>/, view);
    assert.match(text, /\\u001b\[2j/i, view);
    assert.match(text, /\\u202egro/, view);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/, view);
    assert.equal(await page.locator("main script, main img").count(), 0);
    assert.match(await page.title(), /flosensor$/);
    await page.context().close();
  }
  // A flow's own page has one of them.
  const flow = await browser.open(
    `${url}/flow?client=10.0.0.1&server=192.0.2.2&port=853&proto=tcp`,
  );
  await until(flow, `${MAIN}.includes("onerror")`);
  assert.equal(await flow.locator("main script, main img").count(), 0);
  // Each can be filtered by, and is found again.
  const page = await browser.open(`${url}/?span=all`);
  await hasFlows(page, HOSTILE.length);
  for (const i of HOSTILE.keys()) {
    await page.goto(`${url}/?span=all&sort=server`);
    await hasFlows(page, HOSTILE.length);
    await rows(page).nth(i).locator("a.name").click();
    await hasFlows(page, 1);
  }
}, () => {
  const store = new TestStore();
  store.write({
    records: HOSTILE.map((name, i) =>
      record({
        ...{
          id: i + 1,
          server: `192.0.2.${i + 1}`,
          names: [{ name: name.toLowerCase(), from: "sni" }],
          // Encrypted DNS.
          port: 853,
        },
        ...{ isExplained: false, why: "nobody looked it up" },
      })
    ),
    names: HOSTILE.map((name) => ({
      key: `10.0.0.1;${name.replaceAll(";", "")};nx`,
      name: null,
      time: MIDNIGHT,
    })),
    devices: HOSTILE.map((name, i) => ({
      ...{ hardware: `00:00:5e:00:53:0${i}`, vendor: name, isPrivate: false, hasNews: true },
      addresses: [{ address: `10.0.0.${i + 1}`, first: MIDNIGHT, last: MIDNIGHT }],
      ...{ names: [{ name, from: "dhcp" }], first: MIDNIGHT, last: MIDNIGHT },
    })),
  });
  return store;
});

pageTest(
  "50,000 flows are scrolled, sorted and filtered, with few rows in the page",
  async ({ browser, url }) => {
    const page = await browser.open(`${url}/?span=all`);
    await hasFlows(page, 50_000);
    const made = () => rows(page).count();
    assert.ok(await made() < 100, `${await made()} rows`);
    await page.evaluate("scrollTo(0, document.body.scrollHeight / 2)");
    await until(
      page,
      "/10\\.0\\./.test(document.elementFromPoint(200, innerHeight / 2).closest('[role=row]')?.textContent)",
    );
    assert.ok(await made() < 100);
    await page.evaluate("scrollTo(0, document.body.scrollHeight)");
    await page.locator("#flow-49999").getByText("443").waitFor();
    await page.evaluate("scrollTo(0, 0)");
    await page.getByRole("searchbox").fill("client:10.0.7.0/24");
    await hasFlows(page, 256);
    await page.getByRole("searchbox").fill("10.0.7.77");
    await hasFlows(page, 1);
  },
  () => {
    const store = new TestStore();
    store.write({
      records: Array.from(
        { length: 50_000 },
        (_, i) => record({ id: i + 1, client: `10.0.${i >> 8}.${i & 255}`, last: MIDNIGHT + i }),
      ),
    });
    return store;
  },
);
