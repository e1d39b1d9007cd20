import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { errorOf } from "../workers/failure.ts";
import { mayReadModules } from "../workers/permission.ts";
import { hostText } from "./page_address.ts";
import type { FromPage, ToPage } from "./page_messages.ts";
import type { PageSettings } from "./page_options.ts";
import type { ExplainedKey } from "./page_server.ts";
import type { SensorFigures } from "./sensor_figures.ts";

const WORKER = new URL("./page_worker.ts", import.meta.url);

/** The thread that shows the page of a capture. */
export class PageThread {
  /** It takes what a store takes, too: see `SqliteStore`. */
  readonly worker: Worker;
  /** Where the page is. */
  readonly url: string;
  /** What `explain` says of a flow. */
  explain: (flow: ExplainedKey) => Promise<string> = () =>
    Promise.reject(new UserError("flosensor is starting"));

  private constructor(worker: Worker, url: string) {
    this.worker = worker;
    this.url = url;
  }

  /**
   * Starts the thread, and listens. It needs no permission after that, whoever the process becomes.
   *
   * @param onFreed Called when the thread freed much memory at once, and may not give it back itself.
   * @throws {UserError} when it can't listen there.
   */
  static async start(
    settings: PageSettings,
    log: Log,
    onFreed: () => void,
  ): Promise<PageThread> {
    if (!mayReadModules(WORKER)) {
      throw new UserError(
        "--listen: no permission to read the program's own modules: run with --allow-read",
      );
    }
    const worker = new Worker(WORKER, {
      type: "module",
      name: "page",
      deno: {
        permissions: {
          read: true,
          net: [hostText(settings.address)],
          write: false,
          env: false,
          ffi: false,
          run: false,
          sys: false,
        },
      },
    });
    const listening = Promise.withResolvers<string>();
    worker.onerror = (event) => {
      event.preventDefault();
      listening.reject(new Error(`page: ${event.message}`));
    };
    const post = (message: ToPage) => worker.postMessage(message);
    // A store takes the place of `onmessage`, and looks at what is its own.
    worker.addEventListener("message", ({ data }: MessageEvent<FromPage>) => {
      switch (data.kind) {
        case "listening":
          listening.resolve(data.url);
          break;
        case "page-failed": {
          const error = errorOf(data.failure);
          listening.reject(error);
          log.error(error.message);
          break;
        }
        case "freed":
          onFreed();
          break;
        case "page-log":
          log[data.level](data.message);
          break;
        case "explain": {
          const { number, flow } = data;
          thread?.explain(flow).then(
            (text) => post({ kind: "explained", number, text }),
            ({ message }: Error) => post({ kind: "not-explained", number, message }),
          );
        }
      }
    });
    let thread: PageThread | null = null;
    post({ kind: "listen", settings });
    try {
      thread = new PageThread(worker, await listening.promise);
      return thread;
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  /** Shows a store that another thread writes. */
  show(path: string): void {
    this.#post({ kind: "show", path });
  }

  /** Tells the page what the sensor counts. */
  tell(figures: SensorFigures): void {
    this.#post({ kind: "figures", figures });
  }

  close(): void {
    this.worker.terminate();
  }

  #post(message: ToPage): void {
    this.worker.postMessage(message);
  }
}
