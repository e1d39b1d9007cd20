/** Compressed data can't be read on. What came before was given. */
export class DamagedError extends Error {
  override name = "DamagedError";

  /**
   * @param message What is wrong, in words that go on after the name of the compression.
   * @param isCut Whether nothing is wrong but that the end is missing.
   */
  constructor(message: string, readonly isCut: boolean) {
    super(message);
  }
}
