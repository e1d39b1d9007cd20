/**
 * The program, as the compiled file runs it: only what the command needs is loaded.
 *
 * @module
 */
import { VERSION } from "../version.ts";

const [parameter, ...others] = Deno.args;
if (others.length === 0 && (parameter === "--version" || parameter === "-V")) {
  console.log(VERSION);
} else {
  const { main } = await import("./main.ts");
  Deno.exit(await main(Deno.args));
}
