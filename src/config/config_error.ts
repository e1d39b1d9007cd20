import { UserError } from "../user_error.ts";

/** Where something stands in the configuration: `["flows", 3, 0]` is the source of the fourth rule. */
export type ConfigPath = readonly (string | number)[];

/** A path as messages name it: the setting, and which entry of it, as in `flows[3]`. */
export function pathText(path: ConfigPath): string {
  const [setting, entry] = path;
  if (setting === undefined) return "";
  return typeof entry === "number" ? `${setting}[${entry}]` : `${setting}`;
}

/** Something wrong with the configuration: what, where in it, and how to mend it. */
export class ConfigError extends UserError {
  override name = "ConfigError";

  /**
   * @param what What is wrong, naming the value.
   * @param remedy How to mend it.
   * @param path Where it stands; empty while that is not known.
   */
  constructor(readonly what: string, readonly remedy: string, readonly path: ConfigPath = []) {
    super(describe(what, remedy, path));
  }

  /** The same failure, at the place that is now known. */
  at(path: ConfigPath): ConfigError {
    return new ConfigError(this.what, this.remedy, path);
  }
}

function describe(what: string, remedy: string, path: ConfigPath): string {
  const where = pathText(path);
  return where === "" ? `${what}: ${remedy}` : `${what} (${where}): ${remedy}`;
}

/** Runs `read`, and gives a {@linkcode ConfigError} of it this path. */
export function atPath<T>(path: ConfigPath, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ConfigError ? error.at(path) : error;
  }
}
