import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder, with a slash at its end. */
export const PROJECT: string = fileURLToPath(new URL("../", import.meta.url));

/** The folder for what is made on the way and can be removed at any time. */
export async function buildFolder(): Promise<string> {
  const folder = join(PROJECT, "build");
  await Deno.mkdir(folder, { recursive: true });
  return folder;
}
