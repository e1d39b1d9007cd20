/** Options of tcpdump(1) that say what it is to do, and the command that does it here. */
const COMMANDS: readonly [RegExp, string][] = [
  [/^(-[np]*r|--read-file(=|$))/, "replay"],
  [/^(-[np]*i|--interface(=|$))/, "capture"],
  [/^(-[np]*D$|--list-interfaces$)/, "interfaces"],
];

/**
 * What stands on the command line, with the command that it leaves out: who types
 * `flosensor -i eth0` has typed `tcpdump -i eth0` for years, and can mean one thing only.
 *
 * @param names Those of all commands: where one is there, none is left out.
 */
export function withImpliedCommand(
  parameters: readonly string[],
  names: ReadonlySet<string>,
): string[] {
  const isLeftOut = parameters[0]?.startsWith("-") && !parameters.some((it) => names.has(it));
  if (!isLeftOut) return [...parameters];
  for (const [option, command] of COMMANDS) {
    const at = parameters.findIndex((parameter) => option.test(parameter));
    if (at < 0) continue;
    return command === "interfaces" ? [command] : [command, ...parameters];
  }
  return [...parameters];
}
