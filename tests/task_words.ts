import { parseArgs, type ParseArgsConfig } from "node:util";

/** What stands behind the name of a task. */
type Words<Options extends ParseArgsConfig> = ReturnType<typeof parseArgs<Options>>;

/**
 * Reads what stands behind the name of a task, or ends it with one line that says what is wrong, and how
 * it is called.
 *
 * @param usage How it is called, `deno task soak [--minutes N]`.
 * @param options As parseArgs() of node:util takes them.
 */
export function taskWords<const Options extends ParseArgsConfig>(
  usage: string,
  options: Options,
): Words<Options> {
  if (Deno.args.some((it) => it === "--help" || it === "-h")) {
    console.log(usage);
    Deno.exit(0);
  }
  try {
    return parseArgs(options);
  } catch (error) {
    return refuseWords(usage, (error as Error).message.split(/\. |\n/)[0]);
  }
}

/** Ends a task that was called wrongly. */
export function refuseWords(usage: string, what: string): never {
  console.error(`${what}: ${usage}`);
  Deno.exit(2);
}
