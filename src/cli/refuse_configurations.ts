import { UserError, WRONG_USAGE } from "../user_error.ts";

/**
 * Says how a configuration is named where one is in the place of own networks.
 *
 * @throws {UserError} when one is.
 */
export function refuseConfigurations(words: readonly string[]): void {
  const file = words.find((word) => /\.[mc]?[jt]s$/.test(word));
  if (file === undefined) return;
  throw new UserError(`${file}: a configuration is named with --config ${file}`, WRONG_USAGE);
}
