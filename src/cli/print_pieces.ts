import { explained } from "../report/open_store_file.ts";
import { TextOutput } from "../sink/text_output.ts";

/** Text is written in pieces of this many characters. */
const PIECE = 65_536;

/**
 * Prints text that is made piece by piece, as fast as it is read.
 *
 * @param source What it is made of, for messages.
 * @param isAsIs Whether all of it is printable, and tabs are a part of it.
 * @throws {OutputClosedError} when nobody reads it.
 * @throws {UserError} when the source can't be read, or standard output can't be written to.
 */
export async function printPieces(
  source: string,
  pieces: Iterator<string>,
  isAsIs = false,
): Promise<void> {
  const output = new TextOutput();
  for (let isDone = false; !isDone;) {
    let piece = "";
    explained(source, () => {
      while (!isDone && piece.length < PIECE) {
        const next = pieces.next();
        if (next.done) isDone = true;
        else piece += next.value;
      }
    });
    if (piece !== "" && isAsIs) output.putAsIs(piece, 1);
    else if (piece !== "") output.put(piece, 1);
    await output.written();
    if (output.error !== null) throw output.error;
  }
}
