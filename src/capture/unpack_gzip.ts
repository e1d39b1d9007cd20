import { createGunzip } from "node:zlib";
import { DamagedError } from "./damaged_error.ts";
import { piecesOf } from "./pieces_of.ts";

/** Bytes that are given at once. */
const CHUNK_BYTES = 64 * 1024;
/**
 * How much of the data is handed to zlib at once. What comes of it is at most a thousand times as much.
 * Where the data is damaged, what was unpacked with that is lost.
 */
const PIECE_BYTES = 16 * 1024;
/** What zlib says of data that ends too early. */
const CUT = "Z_BUF_ERROR";

/**
 * Gives what is in gzip data of one member or more, RFC 1952, as it is asked for: nothing of it is
 * unpacked long before.
 *
 * @throws {DamagedError} where the data is cut off or damaged.
 * @throws What reading `packed` throws.
 */
export async function* unpackGzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  let failure: unknown = null;
  // What is not taken when there is an error is gone with the stream.
  const unpacked: Uint8Array[] = [];
  gunzip.on("data", (chunk) => unpacked.push(chunk));
  gunzip.on("error", (error) => failure ??= error);
  try {
    for await (const piece of piecesOf(packed, PIECE_BYTES)) {
      await new Promise<void>((resolve) => gunzip.write(piece, () => resolve()));
      yield* unpacked.splice(0);
      if (failure !== null) throw damage(failure);
    }
    await new Promise<void>((resolve) => {
      gunzip.on("end", resolve).on("close", resolve);
      gunzip.end();
    });
    yield* unpacked.splice(0);
    if (failure !== null) throw damage(failure);
  } finally {
    gunzip.destroy();
  }
}

function damage(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: string };
  if (!String(code).startsWith("Z_")) return error;
  return new DamagedError(String(message), code === CUT);
}
