import { mayControlJob, stopJob } from "../../ffi/job_control.ts";
import type { FlowTableSink } from "../sink/flow_table_sink.ts";

/** So long after the job went on, in milliseconds, the signal is the one that has stopped it. */
const ONE_SIGNAL = 1_000;

/**
 * Gives the terminal back while the job is stopped, as at Ctrl-Z: otherwise the shell would be on the
 * screen of the live view, without a cursor.
 */
export class StopSignal {
  readonly #listener: (() => void) | null;
  #wentOn = -Infinity;

  /** @param table What is shown, if it is the table. */
  constructor(table: FlowTableSink | null) {
    this.#listener = table?.hasScreen && mayControlJob() ? () => this.#stop(table) : null;
    if (this.#listener !== null) Deno.addSignalListener("SIGTSTP", this.#listener);
  }

  /** Leaves the signal to the system again. */
  close(): void {
    if (this.#listener !== null) Deno.removeSignalListener("SIGTSTP", this.#listener);
  }

  #stop(table: FlowTableSink): void {
    // The task runner passes on the signal that it got, which the terminal has sent to us as well.
    if (performance.now() - this.#wentOn < ONE_SIGNAL) return;
    table.leaveScreenFor(stopJob);
    this.#wentOn = performance.now();
  }
}
