import type { ValidConfig } from "../config/valid_config.ts";
import { environmentPassword } from "../sink/environment_password.ts";
import { PasswordFile } from "../sink/password_file.ts";
import type { PasswordSource } from "../sink/password_source.ts";
import { parseRedisUrl } from "../sink/redis_url.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";

/** The Redis that is used. */
export interface Store {
  readonly url: string;
  /** Where the user wrote it, for messages. */
  readonly place: string;
  readonly passwordFile?: PasswordSource;
}

/** Options of the command line that say which Redis is used. */
export interface StoreOptions {
  /** A URL; `false` for none at all. */
  readonly redis?: string | false;
  readonly redisPasswordFile?: PasswordFile;
}

/**
 * The Redis that the command line names, else that of the configuration, else none. A password of the
 * configuration is for the Redis of the configuration alone.
 *
 * @throws {UserError} when its URL is wrong.
 */
export function storeOf(options: StoreOptions, config: ValidConfig): Store | null {
  const url = options.redis ?? config.redis;
  const given = options.redisPasswordFile;
  if (url === null || url === false) {
    if (given === undefined) return null;
    throw new UserError(
      `${given.place}: there is no Redis to log in to: add --redis URL`,
      WRONG_USAGE,
    );
  }
  const isConfigured = options.redis === undefined;
  const place = isConfigured ? config.placeOf(["redis"]) : "--redis";
  const passwordFile = given ?? (isConfigured ? configuredPasswordFile(config) : undefined) ??
    environmentPassword();
  // Also when it is not used before the next start: what is wrong is said when it is loaded.
  parseRedisUrl(url, place, passwordFile);
  return { url, place, passwordFile };
}

/** The file that the configuration names, not read yet. */
export function configuredPasswordFile(config: ValidConfig): PasswordFile | undefined {
  const { redisPasswordFile: path } = config;
  return path === null ? undefined : new PasswordFile(path, config.placeOf(["redisPasswordFile"]));
}
