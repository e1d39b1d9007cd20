/**
 * The same bytes in pieces of one size, of which only the last is smaller. What a decoder loses of damaged
 * data, and where it takes it for damaged, is up to the pieces that it gets: so it is the same however the
 * data comes.
 *
 * @param size How many bytes each has. It is used again for the next one.
 */
export async function* piecesOf(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(size);
  let length = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - length);
      piece.set(part, length);
      at += part.length;
      length += part.length;
      if (length < size) continue;
      yield piece;
      length = 0;
    }
  }
  if (length > 0) yield piece.subarray(0, length);
}
