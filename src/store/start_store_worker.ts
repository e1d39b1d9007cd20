import { dirname, resolve } from "node:path";
import { UserError } from "../user_error.ts";
import { mayReadModules } from "../workers/permission.ts";

const WORKER = new URL("./store_worker.ts", import.meta.url);
const OPTION = "--store";

/** The thread that writes a store, for the file that it may write. */
export interface StoreWorker {
  /** Absolute. */
  readonly path: string;
  readonly worker: Worker;
}

let started: StoreWorker | null = null;

/**
 * Starts the thread for the file that `--store` names, before the program gives up to write
 * everywhere: the thread keeps the permission for the file's folder, and none that it does not need. It
 * runs no code of the user's.
 *
 * @param parameters What stands on the command line after the program's name.
 */
export function startStoreWorkerFor(parameters: readonly string[]): void {
  if (parameters[0] !== "capture" && parameters[0] !== "replay") return;
  const at = parameters.findIndex((it) => it === OPTION || it.startsWith(`${OPTION}=`));
  if (at < 0) return;
  const file = parameters[at].slice(OPTION.length + 1) || parameters[at + 1];
  if (file === undefined || file === "") return;
  try {
    started = start(resolve(file));
  } catch {
    // Whoever needs it tries again, and says what is wrong.
  }
}

/**
 * The thread for a file: that which was started for it, else a new one.
 *
 * @param place Where the user named the file, for messages.
 * @throws {UserError} when the file's folder may not be written.
 */
export function storeWorkerFor(file: string, place: string): StoreWorker {
  const path = resolve(file);
  const early = started;
  started = null;
  if (early?.path === path) return early;
  early?.worker.terminate();
  if (!mayReadModules(WORKER)) {
    throw new UserError(
      `${place}: no permission to read the program's own modules: run with --allow-read`,
    );
  }
  try {
    return start(path);
  } catch (error) {
    throw new UserError(
      `${place}: no permission to write in ${dirname(path)}: name the file with ${OPTION} on the ` +
        "command line, or run with --allow-write",
      1,
      { cause: error },
    );
  }
}

function start(path: string): StoreWorker {
  const worker = new Worker(WORKER, {
    type: "module",
    name: "store",
    deno: {
      permissions: {
        read: true,
        write: [dirname(path)],
        env: false,
        ffi: false,
        net: false,
        run: false,
        sys: false,
      },
    },
  });
  return { path, worker };
}
