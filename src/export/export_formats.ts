import { Ecs } from "./ecs.ts";
import { Eve } from "./eve.ts";
import type { ExportContext } from "./export_context.ts";
import type { ExportFormatName } from "./export_format_names.ts";
import type { RecordFormat } from "./record_format.ts";
import { ZeekJson } from "./zeek_json.ts";
import { ZeekTsv } from "./zeek_tsv.ts";

/** The formats of other programs, by their names. */
export const EXPORT_FORMATS: Readonly<
  Record<ExportFormatName, (context: ExportContext) => RecordFormat>
> = {
  "zeek": (context) => new ZeekTsv(context),
  "zeek-json": (context) => new ZeekJson(context),
  "eve": (context) => new Eve(context),
  "ecs": (context) => new Ecs(context),
};
