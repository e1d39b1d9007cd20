import { commandTable } from "../src/cli/commands.ts";
import { completionScript } from "../src/cli/completion/completion_script.ts";

/** Where zsh looks for functions: of what the administrator installs, and of packages. */
export type ZshFolder = "site-functions" | "vendor-completions";

/** What completes commands and options in each shell, by its path in the folder `share`. */
export function completions(
  zshFolder: ZshFolder,
): readonly (readonly [path: string, text: string])[] {
  const program = commandTable();
  return [
    ["bash-completion/completions/flosensor", completionScript(program, "bash")],
    [`zsh/${zshFolder}/_flosensor`, completionScript(program, "zsh")],
    ["fish/vendor_completions.d/flosensor.fish", completionScript(program, "fish")],
  ];
}
