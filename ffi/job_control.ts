import { LIBC_PATHS } from "./library.ts";
import { libc } from "./libc.ts";
import { allocate } from "./memory.ts";

/** signal(7), the same on x86-64 and arm64. */
const SIGSTOP = 19;
/** `struct sigaction` of glibc has 152 bytes, and begins with the handler. */
const SIGACTION_SIZE = 152;
/** The handler that says that a signal is to be ignored. */
const SIG_IGN = 1n;
/** kill(2): the process group of whoever calls it. */
const OWN_GROUP = 0;

/** Whether functions of the C library can be called, without the user being asked for permission. */
export function mayUseLibc(): boolean {
  const isAllowed = LIBC_PATHS.every((path) =>
    Deno.permissions.querySync({ name: "ffi", path }).state === "granted"
  );
  if (!isAllowed) return false;
  try {
    libc();
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a signal is ignored, as nohup(1) has SIGHUP ignored for what it starts. To be asked before
 * the program listens for it.
 */
export function isIgnored(signal: number): boolean {
  const action = allocate(SIGACTION_SIZE);
  if (libc().sigaction(signal, 0n, action) !== 0) return false;
  return new DataView(action.buffer).getBigUint64(0, true) === SIG_IGN;
}

/**
 * Stops the job that this process is part of, as a terminal does at Ctrl-Z, and returns when it goes
 * on. Also the task runner is stopped, that waits for us and would not stop by itself: otherwise the
 * shell would not notice.
 */
export function stopJob(): void {
  libc().kill(OWN_GROUP, SIGSTOP);
}
