import { ZSTDDecoder } from "zstddec/stream";
import { UserError } from "../user_error.ts";
import { DamagedError } from "./damaged_error.ts";
import { piecesOf } from "./pieces_of.ts";

/**
 * How much of the data is handed to the decoder at once. What comes of it is not much, but where
 * somebody made it to be: then 128 KiB of four bytes.
 */
const PIECE_BYTES = 4096;
/** The largest window that zstd(1) takes unless it is told to, and the decoder too; in bytes. */
const MOST_WINDOW = 128 * 1024 * 1024;

/**
 * Gives what is in Zstandard data of one frame or more, RFC 8878, as it is asked for: nothing of it
 * is unpacked long before.
 *
 * This is zstd's own decoder in WebAssembly. That of `node:zlib` is missing in Deno 2.6; in Deno
 * 2.9.6 it ends at a second frame, and where the data is cut off, as if there were no more.
 *
 * @throws {DamagedError} where the data is cut off or damaged.
 * @throws What reading `packed` throws.
 */
export async function* unpackZstd(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const pieces = piecesOf(packed, PIECE_BYTES);
  const nextPiece = async () => (await pieces.next()).value ?? null;
  let piece: Uint8Array | null = await nextPiece();
  if (piece !== null) requireWindow(piece);
  let isTaken = false;
  let unchanged = 0;
  // Of each piece all output is asked for before the next one is.
  const output = decoder.decodeStreaming({
    *[Symbol.iterator]() {
      while (piece !== null) {
        isTaken = true;
        unchanged = 0;
        yield piece;
      }
    },
  });
  try {
    while (true) {
      // When it is asked for output it may want a piece, and can't wait for one.
      if (isTaken) piece = await nextPiece();
      isTaken = false;
      const { done, value } = outputOf(output);
      if (done) return;
      if (value.length > 0) yield value;
      // It gives nothing, for ever, where it can't go on; otherwise at most once for each byte.
      else if (++unchanged > PIECE_BYTES) throw new DamagedError("invalid data", false);
    }
  } finally {
    piece = null;
    release(output);
  }
}

/** @throws {DamagedError} when the data ended within a frame. */
function outputOf(output: Generator<Uint8Array>): IteratorResult<Uint8Array> {
  try {
    return output.next();
  } catch {
    throw new DamagedError("unexpected end of file", true);
  }
}

/** The decoder gives its memory back only at its end. (It has none where the data is damaged.) */
function release(output: Generator<Uint8Array>): void {
  try {
    for (let i = 0; i <= PIECE_BYTES && !output.next().done; i++);
  } catch {
    // It was not to end here.
  }
}

/**
 * The decoder says no more of a window that is too large than of damaged data.
 *
 * @param beginning With the header of the first frame, RFC 8878, section 3.1.1.1.
 * @throws {UserError} when the window is too large.
 */
function requireWindow(beginning: Uint8Array): void {
  const window = windowOf(beginning);
  if (!(window > MOST_WINDOW)) return;
  const option = `--long=${Math.ceil(Math.log2(window))}`;
  throw new UserError(
    `needs ${Math.ceil(window / 2 ** 20)} MiB of memory to be unpacked: ` +
      `zstd -dc ${option} FILE | flosensor replay -`,
  );
}

function windowOf(header: Uint8Array): number {
  const [descriptor, window] = header.subarray(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if (!isSingleSegment) {
    const base = 2 ** (10 + (window >> 3));
    return base + base / 8 * (window & 7);
  }
  // Then it is as long as all that is in the frame.
  const at = 5 + [0, 1, 2, 4][descriptor & 3];
  const bytes = [1, 2, 4, 8][descriptor >> 6];
  return header.subarray(at, at + bytes).reduceRight((size, byte) => size * 256 + byte, 0);
}
