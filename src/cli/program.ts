/**
 * The program.
 *
 * @module
 */
import { startStoreWorkerFor } from "../store/start_store_worker.ts";
import { keepHangUps } from "./hang_up.ts";
import { main } from "./main.ts";
import { giveUpWriting } from "./write_everywhere.ts";

startStoreWorkerFor(Deno.args);
keepHangUps(Deno.args);
giveUpWriting(Deno.args);
Deno.exit(await main(Deno.args));
