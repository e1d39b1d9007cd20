import { fileURLToPath } from "node:url";

const FILE = fileURLToPath(new URL("../../deno.json", import.meta.url));

/**
 * The permissions that a task of deno.json gives the program.
 *
 * @param folder Where a test has its sockets, to be written as what the task may write.
 */
export function taskPermissions(task: string, folder?: string): string[] {
  const command: string = JSON.parse(Deno.readTextFileSync(FILE)).tasks[task];
  return command.split(" ").filter((word) => word.startsWith("--"))
    .map((word) =>
      folder !== undefined && word.startsWith("--allow-write=") ? `${word},${folder}` : word
    );
}
