import { dirname, join } from "node:path";

/** Runs `use` with a new directory that holds these files, and removes it. */
export async function withFiles<T>(
  files: Readonly<Record<string, string>>,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-test-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(directory, name)), { recursive: true });
      await Deno.writeTextFile(join(directory, name), text);
    }
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
