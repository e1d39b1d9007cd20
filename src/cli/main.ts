import { LineLog } from "../log.ts";
import { OutputClosedError } from "../sink/output_closed_error.ts";
import { UserError } from "../user_error.ts";
import { VERSION } from "../version.ts";
import { complain } from "./complain.ts";

/**
 * Runs the program.
 *
 * @param parameters What stands on the command line after the program's name.
 * @returns The exit status: 0, 1 for an error, 2 for wrong usage.
 */
export async function main(parameters: readonly string[]): Promise<number> {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(report(event.reason, parameters));
  });
  try {
    const { runCommand } = await import("./commands.ts");
    return await runCommand(parameters);
  } catch (error) {
    // Whoever read standard output has had enough: `flosensor replay FILE --json | head`.
    if (error instanceof OutputClosedError) return 0;
    return report(error, parameters);
  }
}

function report(error: unknown, parameters: readonly string[]): number {
  const isDebug = logLevelOf(parameters) === "debug";
  if (error instanceof UserError) {
    complain(error.message);
    if (isDebug) new LineLog("debug").debug(String(error.stack));
    return error.exitStatus;
  }
  const message = error instanceof Error ? error.message : String(error);
  complain(`${message} (a defect of flosensor ${VERSION}; --log-level debug shows where)`);
  if (isDebug && error instanceof Error) new LineLog("debug").debug(String(error.stack));
  return 1;
}

/** The level asked for, found without the parser, which may be what failed. */
function logLevelOf(parameters: readonly string[]): string | undefined {
  const at = parameters.findIndex((parameter) => parameter.startsWith("--log-level"));
  return at < 0 ? undefined : parameters[at].split("=")[1] ?? parameters[at + 1];
}
