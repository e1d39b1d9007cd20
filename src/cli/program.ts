/**
 * The program.
 *
 * @module
 */
import { keepHangUps } from "./hang_up.ts";
import { main } from "./main.ts";
import { giveUpWriting } from "./write_everywhere.ts";

keepHangUps(Deno.args);
giveUpWriting(Deno.args);
Deno.exit(await main(Deno.args));
