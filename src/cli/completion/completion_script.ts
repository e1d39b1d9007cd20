import type { Command } from "commander";
import type { Shell } from "../shells.ts";
import { bashCompletion } from "./bash.ts";
import { completedCommands } from "./completed_commands.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/**
 * The script that makes a shell complete commands, options and their values. It is made of the table
 * of commands and knows them all, so that no program has to run while somebody types.
 */
export function completionScript(program: Command, shell: Shell): string {
  return SCRIPTS[shell](completedCommands(program));
}
