/**
 * What the program may write when it starts, in options of deno: `init` writes where it is told, and
 * what a program may do is fixed before it knows what it is told.
 */
export const EVERYWHERE = "/";

/** The commands that write files. They load no configuration, and so no code of the user's. */
const WRITE_FILES: readonly string[] = ["init", "export"];

/**
 * Gives up to write everywhere, for good and before anything of the user's is loaded, unless the
 * command is the one that needs it. What may be written besides is a permission of its own, and stays.
 *
 * @param parameters What stands on the command line after the program's name.
 */
export function giveUpWriting(parameters: readonly string[]): void {
  if (WRITE_FILES.includes(parameters[0])) return;
  Deno.permissions.revokeSync({ name: "write", path: EVERYWHERE });
}
