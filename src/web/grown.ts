/** Typed arrays that columns are made of. */
type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Room is made for this part more than what is needed. */
const MORE = 1.25;

/** The array, or a longer one with the same numbers where it has no room for so many. */
export function grown<Column extends Numbers>(column: Column, length: number): Column {
  if (length <= column.length) return column;
  const more = new (column.constructor as new (length: number) => Column)(
    Math.ceil(length * MORE),
  );
  // What is not written takes no memory yet.
  more.set(column as never);
  return more;
}
