/**
 * Prints the names of interfaces, in bash and in zsh.
 *
 * @param indent In front of all lines but the first.
 */
export function interfacesLoop(indent: string): string {
  // In zsh, "path" is where programs are.
  return [
    "for entry in /sys/class/net/*/; do",
    "  entry=${entry%/}",
    '  echo "${entry##*/}"',
    "done",
    "echo any",
  ].join(`\n${indent}`);
}
