import type { ValidConfig } from "../config/valid_config.ts";
import type { NamedSource } from "../report/open_source.ts";
import { environmentPassword } from "../sink/environment_password.ts";
import type { PasswordFile } from "../sink/password_file.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { clickHouseOf } from "./clickhouse_place.ts";
import { storeOf } from "./store.ts";

/** Options of the command line that say what is read. */
export interface SourceOptions {
  store?: string;
  redis?: string | false;
  redisPasswordFile?: PasswordFile;
  /** A URL. */
  clickhouse?: string;
  clickhousePasswordFile?: PasswordFile;
}

/**
 * What a command reads: what the command line says, else the configuration.
 *
 * @param names Files, of which there may be one.
 * @throws {UserError} when there is none, or more than one.
 */
export function sourceOf(
  command: string,
  names: readonly string[],
  options: SourceOptions,
  config: ValidConfig,
): NamedSource {
  const { store, redis, clickhouse } = options;
  const urls = [redis, clickhouse].filter((it) => typeof it === "string");
  const given = [...names, ...store === undefined ? [] : [store], ...urls];
  if (given.length > 1) {
    const shown = [...names, store, redis && "--redis", clickhouse && "--clickhouse"];
    const all = shown.filter((it) => it).join(" and ");
    throw new UserError(`${command}: ${all} are given; name one`, WRONG_USAGE);
  }
  if (given.length === 1 && urls.length === 0) {
    return { name: given[0], place: command, passwordFile: environmentPassword() };
  }
  if (clickhouse !== undefined) return namedClickHouse(options, config)!;
  if (!redis && config.store !== null) {
    return { name: config.store, place: config.placeOf(["store"]) };
  }
  const found = storeOf(options, config);
  if (found !== null) return { ...found, name: found.url };
  const clickHouse = namedClickHouse(options, config);
  if (clickHouse !== null) return clickHouse;
  throw new UserError(
    `${command}: there is nothing to read: name a store, a file that --json wrote, --redis URL or ` +
      "--clickhouse URL",
    WRONG_USAGE,
  );
}

function namedClickHouse(options: SourceOptions, config: ValidConfig): NamedSource | null {
  const found = clickHouseOf(options, config);
  return found === null ? null : { ...found, name: found.url };
}
