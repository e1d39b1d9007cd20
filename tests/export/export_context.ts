import type { ExportContext } from "../../src/export/export_context.ts";

/** What tests of formats say beside what records have. */
export const EXPORT_CONTEXT: ExportContext = {
  isLocal: (address) => address.startsWith("192.168.1.") || address.startsWith("2001:db8:1:"),
  sensor: "sensor-1",
};
