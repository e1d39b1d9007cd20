import type { CompletedCommand, CompletedOption, Value } from "./completed_commands.ts";
import { interfacesLoop } from "./interfaces_loop.ts";

/** The script for bash 4 or later. It needs nothing of the package bash-completion. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name);
  return `# bash completion for flosensor, as "flosensor completion bash" prints it
_flosensor_interfaces() {
  local entry
  ${interfacesLoop("  ")}
}

_flosensor_values() {
  case $1 in
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    interface) mapfile -t COMPREPLY < <(compgen -W "$(_flosensor_interfaces)" -- "$2") ;;
    user) mapfile -t COMPREPLY < <(compgen -u -- "$2") ;;
    choice) mapfile -t COMPREPLY < <(compgen -W "$3" -- "$2") ;;
  esac
}

_flosensor() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= i
  COMPREPLY=()
  # --option=value is three words.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${names.join("|")}) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $command in
    '') _flosensor_values choice "$cur" "${[...names, "--help", "--version"].join(" ")}" ;;
${commands.map(commandCase).join("\n")}
  esac
}
complete -F _flosensor flosensor
`;
}

function commandCase({ name, options, words }: CompletedCommand): string {
  const withValue = options.filter(({ value }) => value !== null);
  const isKnown = ({ value }: CompletedOption) => value!.kind !== "any";
  const cases = [
    ...withValue.filter(isKnown).map(({ names, value }) =>
      `        ${names.join("|")}) ${completed(value!)}; return ;;`
    ),
    ...withValue.some((option) => !isKnown(option))
      ? [
        `        ${
          withValue.filter((it) => !isKnown(it)).flatMap(({ names }) => names).join("|")
        }) return ;;`,
      ]
      : [],
  ];
  const all = options.flatMap(({ names }) => names).join(" ");
  return `    ${name})
      case $prev in
${cases.join("\n")}
      esac
      if [[ $cur == -* ]]; then _flosensor_values choice "$cur" "${all}"
      else ${completed(words[0] ?? { kind: "any" })}
      fi ;;`;
}

function completed(value: Value): string {
  if (value.kind === "any") return ":";
  const choices = value.kind === "choice" ? ` "${value.choices.join(" ")}"` : "";
  return `_flosensor_values ${value.kind} "$cur"${choices}`;
}
