/** What a column holds. Times are milliseconds since 1970-01-01 UTC, 0 for unknown. */
export type ColumnKind = "text" | "integer" | "boolean" | "time";

/** A table or view of a store, as it is exported. */
export interface ExportedTable {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, kind: ColumnKind])[];
  /** An expression, in milliseconds, that says until when a row was seen. */
  readonly seen: string;
}

const SERVICE = [["server", "text"], ["port", "integer"], ["protocol", "text"]] as const;
const TIMES = [["first", "time"], ["last", "time"]] as const;
const COUNTS = [
  ["observations", "integer"],
  ["conversations", "integer"],
  ["unexplained", "integer"],
] as const;
const FIGURES = [
  ["packets_client", "integer"],
  ["packets_server", "integer"],
  ["bytes_client", "integer"],
  ["bytes_server", "integer"],
] as const;
const NAME = [["name", "text"], ["name_origin", "text"]] as const;

/** All that can be exported; see `docs/store.md`. */
export const EXPORTED_TABLES: readonly ExportedTable[] = [
  {
    name: "conversation",
    columns: [
      ...[["run", "integer"], ["conversation", "integer"]] as const,
      ...TIMES,
      ["is_over", "boolean"],
      ["client", "text"],
      ["client_port", "integer"],
      ...SERVICE,
      ...[["by", "text"], ["state", "text"]] as const,
      ...FIGURES,
      ...[["flags_client", "integer"], ["flags_server", "integer"]] as const,
      ...NAME,
      ...[["other_names", "text"], ["interface", "text"], ["vlan", "integer"]] as const,
      ...[["tunnel", "text"], ["explained", "boolean"], ["why", "text"]] as const,
    ],
    seen: "last",
  },
  {
    name: "service_use",
    columns: [
      ["client", "text"],
      ...SERVICE,
      ["is_local", "boolean"],
      ["by", "text"],
      ...NAME,
      ["encrypted_dns", "text"],
      ...TIMES,
      ...COUNTS,
      ["answered", "integer"],
      ...FIGURES,
    ],
    seen: "last",
  },
  {
    name: "name",
    columns: [
      ...[["client", "text"], ["name", "text"], ["address", "text"], ["origin", "text"]] as const,
      ...TIMES,
      ["count", "integer"],
    ],
    seen: "last",
  },
  {
    name: "alias",
    columns: [
      ...[["client", "text"], ["name", "text"], ["target", "text"]] as const,
      ...TIMES,
      ["count", "integer"],
    ],
    seen: "last",
  },
  {
    name: "device",
    columns: [
      ...[["address", "text"], ["hardware_address", "text"], ["vendor", "text"]] as const,
      ...[["name", "text"], ["origin", "text"]] as const,
      ...TIMES,
    ],
    seen: "last",
  },
  {
    name: "refusal",
    columns: [
      ...[["kind", "text"], ["prober", "text"], ["target", "text"], ["port", "integer"]] as const,
      ["reason", "text"],
      ...TIMES,
      ["count", "integer"],
    ],
    seen: "last",
  },
  {
    name: "volume",
    columns: [
      ...[["step", "integer"], ["time", "time"], ["direction", "text"]] as const,
      ...COUNTS,
      ...FIGURES,
    ],
    seen: "time + step * 1000 - 1",
  },
];
