/** A value of a Zeek log; `null` for one that is unset. */
export type ZeekValue = string | number | boolean | readonly string[] | null;

/** A field of a Zeek log. */
export interface ZeekField<Row, Context> {
  readonly name: string;
  /** Zeek's name of the type, as the header has it. */
  readonly type: string;
  value(row: Row, context: Context): ZeekValue;
}
