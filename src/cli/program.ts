/**
 * The program.
 *
 * @module
 */
import { main } from "./main.ts";
import { giveUpWriting } from "./write_everywhere.ts";

giveUpWriting(Deno.args);
Deno.exit(await main(Deno.args));
