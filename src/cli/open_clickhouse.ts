import type { ClickHouseSink, ClickHouseSinkOptions } from "../clickhouse/clickhouse_sink.ts";
import type { Spool } from "../clickhouse/spool.ts";
import type { Log } from "../log.ts";
import { warnOfVisible } from "../visible_secret.ts";
import { CLICKHOUSE_OPTION, type ClickHousePlace } from "./clickhouse_place.ts";

/** Where it is in the unit's StateDirectory. */
const DEFAULT_SPOOL = "/var/lib/flosensor/clickhouse";

/**
 * Opens a ClickHouse to insert into. What a capture can't insert waits in a spool; a replay waits itself.
 *
 * @throws {UserError} when it can't be used, or the spool that the user named can't.
 */
export async function openClickHouse(
  place: ClickHousePlace,
  options: ClickHouseSinkOptions,
  log: Log,
): Promise<ClickHouseSink> {
  const { ClickHouseSink } = await import("../clickhouse/clickhouse_sink.ts");
  if (place.address.password !== undefined && place.place === CLICKHOUSE_OPTION) {
    warnOfVisible(place.place, "its password", "--clickhouse-password-file", log);
  }
  const spool = options.run.mode === "capture" ? await openSpool(place, log) : null;
  return await ClickHouseSink.open(place.address, { ...options, spool }, log);
}

async function openSpool({ spool, spoolSize }: ClickHousePlace, log: Log): Promise<Spool | null> {
  const { Spool } = await import("../clickhouse/spool.ts");
  if (spool !== null) return new Spool(spool.folder, spoolSize, spool.place);
  try {
    return new Spool(DEFAULT_SPOOL, spoolSize, "the spool");
  } catch (error) {
    log.info(
      `what ClickHouse does not take will wait in memory alone (${(error as Error).message})`,
    );
    return null;
  }
}
