import { UserError, WRONG_USAGE } from "../user_error.ts";
import { refuseConfigurations } from "./refuse_configurations.ts";
import { mistakenName, type Named } from "./mistaken_name.ts";

/**
 * Says what was meant where a word can't be what it is taken for.
 *
 * @param words Names and own networks, as they stand on the command line.
 * @param names Those that are taken for names.
 * @param filter What stands behind --filter.
 * @throws {UserError} with what to write in its place.
 */
export function refuseMistakenNames(
  words: readonly string[],
  names: readonly string[],
  named: Named,
  filter?: string,
): void {
  refuseConfigurations(names);
  for (const name of names) {
    const message = mistakenName(words, words.indexOf(name), named, filter);
    if (message !== null) throw new UserError(message, WRONG_USAGE);
  }
  if (names.filter((name) => name === "-").length > 1) {
    throw new UserError("- is standard input, which can be read once: name it once", WRONG_USAGE);
  }
}
