import { constants } from "node:os";
import { isIgnored, mayControlJob } from "../../ffi/job_control.ts";

/** A terminal that we were started on, if it was one. */
export class StartTerminal {
  readonly #terminals = [Deno.stdin, Deno.stdout, Deno.stderr].filter((it) => it.isTerminal());

  /** Whether it was one. */
  get wasThere(): boolean {
    return this.#terminals.length > 0;
  }

  /** Whether it was closed since: what the kernel sends SIGHUP for. */
  get isGone(): boolean {
    return this.#terminals.some((it) => !it.isTerminal());
  }
}

/**
 * Whether whoever started us has the signal ignored, as nohup(1) does. Where that can't be asked, it
 * is thought of what has no terminal: that is how nohup starts programs.
 */
export function areHangUpsIgnored(terminal: StartTerminal): boolean {
  return mayControlJob() ? isIgnored(constants.signals.SIGHUP) : !terminal.wasThere;
}
