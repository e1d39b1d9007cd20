import type { LogLevel } from "../log.ts";
import type { FromStore, ToStore } from "../store/store_messages.ts";
import type { Failure } from "../workers/failure.ts";
import type { PageSettings } from "./page_options.ts";
import type { ExplainedKey } from "./page_server.ts";
import type { SensorFigures } from "./sensor_figures.ts";

/** What a capture tells the thread that shows its page. */
export type ToPage =
  /** Answered by `listening` or `failed`. */
  | { readonly kind: "listen"; readonly settings: PageSettings }
  /** The store is a file, which another thread writes. */
  | { readonly kind: "show"; readonly path: string }
  | { readonly kind: "figures"; readonly figures: SensorFigures }
  | { readonly kind: "explained"; readonly number: number; readonly text: string }
  | { readonly kind: "not-explained"; readonly number: number; readonly message: string }
  /** Where there is no store, the thread keeps one in memory. */
  | ToStore;

/** What the thread that shows the page tells the capture. */
export type FromPage =
  | { readonly kind: "listening"; readonly url: string }
  /** Answered by `explained` or `not-explained`. */
  | { readonly kind: "explain"; readonly number: number; readonly flow: ExplainedKey }
  /** Much memory was freed, which the C library can give back. */
  | { readonly kind: "freed" }
  | { readonly kind: "page-log"; readonly level: LogLevel; readonly message: string }
  | { readonly kind: "page-failed"; readonly failure: Failure }
  | FromStore;
