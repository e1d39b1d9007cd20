/** Names of the formats of other programs, as `--format` takes them. */
export const EXPORT_FORMAT_NAMES = ["zeek", "zeek-json", "eve", "ecs"] as const;

/** One of {@linkcode EXPORT_FORMAT_NAMES}. */
export type ExportFormatName = typeof EXPORT_FORMAT_NAMES[number];
