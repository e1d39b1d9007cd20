import type { ValidConfig } from "../config/valid_config.ts";
import type { ClickHouseAddress } from "../clickhouse/clickhouse_address.ts";
import { parseClickHouseUrl } from "../clickhouse/clickhouse_address.ts";
import { PasswordFile } from "../sink/password_file.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";

/** Options of the command line that are about a ClickHouse. */
export interface ClickHouseOptions {
  /** A URL. */
  readonly clickhouse?: string;
  readonly clickhousePasswordFile?: PasswordFile;
  /** The folder of the spool. */
  readonly clickhouseSpool?: string;
  /** Bytes. */
  readonly clickhouseSpoolSize?: number;
}

/** A ClickHouse, and where the user named it. */
export interface ClickHousePlace {
  readonly url: string;
  readonly place: string;
  readonly passwordFile?: PasswordFile;
  readonly address: ClickHouseAddress;
  /** The folder of the spool; `null` where the user named none. */
  readonly spool: { readonly folder: string; readonly place: string } | null;
  /** Bytes that it may have. */
  readonly spoolSize: number;
}

/** The option that names one on the command line. */
export const CLICKHOUSE_OPTION = "--clickhouse";
const DEFAULT_SPOOL_SIZE = 2 ** 30;

/**
 * The ClickHouse that the command line names, else that of the configuration, else none. A password of
 * the configuration is for the ClickHouse of the configuration alone.
 *
 * @throws {UserError} when its URL is wrong.
 */
export function clickHouseOf(
  options: ClickHouseOptions,
  config: ValidConfig,
): ClickHousePlace | null {
  const url = options.clickhouse ?? config.clickhouse;
  const given = options.clickhousePasswordFile;
  if (url === null) {
    if (given === undefined) return null;
    throw new UserError(
      `${given.place}: there is no ClickHouse to log in to: add --clickhouse URL`,
      WRONG_USAGE,
    );
  }
  const isConfigured = options.clickhouse === undefined;
  const place = isConfigured ? config.placeOf(["clickhouse"]) : CLICKHOUSE_OPTION;
  const { clickhousePasswordFile: path, clickhouseSpool } = config;
  const passwordFile = given ??
    (isConfigured && path !== null
      ? new PasswordFile(path, config.placeOf(["clickhousePasswordFile"]))
      : undefined);
  const folder = options.clickhouseSpool ?? clickhouseSpool;
  return {
    url,
    place,
    passwordFile,
    address: parseClickHouseUrl(url, place, passwordFile),
    spool: folder === null ? null : {
      folder,
      place: options.clickhouseSpool === undefined
        ? config.placeOf(["clickhouseSpool"])
        : "--clickhouse-spool",
    },
    spoolSize: options.clickhouseSpoolSize ?? config.clickhouseSpoolSize ?? DEFAULT_SPOOL_SIZE,
  };
}
