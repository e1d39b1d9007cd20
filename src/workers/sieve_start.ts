import { isPipe } from "../capture/pipe.ts";
import { mayReadModules } from "./permission.ts";

const WORKER = new URL("./sieve_worker.ts", import.meta.url);
/** Where there is more to read, in bytes, a thread is worth its start. */
const WORTH_A_THREAD = 16 * 1024 * 1024;

/** A thread that was started for a `SieveThread`. */
export interface SieveWorker {
  readonly worker: Worker;
  /**
   * Resolves when its modules are loaded, with `null`, or with why they are not. It is listened for from
   * the start: what a worker tells before anybody listens is lost.
   */
  readonly loaded: Promise<string | null>;
}

/**
 * Starts the thread of a `SieveThread`, or gives `null` where it is of no use: there is little to read,
 * or a pipe among it, no second processor, or the program's own modules may not be read.
 *
 * It is by itself, with little to import: the thread is what a replay waits for, so it is to start
 * before the rest of the program is loaded.
 *
 * @param names What will be read; other things may be among them, such as options. So nobody is asked
 * for permission to look at any of them.
 */
export function startSieveWorker(names: readonly string[]): SieveWorker | null {
  const known = names.filter(mayLookAt);
  if (navigator.hardwareConcurrency < 2 || known.some(isPipe)) return null;
  if (known.reduce((sum, name) => sum + fileSize(name), 0) < WORTH_A_THREAD) return null;
  return mayReadModules(WORKER) ? newSieveWorker() : null;
}

/** Starts the thread, whatever it will read. */
export function newSieveWorker(): SieveWorker {
  const worker = new Worker(WORKER, { type: "module", name: "sieve" });
  const loaded = new Promise<string | null>((resolve) => {
    worker.addEventListener("message", () => resolve(null), { once: true });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      resolve(event.message);
    }, { once: true });
  });
  return { worker, loaded };
}

/** How long a file is, in bytes; 0 for what is none. */
export function fileSize(name: string): number {
  try {
    const { isFile, size } = Deno.statSync(name);
    return isFile ? size : 0;
  } catch {
    return 0;
  }
}

/** Whether what a name stands for can be looked at without anybody having to allow it. */
function mayLookAt(name: string): boolean {
  // Standard input needs no permission, and what is empty is no path.
  if (name === "-" || name === "") return name === "-";
  return Deno.permissions.querySync({ name: "read", path: name }).state === "granted";
}
