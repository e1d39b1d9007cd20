import type { Argument, Command, Option } from "commander";

/** What a value is, as far as a shell can complete it. */
export type Value =
  | { readonly kind: "file" | "folder" | "interface" | "user" | "any" }
  | { readonly kind: "choice"; readonly choices: readonly string[] };

/** An option. */
export interface CompletedOption {
  /** As they are typed: the short one, if there is one, then the long one. */
  readonly names: readonly string[];
  readonly description: string;
  /** `null` for an option without one. */
  readonly value: Value | null;
}

/** A command. */
export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** What stands behind it: the first words, and all after these as the last. */
  readonly words: readonly Value[];
}

/** What can be completed of all commands. */
export function completedCommands(program: Command): CompletedCommand[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: firstSentence(command.description()),
    options: command.createHelp().visibleOptions(command).map(completedOption),
    words: command.name() === "help"
      ? [{ kind: "choice", choices: program.commands.map((it) => it.name()) }]
      : command.registeredArguments.map((argument) => valueOf(argument.name(), argument)),
  }));
}

function completedOption(option: Option): CompletedOption {
  const name = /[<[]([\w-]+)/.exec(option.flags)?.[1];
  return {
    names: [option.short, option.long].filter((it) => it !== undefined),
    description: option.description,
    value: name === undefined ? null : valueOf(name, option),
  };
}

function valueOf(name: string, { argChoices }: Option | Argument): Value {
  if (argChoices !== undefined) return { kind: "choice", choices: argChoices };
  if (name === "listen") return { kind: "choice", choices: ["unix:", "tcp:", "udp:"] };
  return name === "file" || name === "folder" || name === "interface" || name === "user"
    ? { kind: name }
    : { kind: "any" };
}

function firstSentence(text: string): string {
  return text.replace(/[.;] .*$/s, "").replace(/\.$/, "");
}
