/**
 * Takes the pictures of the page that the documentation has: `deno task pictures`. It needs chromium.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { LineLog } from "../src/log.ts";
import { PageServer } from "../src/web/page_server.ts";
import { StorePageData } from "../src/web/store_page_data.ts";
import { unusedPort } from "../tests/redis_server.ts";
import { TestBrowser } from "../tests/web/browser.ts";
import { officeStore } from "../tests/web/office_store.ts";

const FOLDER = fileURLToPath(new URL("../docs/pictures/", import.meta.url));
const SCREEN = { viewport: { width: 1280, height: 800 } };
const FLOW = "/flow?client=192.168.1.34&server=192.0.2.11&port=443&proto=tcp";

/** Files, what they show, and how. */
const PICTURES = [
  { file: "overview.png", path: "/", options: SCREEN },
  { file: "overview-dark.png", path: "/", options: { ...SCREEN, colorScheme: "dark" as const } },
  { file: "services.png", path: "/services", options: SCREEN },
  { file: "devices.png", path: "/devices", options: SCREEN },
  { file: "unexplained.png", path: "/unexplained", options: SCREEN },
  { file: "encrypted-dns.png", path: "/encrypted-dns", options: SCREEN },
  { file: "refused.png", path: "/refused", options: SCREEN },
  { file: "names.png", path: "/names?filter=client:192.168.1.32/29", options: SCREEN },
  { file: "flow.png", path: FLOW, options: SCREEN },
  {
    file: "phone.png",
    path: "/",
    options: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  },
] as const;

/** What is shown when there is nothing more to wait for. */
const DRAWN = ".grid-body [role=row] .address, .plain td, .node";

await Deno.mkdir(FOLDER, { recursive: true });
using store = officeStore();
await using server = new PageServer(
  { data: new StorePageData(store.database), explain: () => Promise.resolve("") },
  {
    ...{ address: { hostname: "127.0.0.1", port: await unusedPort() }, token: null, hosts: [] },
    ...{ isTls: false, tls: null },
  },
  new LineLog("warn"),
);
await using browser = await TestBrowser.launch();
for (const { file, path, options } of PICTURES) {
  const page = await browser.open(new URL(path, server.url).href, options);
  await page.locator(DRAWN).first().waitFor();
  await page.evaluate("document.fonts.ready");
  // Two frames: the first has the data, the second what was drawn of it.
  await page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
  );
  await page.screenshot({ path: `${FOLDER}${file}` });
  await page.context().close();
}
