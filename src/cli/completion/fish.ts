import type { CompletedCommand, Value } from "./completed_commands.ts";

/** The script for fish. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const none = `"not __fish_seen_subcommand_from ${names}"`;
  return [
    '# fish completion for flosensor, as "flosensor completion fish" prints it',
    "function __flosensor_interfaces",
    "  for entry in /sys/class/net/*/",
    "    basename $entry",
    "  end",
    "  echo any",
    "end",
    "",
    "complete -c flosensor -f",
    `complete -c flosensor -n ${none} -s h -l help -d 'explain the commands'`,
    `complete -c flosensor -n ${none} -s V -l version -d 'print the version'`,
    ...commands.map(({ name, description }) =>
      `complete -c flosensor -n ${none} -a ${name} -d ${quoted(description)}`
    ),
    ...commands.flatMap(commandLines),
    "",
  ].join("\n");
}

function commandLines({ name, options, words }: CompletedCommand): string[] {
  const line = `complete -c flosensor -n "__fish_seen_subcommand_from ${name}"`;
  return [
    ...options.map(({ names, description, value }) =>
      [
        line,
        ...names.map((it) => it.startsWith("--") ? `-l ${it.slice(2)}` : `-s ${it.slice(1)}`),
        ...(value === null ? [] : [value.kind === "file" ? "-r" : "-x", valuesOf(value)]),
        `-d ${quoted(description)}`,
      ].filter((part) => part !== "").join(" ")
    ),
    ...words.slice(0, 1).map(valuesOf).filter((values) => values !== "")
      .map((values) => `${line} ${values}`),
  ];
}

function valuesOf(value: Value): string {
  switch (value.kind) {
    case "file":
      return "-F";
    case "folder":
      return "-a '(__fish_complete_directories)'";
    case "interface":
      return "-a '(__flosensor_interfaces)'";
    case "user":
      return "-a '(__fish_complete_users)'";
    case "choice":
      return `-a '${value.choices.join(" ")}'`;
    default:
      return "";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}
