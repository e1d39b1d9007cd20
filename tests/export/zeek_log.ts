/** A line of a Zeek log as a reader has it: values by the names of fields, unset ones left out. */
export type ZeekRow = Readonly<Record<string, unknown>>;

/** A log that was read. */
export interface ZeekLog {
  readonly path: string;
  readonly types: ReadonlyMap<string, string>;
  readonly rows: ZeekRow[];
}

/**
 * Reads a stream of Zeek logs by what their headers say, as zeek-cut does: separators, what stands for
 * unset and empty, fields and types.
 */
export function readZeekLogs(text: string): ZeekLog[] {
  const logs: ZeekLog[] = [];
  let separator = "";
  let header = new Map<string, string[]>();
  for (const line of text.trimEnd().split("\n")) {
    if (line.startsWith("#separator ")) {
      separator = unescaped(line.slice("#separator ".length));
      header = new Map();
    } else if (line.startsWith("#")) {
      const [name, ...values] = line.slice(1).split(separator);
      header.set(name, values);
      if (name !== "types") continue;
      const types = new Map(header.get("fields")!.map((field, i) => [field, values[i]]));
      logs.push({ path: header.get("path")![0], types, rows: [] });
    } else {
      logs.at(-1)!.rows.push(readRow(line.split(separator), logs.at(-1)!.types, header));
    }
  }
  return logs;
}

function readRow(
  values: readonly string[],
  types: ReadonlyMap<string, string>,
  header: ReadonlyMap<string, readonly string[]>,
): ZeekRow {
  if (values.length !== types.size) {
    throw new Error(`${values.length} values, ${types.size} fields`);
  }
  const row: Record<string, unknown> = {};
  [...types].forEach(([field, type], i) => {
    if (values[i] === header.get("unset_field")![0]) return;
    const isEmpty = values[i] === header.get("empty_field")![0];
    const [, element] = /^(?:set|vector)\[(.*)\]$/.exec(type) ?? [];
    if (element === undefined) {
      row[field] = isEmpty ? "" : readValue(values[i], type);
    } else {
      const parts = isEmpty ? [] : values[i].split(header.get("set_separator")![0]);
      row[field] = parts.map((part) => readValue(part, element));
    }
  });
  return row;
}

function readValue(text: string, type: string): unknown {
  if (type === "bool") return text === "T";
  if (["time", "interval", "count", "int", "port"].includes(type)) return Number(text);
  return unescaped(text);
}

function unescaped(text: string): string {
  return text.replace(/\\x([\da-f]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}
