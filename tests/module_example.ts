/** The examples in the doc comments of modules, made into programs. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The configuration of Deno with which an example finds `flosensor`. */
export const EXAMPLE_CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));

/**
 * The examples in a module's doc comment, in their order.
 *
 * @param module Its path from the repository's root.
 */
export function moduleExamples(module: string): string[] {
  const text = Deno.readTextFileSync(new URL(`../${module}`, import.meta.url));
  return [...text.matchAll(/```ts\n([^]*?) \* ```/g)].map(([, code]) =>
    code.replaceAll(/^ \* ?/gm, "")
  );
}

/** What a module's example prints, in a folder that has what it asks for. */
export async function printedBy(example: string, directory: string): Promise<string[]> {
  await Deno.writeTextFile(join(directory, "example.ts"), example);
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--config", EXAMPLE_CONFIG, "example.ts"],
    cwd: directory,
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("the example failed");
  return new TextDecoder().decode(stdout).trim().split("\n");
}
