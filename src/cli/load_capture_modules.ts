import { loadModules } from "../workers/load_modules.ts";

/** The same as `loadModules()`, with what only the main thread of a capture needs. */
export async function loadCaptureModules(): Promise<void> {
  await Promise.all([
    loadModules(),
    import("../store/sqlite_store.ts"),
    import("../screen/live_table.ts"),
    import("../web/page_thread.ts"),
    import("./explain_flow.ts"),
    import("./capture_metrics.ts"),
    import("../clickhouse/clickhouse_sink.ts"),
    import("../clickhouse/spool.ts"),
    import("../export/ipfix/ipfix_sink.ts"),
    import("../export/export_formats.ts"),
    import("../export/format_sink.ts"),
    import("../store/local_addresses.ts"),
    import("../names/devices/vendor_data.ts"),
  ]);
}
