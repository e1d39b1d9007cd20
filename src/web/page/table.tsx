import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** What rows are sorted by; without it they can't be. */
  readonly key?: (row: Row) => string | number | null;
  readonly isNumber?: boolean;
  /** Has room for a name. */
  readonly isWide?: boolean;
  /** Left out on a phone. */
  readonly isMinor?: boolean;
}

/** A table of what is not too much to show at once, sorted by a click on a heading. */
export function Table<Row>(
  { caption, columns, rows, keyOf }: {
    readonly caption: string;
    readonly columns: readonly Column<Row>[];
    readonly rows: readonly Row[];
    readonly keyOf: (row: Row) => string;
  },
) {
  const [sort, setSort] = useState<{ at: number; isDescending: boolean } | null>(null);
  const sorted = useMemo(() => {
    const key = sort === null ? undefined : columns[sort.at].key;
    if (sort === null || key === undefined) return rows;
    const sign = sort.isDescending ? -1 : 1;
    return [...rows].sort((one, other) => sign * compare(key(one), key(other)));
  }, [rows, sort]);
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={caption}>
      <table class="plain">
        <thead>
          <tr>
            {columns.map(({ title, key, isNumber, isWide, isMinor }, at) => (
              <th
                key={title}
                scope="col"
                class={`${classOf(isNumber, isMinor)} ${isWide ? "wide" : ""}`.trim()}
                aria-sort={sort?.at !== at
                  ? undefined
                  : sort.isDescending
                  ? "descending"
                  : "ascending"}
              >
                {key === undefined ? title : (
                  <button
                    type="button"
                    class="sort"
                    onClick={() =>
                      setSort({
                        at,
                        isDescending: sort?.at === at ? !sort.isDescending : isNumber === true,
                      })}
                  >
                    {title}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, cell, isNumber, isMinor }) => (
                <td key={title} class={classOf(isNumber, isMinor)}>{cell(row)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function classOf(isNumber = false, isMinor = false): string {
  return `${isNumber ? "number" : ""} ${isMinor ? "minor" : ""}`.trim();
}

function compare(one: string | number | null, other: string | number | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return typeof one === "number" && typeof other === "number"
    ? one - other
    : String(one).localeCompare(String(other), "en", { numeric: true });
}
