import type { ColumnKind } from "./exported_tables.ts";
import type { Value } from "./exported_rows.ts";

/** A value as text formats have it: times in ISO 8601, in UTC, booleans as `true` and `false`. */
export function plainValue(value: Value, kind: ColumnKind): string | number | boolean | null {
  if (value === null) return null;
  if (kind === "boolean") return value !== 0;
  if (kind === "time") return value === 0 ? null : new Date(value as number).toISOString();
  return value;
}
