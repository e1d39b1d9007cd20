/**
 * Whoever read our standard output has gone, as `head` does. There is nobody to write to and
 * nothing to complain about: the program ends quietly.
 */
export class OutputClosedError extends Error {
  override name = "OutputClosedError";

  constructor() {
    super("standard output was closed by its reader");
  }
}
