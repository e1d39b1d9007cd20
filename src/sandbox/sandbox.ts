import {
  CAP_SETPCAP,
  capabilities,
  capabilitySet,
  isRootPrivileged,
} from "../../ffi/capabilities.ts";
import { effectiveUser, ROOT } from "../../ffi/effective_user.ts";
import { keepCapabilities } from "../../ffi/keep_capabilities.ts";
import { mayUseLibc } from "../../ffi/library.ts";
import { restartBounded, restartWithFewer } from "../../ffi/restart_bounded.ts";
import { filterSystemCalls } from "../../ffi/seccomp.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import type { Log } from "../log.ts";
import { AS_LONG_AS_IT_LASTS, FILES_AND_PORTS, untilOpen } from "./capture_capabilities.ts";
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
   * Has the process begin again with no more capabilities than a capture on these devices needs: in all
   * threads, for good. To be called before anything is opened.
   */
  begin(devices: readonly string[]): void {
    if (this.#isOff) return;
    const needed = untilOpen(devices);
    if (effectiveUser() !== ROOT) return this.#reduce(() => restartWithFewer(needed));
    if (!isRootPrivileged()) return;
    // Without it, and so the second time, there is nothing to be had.
    if ((capabilities().effective & capabilitySet(CAP_SETPCAP)) === 0n) return;
    this.#reduce(() => restartBounded(needed));
  }

  /**
   * From now on this thread, and those that it will start, have no more capabilities than to use files
   * and, if need be, to open an interface again. To be called in each thread that has opened interfaces.
   *
   * @param opensInterfaces Whether an interface may have to be opened again.
   */
  keepCapabilities({ opensInterfaces }: { readonly opensInterfaces: boolean }): void {
    this.#reduce(() => keepCapabilities(opensInterfaces ? AS_LONG_AS_IT_LASTS : FILES_AND_PORTS));
  }

  /**
   * From now on no other programs, processes, users, settings of the kernel, or kinds of sockets. To be
   * called when interfaces are open and privileges given up.
   *
   * @param opensInterfaces Whether an interface may have to be opened again.
   */
  close({ opensInterfaces }: { readonly opensInterfaces: boolean }): void {
    this.keepCapabilities({ opensInterfaces });
    this.#filter(
      (architecture) => systemCallFilter(architecture, { pid: Deno.pid, opensInterfaces }),
      "no other programs, processes or users",
    );
  }

  /** From now on, too, no file is made, changed or opened to be written. */
  closeFiles(): void {
    this.#filter(fileChangeFilter, "no file is changed");
  }

  /** Takes something away. A kernel that refuses to is no reason not to go on. */
  #reduce(work: () => string | null | void): void {
    if (this.#isOff) return;
    let missing;
    try {
      missing = work() ?? null;
    } catch (error) {
      missing = (error as Error).message;
    }
    if (missing !== null) this.#log.debug(`sandbox: ${missing}`);
  }

  #filter(program: (architecture: Architecture) => BpfInstruction[], what: string): void {
    if (this.#isOff) return;
    const reason = filterSystemCalls(program(Deno.build.arch));
    this.#isOff = reason !== null;
    if (reason === null) this.#log.debug(`sandbox: ${what} from now on`);
    else this.#log.warn(`sandbox: the kernel gives none (${reason}): flosensor goes on without`);
  }
}
