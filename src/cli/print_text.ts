import { TextOutput } from "../sink/text_output.ts";

/**
 * Prints text on standard output, with a line feed at its end, and nothing in it that a terminal obeys.
 *
 * @throws {OutputClosedError} when nobody reads it.
 * @throws {UserError} when standard output can't be written to.
 */
export async function printText(text: string): Promise<void> {
  const output = new TextOutput();
  output.put(`${text}\n`, 1);
  await output.written();
  if (output.error !== null) throw output.error;
}
