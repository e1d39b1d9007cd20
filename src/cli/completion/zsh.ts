import type { CompletedCommand, CompletedOption, Value } from "./completed_commands.ts";
import { interfacesLoop } from "./interfaces_loop.ts";

/** The script for zsh: a function to be loaded, and to be sourced. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const described = commands.map(({ name, description }) =>
    `    ${quoted(`${name}:${description.replaceAll(":", "\\:")}`)}`
  );
  return `#compdef flosensor
# zsh completion for flosensor, as "flosensor completion zsh" prints it
_flosensor_interfaces() {
  local entry
  local -a interfaces=(\${(f)"$(
    ${interfacesLoop("    ")}
  )"})
  _describe interface interfaces
}

_flosensor() {
  local curcontext=$curcontext state line
  local -a commands=(
${described.join("\n")}
  )
  _arguments -C '(- *)'{-h,--help}'[explain the commands]' \\
    '(- *)'{-V,--version}'[print the version]' '1: :->command' '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $words[1] in
${commands.map(commandCase).join("\n")}
      esac ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _flosensor "$@"
else compdef _flosensor flosensor
fi
`;
}

function commandCase({ name, options, words }: CompletedCommand): string {
  const specifications = [
    ...options.map(optionSpecification),
    ...words.slice(0, 1).map((value) => `'*: :${actionOf(value)}'`),
  ];
  return `        ${name}) _arguments -s ${specifications.join(" \\\n          ")} ;;`;
}

function optionSpecification({ names, description, value }: CompletedOption): string {
  const text = description.replace(/[[\\\]:]/g, "\\$&");
  const action = value === null ? "" : `: :${actionOf(value)}`;
  // -s 5, -s5, --snaplen 5, --snaplen=5
  const forms = value === null
    ? names
    : names.map((it) => it.startsWith("--") ? `${it}=` : `${it}+`);
  return forms.length === 1
    ? quoted(`*${forms[0]}[${text}]${action}`)
    : `'*'{${forms.join(",")}}${quoted(`[${text}]${action}`)}`;
}

function actionOf(value: Value): string {
  switch (value.kind) {
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "interface":
      return "_flosensor_interfaces";
    case "user":
      return "_users";
    case "choice":
      return `(${value.choices.map((choice) => choice.replaceAll(":", "\\:")).join(" ")})`;
    default:
      return "";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
