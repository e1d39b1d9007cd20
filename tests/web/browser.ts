import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { isProgram } from "../installed.ts";

/** Whether there is a browser. Tests that need it are skipped if not. */
export const HAS_BROWSER = isProgram("chromium", "--version");

/** What to add to the name of a test that is skipped without it. */
export const WITHOUT_BROWSER = HAS_BROWSER ? "" : " (skipped: chromium is not installed)";

/** How long, in milliseconds, a test waits for what must come: machines that run tests are busy. */
const PATIENCE = 60_000;

/** A browser with one page after the other, which tells what went wrong in them. */
export class TestBrowser implements AsyncDisposable {
  /** What pages complained about: errors, and what the policy of their contents forbade. */
  readonly complaints: string[] = [];
  /** Addresses that were asked. */
  readonly requests: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** @param executablePath A program that runs the browser. */
  static async launch(executablePath = "/usr/bin/chromium"): Promise<TestBrowser> {
    const browser = await chromium.launch({
      executablePath,
      timeout: PATIENCE,
      // As root it can't have a sandbox of its own; /dev/shm is small in containers.
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    return new TestBrowser(browser);
  }

  /** Opens an address. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: 1440, height: 900 },
      timezoneId: "UTC",
      locale: "en-GB",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.complaints.push(message.text());
      }
    });
    page.on("request", (request) => this.requests.push(request.url()));
    await page.goto(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
