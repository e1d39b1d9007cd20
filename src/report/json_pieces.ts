/**
 * What `JSON.stringify` makes of an object, and a line feed, piece by piece.
 *
 * @param fields Lists may be iterables that are read as they are written.
 */
export function* jsonObject(fields: object): Generator<string> {
  let separator = "{";
  for (const [name, value] of Object.entries(fields)) {
    yield `${separator}${JSON.stringify(name)}:`;
    separator = ",";
    if (isIterable(value)) yield* list(value);
    else yield JSON.stringify(value);
  }
  yield "}\n";
}

/** The same of a list. */
export function* jsonList(values: Iterable<unknown>): Generator<string> {
  yield* list(values);
  yield "\n";
}

function* list(values: Iterable<unknown>): Generator<string> {
  let separator = "[";
  for (const value of values) {
    yield separator + JSON.stringify(value);
    separator = ",";
  }
  yield separator === "[" ? "[]" : "]";
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}
