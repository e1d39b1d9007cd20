/** Something has to be mended before a Redis can be used: another try would end in the same way. */
export class UnusableRedisError extends Error {
  override name = "UnusableRedisError";
  /** What to do about it, behind the message; may be empty. */
  readonly remedy: string;

  /** @param reason What is wrong, behind "Redis at …". */
  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}
