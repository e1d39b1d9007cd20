import { UnusableRedisError } from "../sink/unusable_redis_error.ts";
import { UserError } from "../user_error.ts";

/**
 * What the user is told of a Redis that can't be read.
 *
 * @param text Its URL, as it may be shown.
 * @param alternative What may be named in its place.
 */
export function unreadableRedis(text: string, error: unknown, alternative: string): UserError {
  if (error instanceof UserError) return error;
  const { message } = error as Error;
  return error instanceof UnusableRedisError
    ? new UserError(`Redis at ${text}: ${message}${error.remedy}`, 1, { cause: error })
    : new UserError(
      `Redis at ${text} can't be read (${message}): start it, or name ${alternative}`,
      1,
      { cause: error },
    );
}
