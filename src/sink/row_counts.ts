/** How many rows there are of something, by what they were made of. */
export interface RowCounts {
  /** Conversations. */
  readonly records: number;
  readonly observations: number;
  /** Writes of keys with names. */
  readonly names: number;
}

/** How many rows there are in all. */
export function rowCount({ records, observations, names }: RowCounts): number {
  return records + observations + names;
}
