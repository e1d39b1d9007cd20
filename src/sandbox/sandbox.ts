import { mayUseLibc } from "../../ffi/library.ts";
import { filterSystemCalls } from "../../ffi/seccomp.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import type { Log } from "../log.ts";
import { type Architecture, fileChangeFilter, systemCallFilter } from "./system_call_filter.ts";

/** Limits what the process, in all its threads, can still ask of the kernel: see docs/security.md. */
export class Sandbox {
  readonly #log: Log;
  /** Whether nothing more is tried: it is not wanted, or can't be had, which was said. */
  #isOff: boolean;

  /** @param isWanted Whether there is to be one. */
  constructor(isWanted: boolean, log: Log) {
    this.#log = log;
    this.#isOff = !isWanted;
    if (!isWanted) log.debug("sandbox: none, by --no-sandbox");
    else if (!mayUseLibc()) {
      this.#isOff = true;
      log.debug("sandbox: none, without permission to use the C library");
    }
  }

  /**
   * From now on no other programs, processes, users, settings of the kernel, or kinds of sockets. To be
   * called when interfaces are open and privileges given up.
   *
   * @param opensInterfaces Whether an interface may have to be opened again.
   */
  close({ opensInterfaces }: { readonly opensInterfaces: boolean }): void {
    this.#filter(
      (architecture) => systemCallFilter(architecture, { pid: Deno.pid, opensInterfaces }),
      "no other programs, processes or users",
    );
  }

  /** From now on, too, no file is made, changed or opened to be written. */
  closeFiles(): void {
    this.#filter(fileChangeFilter, "no file is changed");
  }

  #filter(program: (architecture: Architecture) => BpfInstruction[], what: string): void {
    if (this.#isOff) return;
    const reason = filterSystemCalls(program(Deno.build.arch));
    this.#isOff = reason !== null;
    if (reason === null) this.#log.debug(`sandbox: ${what} from now on`);
    else this.#log.warn(`sandbox: the kernel gives none (${reason}): flosensor goes on without`);
  }
}
