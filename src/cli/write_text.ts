import { TextOutput } from "../sink/text_output.ts";

/**
 * Writes text on standard output.
 *
 * @throws {OutputClosedError} when nobody reads it.
 * @throws {UserError} when standard output can't be written to.
 */
export async function writeText(text: string): Promise<void> {
  const output = new TextOutput();
  output.put(text, 1);
  await output.written();
  if (output.error !== null) throw output.error;
}
