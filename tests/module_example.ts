/** The examples in the doc comments of modules, made into programs. */
import { fileURLToPath } from "node:url";

/** The configuration of Deno with which an example finds `flosensor`. */
export const EXAMPLE_CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));

/**
 * The first example in a module's doc comment.
 *
 * @param module Its path from the repository's root.
 */
export function moduleExample(module: string): string {
  const text = Deno.readTextFileSync(new URL(`../${module}`, import.meta.url));
  const [, code] = /```ts\n([^]*?) \* ```/.exec(text)!;
  return code.replaceAll(/^ \* ?/gm, "");
}
