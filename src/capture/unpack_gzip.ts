import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DamagedError } from "./damaged_error.ts";

/** Bytes that are unpacked at once. Where data is damaged, what was unpacked with that is lost. */
const CHUNK_BYTES = 64 * 1024;
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
  const source = Readable.from(packed, { objectMode: false });
  let failure: { readonly error: unknown } | null = null;
  let isOver = false;
  let wake = () => {};
  const fail = (error: unknown) => {
    failure ??= { error };
    wake();
  };
  source.on("error", fail);
  gunzip.on("error", fail).on("readable", () => wake()).on("end", () => {
    isOver = true;
    wake();
  });
  source.pipe(gunzip);
  try {
    while (true) {
      const awake = new Promise<void>((resolve) => wake = resolve);
      // What was unpacked before an error is still there to be read.
      const chunk: Uint8Array | null = gunzip.read();
      if (chunk !== null) yield chunk;
      else if (failure !== null) throw damage((failure as { readonly error: unknown }).error);
      else if (isOver) return;
      else await awake;
    }
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function damage(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: string };
  if (!String(code).startsWith("Z_")) return error;
  return new DamagedError(String(message), code === CUT);
}
