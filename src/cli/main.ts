import { LineLog } from "../log.ts";
import { OutputClosedError } from "../sink/output_closed_error.ts";
import { userPlaceOf } from "../config/user_modules.ts";
import { UserError } from "../user_error.ts";
import { VERSION } from "../version.ts";
import { complain } from "./complain.ts";
import { endAtOnce, endWork } from "./ending.ts";
import { keepHangUps } from "./hang_up.ts";

/**
 * Runs the program.
 *
 * @param parameters What stands on the command line after the program's name.
 * @returns The exit status: 0, 1 for an error, 2 for wrong usage.
 */
export async function main(parameters: readonly string[]): Promise<number> {
  keepHangUps(parameters);
  const uncaught = (event: Event, error: unknown) => {
    event.preventDefault();
    if (!endWork(error)) endAtOnce(report(error, parameters));
  };
  globalThis.addEventListener("error", (event) => uncaught(event, event.error));
  globalThis.addEventListener("unhandledrejection", (event) => uncaught(event, event.reason));
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
  const place = error instanceof Error ? userPlaceOf(String(error.stack)) : null;
  // A timer of config.ts, or a promise that nobody there waits for.
  if (place !== null) {
    complain(
      `${place}: ${message} (${
        (error as Error).name
      } that nothing caught): mend what the line does`,
    );
  } else complain(`${message} (a defect of flosensor ${VERSION}; --log-level debug shows where)`);
  if (isDebug && error instanceof Error) new LineLog("debug").debug(String(error.stack));
  return 1;
}

/** The level asked for, found without the parser, which may be what failed. */
function logLevelOf(parameters: readonly string[]): string | undefined {
  const at = parameters.findIndex((parameter) => parameter.startsWith("--log-level"));
  return at < 0 ? undefined : parameters[at].split("=")[1] ?? parameters[at + 1];
}
