import { fileURLToPath } from "node:url";

const FILE = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** The permissions that a task of deno.json gives the program. */
export function taskPermissions(task: string): string[] {
  const command: string = JSON.parse(Deno.readTextFileSync(FILE)).tasks[task];
  return command.split(" ").filter((word) => word.startsWith("--"));
}
