/**
 * A thread of its own that shows the page of a capture: no question of a browser holds up a packet. Where
 * there is no store, it also keeps one in memory. See `page_thread.ts`.
 *
 * @module
 */
import type { Log, LogLevel } from "../log.ts";
import { openStoreFile } from "../report/open_store_file.ts";
import { fileAt } from "../store/file_at.ts";
import { sqliteReason } from "../store/sqlite_error.ts";
import type { ToStore } from "../store/store_messages.ts";
import { UserError } from "../user_error.ts";
import { failureOf } from "../workers/failure.ts";
import type { WorkerScope } from "../workers/worker_scope.ts";
import { MemoryStore } from "./memory_store.ts";
import type { PageData } from "./page_data.ts";
import type { FromPage, ToPage } from "./page_messages.ts";
import { type ExplainedKey, PageServer } from "./page_server.ts";
import { StorePageData } from "./store_page_data.ts";
import type { StoreQueryOptions } from "./store_query.ts";

const scope = globalThis as unknown as WorkerScope<ToPage, FromPage>;

const OF_CAPTURE: StoreQueryOptions = {
  isCapturing: true,
  onFreed: () => scope.postMessage({ kind: "freed" }),
};

/** How often, in milliseconds, it is looked whether the store's file is another one. */
const LOOK_EVERY = 10_000;

/** A store's file that is shown. */
interface ShownFile {
  /** See {@linkcode fileAt}. */
  readonly file: string | null;
  readonly data: StorePageData;
  readonly source: Disposable;
}

/** The thread's side of the conversation. */
class PageWorker {
  #server: PageServer | null = null;
  #memory: MemoryStore | null = null;
  #data: PageData | null = null;
  #shown: ShownFile | null = null;
  #shownCount = 0;
  #number = 0;
  readonly #asked = new Map<number, PromiseWithResolvers<string>>();

  take(message: ToPage): void {
    try {
      this.#take(message);
    } catch (error) {
      scope.postMessage({ kind: "page-failed", failure: failureOf(error) });
    }
  }

  #take(message: ToPage): void {
    switch (message.kind) {
      case "listen":
        this.#server = new PageServer(this.#sources(), message.settings, new SentLog());
        scope.postMessage({ kind: "listening", url: this.#server.url });
        break;
      case "show":
        this.#show(message.path);
        setInterval(() => this.#renew(message.path), LOOK_EVERY);
        break;
      case "open":
        this.#memory = new MemoryStore(message.run, message.retention, OF_CAPTURE);
        this.#data = this.#memory.data;
        scope.postMessage({ kind: "opened" });
        break;
      case "write":
        this.#write(message);
        break;
      case "networks":
        this.#memory?.setLocalNetworks(message.localNetworks);
        break;
      case "close":
        scope.postMessage({ kind: "closed", reason: null });
        break;
      case "figures":
        if (this.#server !== null) this.#server.figures = message.figures;
        break;
      case "explained":
        this.#asked.get(message.number)?.resolve(message.text);
        this.#asked.delete(message.number);
        break;
      case "not-explained":
        this.#asked.get(message.number)?.reject(new UserError(message.message));
        this.#asked.delete(message.number);
    }
  }

  #show(path: string): void {
    const file = fileAt(path);
    const source = openStoreFile(path);
    const number = this.#shownCount++;
    const data = new StorePageData(source.database, { ...OF_CAPTURE, ownWrites: () => number });
    const before = this.#shown;
    this.#shown = { file, data, source };
    this.#data = data;
    before?.data[Symbol.dispose]();
    before?.source[Symbol.dispose]();
  }

  /** The file that was shown may have been damaged, and put aside for a new one. */
  #renew(path: string): void {
    const file = fileAt(path);
    if (file === null || file === this.#shown?.file) return;
    try {
      this.#show(path);
    } catch {
      // It is being made: the next time it is there.
    }
  }

  #write(message: ToStore & { readonly kind: "write" }): void {
    try {
      this.#memory?.write(message.batch, message.losses);
      scope.postMessage({ kind: "written", number: message.number });
    } catch (error) {
      scope.postMessage({ kind: "refused", number: message.number, reason: sqliteReason(error) });
    }
  }

  #sources() {
    const data = () => this.#data;
    return {
      get data() {
        return data();
      },
      explain: (flow: ExplainedKey) => this.#explain(flow),
    };
  }

  #explain(flow: ExplainedKey): Promise<string> {
    const answer = Promise.withResolvers<string>();
    const number = ++this.#number;
    this.#asked.set(number, answer);
    scope.postMessage({ kind: "explain", number, flow });
    return answer.promise;
  }
}

/** A log whose messages the main thread shows. */
class SentLog implements Log {
  readonly isDebug = true;

  debug(message: string): void {
    this.#send("debug", message);
  }

  info(message: string): void {
    this.#send("info", message);
  }

  warn(message: string): void {
    this.#send("warn", message);
  }

  error(message: string): void {
    this.#send("error", message);
  }

  #send(level: LogLevel, message: string): void {
    scope.postMessage({ kind: "page-log", level, message });
  }
}

const worker = new PageWorker();
scope.onmessage = ({ data }) => worker.take(data);
