/** Where the password of a Redis comes from. */
export interface PasswordSource {
  /** What the user named it by, such as `--redis-password-file` or `config.ts:3`. */
  readonly place: string;
  /** Path of a file; `null` where it is in none. */
  readonly path: string | null;
  /** Whether a password of the URL goes before it, and is no mistake. */
  readonly isFallback: boolean;

  /**
   * What it has now.
   *
   * @throws {UserError} when that can't be read.
   */
  read(): string;
}
