import { constants } from "node:os";
import {
  boundingSet,
  capabilities,
  emptyBoundingSet,
  hasNoNewPrivileges,
  setCapabilities,
  setNoNewPrivileges,
} from "./capabilities.ts";
import { errorText, lastErrno } from "./errno.ts";
import { withIgnored } from "./job_control.ts";
import { KernelText } from "./kernel_text.ts";
import { libc } from "./libc.ts";
import { addressOf, allocate, cString } from "./memory.ts";

const POINTER_BYTES = 8;

/**
 * Sees to it that no thread of the process, and nothing that it starts, can ever have more privileges
 * than it needs: `no_new_privs` of prctl(2), and an empty bounding set.
 *
 * Both are each thread's own, and when JavaScript begins there are threads already, whose no other
 * thread can change. So they are set for this one, and the program starts again in its place, execve(2):
 * the same process, whose threads are all made by this one. It does not return then. What was opened
 * before is lost, so this comes first.
 *
 * An empty bounding set leaves root the capabilities that are inheritable, capabilities(7).
 *
 * @param needed Capabilities that the process keeps.
 * @returns What could not be had, for a message, or `null`.
 */
export function restartBounded(needed: bigint): string | null {
  const isNewAllowed = !hasNoNewPrivileges();
  const before = boundingSet();
  if (!isNewAllowed && before === 0n) return null;
  const sets = capabilities();
  setCapabilities({ ...sets, inheritable: sets.permitted & needed });
  emptyBoundingSet();
  setNoNewPrivileges();
  const after = boundingSet();
  // Each start has less than the one before, or is the last.
  if (isNewAllowed || after !== before) return `it can't be started again (${startAgain()})`;
  return "the bounding set of capabilities stays as it was, for want of CAP_SETPCAP";
}

/**
 * Has a process of another user than root begin again, as {@linkcode restartBounded} does, if it has more
 * capabilities than it needs: then no thread has more. Those of the file that it runs are no more than it
 * had before, by `no_new_privs`.
 *
 * @param needed Capabilities that the process keeps.
 * @returns What could not be had, for a message, or `null`.
 */
export function restartWithFewer(needed: bigint): string | null {
  const { permitted, inheritable } = capabilities();
  const kept = permitted & needed;
  // One that has more all the same after it began again would do so for ever.
  if (kept === permitted || (hasNoNewPrivileges() && inheritable === kept)) return null;
  setCapabilities({ effective: kept, permitted: kept, inheritable: kept });
  setNoNewPrivileges();
  return `it can't be started again (${startAgain()})`;
}

/** @returns Why it did not work; otherwise it does not return. */
function startAgain(): string {
  const parameters = ownCommandLine().map(cString);
  const pointers = allocate((parameters.length + 1) * POINTER_BYTES);
  const view = new DataView(pointers.buffer);
  parameters.forEach((it, i) => view.setBigUint64(i * POINTER_BYTES, addressOf(it), true));
  const path = cString(Deno.execPath());
  // A wish for a reload that comes in between is none: the configuration is loaded after that.
  withIgnored(constants.signals.SIGHUP, () => libc().execv(path, pointers));
  return errorText(lastErrno());
}

/** What the process was started with, proc_pid_cmdline(5). */
function ownCommandLine(): string[] {
  using file = KernelText.open("/proc/self/cmdline");
  let text = "";
  for (let piece; (piece = file?.next() ?? null) !== null;) text += piece;
  return text.split("\0").slice(0, -1);
}
