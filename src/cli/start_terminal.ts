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
 * Whether SIGHUP is to do nothing to a program that it would end: where there is no terminal that
 * could be closed, as nohup(1) starts programs, which `deno task` does not pass on; and where whoever
 * started us has it ignored, as far as that can be asked.
 */
export function areHangUpsIgnored(terminal: StartTerminal): boolean {
  return !terminal.wasThere || (mayControlJob() && isIgnored(constants.signals.SIGHUP));
}
