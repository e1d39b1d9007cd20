import { UserError } from "../src/user_error.ts";

/** How a program is run. */
export interface RunOptions {
  cwd?: string;
  /** All of the environment; by default, that of this process. */
  env?: Record<string, string>;
}

/**
 * Runs a program to its end.
 *
 * @returns What it wrote on standard output.
 * @throws {ProgramError} when it fails, with what it said.
 * @throws {UserError} when there is no such program.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { success, stdout, stderr } = await started(program, args, options);
  const decoder = new TextDecoder();
  const said = decoder.decode(stderr);
  if (!success) throw new ProgramError(`${program} ${args[0] ?? ""}`.trim(), said);
  return decoder.decode(stdout);
}

/** A program ended with a status other than 0. */
export class ProgramError extends UserError {
  override name = "ProgramError";

  /** @param said What it wrote on standard error. */
  constructor(program: string, readonly said: string) {
    // Deno's own addresses follow its words.
    const [words] = said.split("\nStack backtrace:");
    super(`${program} failed: ${words.trim().replaceAll(/\s*\n\s*/g, "; ")}`);
  }
}

async function started(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(program, {
      cwd: options.cwd,
      args: [...args],
      clearEnv: options.env !== undefined,
      env: { ...options.env, NO_COLOR: "1" },
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`${program}: there is no such program: install it`);
  }
}
