/** The exit status for wrong usage: what was typed can't be meant. */
export const WRONG_USAGE = 2;

/**
 * A failure that the user can mend: one line that names the thing, the place and the way out.
 *
 * The program prints its message without a stack trace and ends with its exit status. Any other
 * error that gets as far as the program's end is a defect of flosensor.
 */
export class UserError extends Error {
  /** What `String()` puts before the message. */
  override name = "UserError";

  /**
   * Makes an error that ends the program, if nobody takes it.
   *
   * @param message One line, without a full stop at the end.
   * @param exitStatus 1, or {@linkcode WRONG_USAGE}.
   */
  constructor(message: string, readonly exitStatus: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
  }
}
