/**
 * Makes the page of the manual, `deploy/flosensor.8`, of `deploy/flosensor.8.in` and of what the
 * program's `--help` is made of: `deno task man`.
 *
 * @module
 */
import type { Argument, Command, Option } from "commander";
import { commandTable } from "../src/cli/commands.ts";
import { EXIT_STATUSES } from "../src/cli/exit_statuses.ts";
import { LIVE_KEYS } from "../src/screen/help.ts";
import { WRITTEN_KEYS } from "../src/sink/written_keys.ts";

const TEMPLATE = new URL("../deploy/flosensor.8.in", import.meta.url);
/** What is made. */
export const MANUAL_PAGE: URL = new URL("../deploy/flosensor.8", import.meta.url);

/** The text of the page, in the macros of man(7). */
export function manualPage(): string {
  const program = commandTable();
  const parts: Record<string, string[]> = {
    SYNOPSIS: synopsis(program),
    OPTIONS: program.createHelp().visibleOptions(program).flatMap((it) => optionLines(program, it)),
    COMMANDS: program.commands.flatMap(commandLines),
    KEYS: WRITTEN_KEYS.flatMap(([form, meaning]) => item(placeholders(form), [roff(meaning)])),
    LIVE_KEYS: LIVE_KEYS.flatMap(([keys, meaning]) => item(keysText(keys), [roff(meaning)])),
    EXIT_STATUS: EXIT_STATUSES.flatMap(([status, meaning]) => item(roff(status), [roff(meaning)])),
  };
  const made = '.\\" Made by tools/manual_page.ts of flosensor.8.in; not to be changed by hand.\n';
  const template = Deno.readTextFileSync(TEMPLATE);
  return made +
    template.replaceAll(/^@(\w+)@$/gm, (line, name) => parts[name]?.join("\n") ?? line);
}

function synopsis(program: Command): string[] {
  return program.commands.flatMap((command, i) => [
    ...(i === 0 ? [] : [".br"]),
    `.B flosensor ${command.name()}`,
    placeholders(command.usage()),
  ]);
}

function commandLines(command: Command): string[] {
  const help = command.createHelp();
  // That of all commands is told once.
  const options = help.visibleOptions(command).filter(({ long }) => long !== "--help");
  return [
    `.SS ${roff(command.name())} ${placeholders(command.usage())}`,
    roff(command.description()),
    ...command.registeredArguments.flatMap((argument) => argumentLines(command, argument)),
    ...options.flatMap((option) => optionLines(command, option)),
  ];
}

function argumentLines(command: Command, argument: Argument): string[] {
  const description = command.createHelp().argumentDescription(argument);
  return description === "" ? [] : item(placeholders(`<${argument.name()}>`), [roff(description)]);
}

function optionLines(command: Command, option: Option): string[] {
  const flags = option.flags.split(" ").map((word) =>
    word.startsWith("-")
      ? `\\fB${roff(word.replace(/,$/, ""))}\\fR${word.endsWith(",") ? "," : ""}`
      : placeholders(word)
  );
  return item(flags.join(" "), [roff(command.createHelp().optionDescription(option))]);
}

function item(tag: string, lines: readonly string[]): string[] {
  return [".TP", tag, ...lines];
}

/** Keys in bold; arrows are called by their names, which all fonts have. */
function keysText(keys: string): string {
  const words = { "↑": "up", "↓": "down", "←": "left", "→": "right" };
  const named = keys.replaceAll(/[↑↓←→]/g, (arrow) => words[arrow as keyof typeof words]);
  return `\\fB${roff(named)}\\fR`;
}

/** Text in which names in angle brackets stand for what they are called. */
function placeholders(text: string): string {
  return roff(text).replaceAll(/<([^>]+)>/g, (_, name) => `\\fI${name}\\fR`);
}

/** Text with what roff would take for its own, see groff_char(7). */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("'", "\\(aq")
    .replace(/^\./, "\\&.");
}

if (import.meta.main) {
  Deno.writeTextFileSync(MANUAL_PAGE, manualPage());
}
