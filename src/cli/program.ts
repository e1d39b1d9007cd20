/**
 * The program. What a replay waits for longest, the thread that reads, is started before all else is
 * loaded, and begins before the command line was parsed.
 *
 * It has to be permitted to read its own modules. `mod.ts` need not be, and takes longer to start.
 *
 * @module
 */
import { VERSION } from "../version.ts";
import { mayReadModules } from "../workers/permission.ts";
import { startStoreWorkerFor } from "../store/start_store_worker.ts";
import { startSieveWorker } from "../workers/sieve_start.ts";
import type { SieveThread } from "../workers/sieve_thread.ts";
import { complain } from "./complain.ts";
import { keepHangUps } from "./hang_up.ts";
import { giveUpWriting } from "./write_everywhere.ts";

/*
 * Deno reads all that is imported by a name that it finds in the text, all of the program, before it
 * runs any of it.
 */
const MAIN = new URL("./main.ts", import.meta.url);
const THREAD = new URL("../workers/sieve_thread.ts", import.meta.url);
const PRESUMED = new URL("./presumed_replay.ts", import.meta.url);

async function startThread(parameters: readonly string[]): Promise<SieveThread | null> {
  const worker = parameters.includes("replay") ? startSieveWorker(parameters) : null;
  if (worker === null) return null;
  const { SieveThread }: typeof import("../workers/sieve_thread.ts") = await import(THREAD.href);
  const { presumedReplay }: typeof import("./presumed_replay.ts") = await import(PRESUMED.href);
  const thread = new SieveThread(worker);
  const capture = presumedReplay(parameters);
  if (capture !== null) thread.presume(capture);
  // Its modules are not to wait for the many of the rest.
  await thread.loaded;
  return thread;
}

startStoreWorkerFor(Deno.args);
keepHangUps(Deno.args);
giveUpWriting(Deno.args);
const [parameter, ...others] = Deno.args;
if (others.length === 0 && (parameter === "--version" || parameter === "-V")) {
  console.log(VERSION);
} else if (!mayReadModules(MAIN)) {
  complain("no permission to read its own modules: run with --allow-read, or mod.ts in its place");
  Deno.exit(1);
} else {
  const thread = await startThread(Deno.args);
  const { main }: typeof import("./main.ts") = await import(MAIN.href);
  Deno.exit(await main(Deno.args, thread));
}
