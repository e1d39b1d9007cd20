import { printable } from "../src/printable.ts";
import { UserError } from "../src/user_error.ts";

/** Wrong usage of a program's options. */
const WRONG_USAGE = 2;

/**
 * Runs one of the programs of this folder and ends the process: an error of the user's is one line.
 *
 * @param name What the program is called.
 */
export async function program(name: string, main: () => Promise<void>): Promise<never> {
  try {
    await main();
  } catch (error) {
    // node:util's parseArgs says what is wrong with the options.
    const isUsage = error instanceof TypeError &&
      String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");
    const isForbidden = error instanceof Deno.errors.NotCapable ||
      error instanceof Deno.errors.PermissionDenied;
    if (!(error instanceof UserError) && !isUsage && !isForbidden) throw error;
    console.error(`${name}: error: ${printable(error.message)}`);
    Deno.exit(error instanceof UserError ? error.exitStatus : isUsage ? WRONG_USAGE : 1);
  }
  Deno.exit(0);
}
