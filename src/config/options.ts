import { closest } from "./closest.ts";
import { ConfigError } from "./config_error.ts";
import { shown } from "./shown.ts";

/**
 * Checks that an action's options are an object with no names but the known ones.
 *
 * @throws {ConfigError} when they are not.
 */
export function requireOptions<Name extends string>(
  value: unknown,
  action: string,
  known: readonly Name[],
): Partial<Record<Name, unknown>> {
  const names = known.join(", ");
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(
      `options of ${action} are ${shown(value)}`,
      `give an object with ${names}`,
    );
  }
  for (const name of Object.keys(value)) {
    if ((known as readonly string[]).includes(name)) continue;
    const meant = closest(name, known);
    throw new ConfigError(
      `${action} has no option "${name}"`,
      meant === undefined ? `it has ${names}` : `did you mean "${meant}"?`,
    );
  }
  return value;
}

/**
 * Checks an option that is true or false.
 *
 * @throws {ConfigError} when it is neither.
 */
export function requireBoolean(value: unknown, option: string): boolean {
  if (typeof value === "boolean") return value;
  throw new ConfigError(`${option} is ${shown(value)}`, "give true or false");
}
