import { permittedVariable } from "../permitted_variable.ts";
import type { PasswordSource } from "./password_source.ts";

/** What redis-cli(1) takes its password from. */
const VARIABLE = "REDISCLI_AUTH";

/**
 * The password that the environment has, for whichever Redis is named, as with redis-cli; `undefined`
 * where it has none. Only root and who runs the program can see it there.
 */
export function environmentPassword(): PasswordSource | undefined {
  const password = permittedVariable(VARIABLE);
  if (password === undefined) return undefined;
  return { place: VARIABLE, path: null, isFallback: true, read: () => password };
}
