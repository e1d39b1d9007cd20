import { InvalidArgumentError, Option } from "commander";
import { parseClickHouseUrl } from "../clickhouse/clickhouse_address.ts";
import {
  IPFIX_ADDRESS_FORM,
  type IpfixAddress,
  parseIpfixAddress,
} from "../model/ipfix_address.ts";
import type { HttpAddress } from "../model/http_address.ts";
import { METRICS_ADDRESS_FORM, parseMetricsAddress } from "../model/metrics_address.ts";
import { PasswordFile } from "../sink/password_file.ts";
import { parseRedisUrl } from "../sink/redis_url.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";

/** A day. Timers end at 24 days, and would then fire all the time. */
const MOST_SECONDS = 86_400;

/**
 * A reader of an option whose value is a whole number.
 *
 * @throws {InvalidArgumentError} from the reader, when the value is none, or less or more than this.
 */
export function integerIn(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
}

/**
 * Reads an option whose value is a time in seconds.
 *
 * @throws {InvalidArgumentError} when it is not.
 */
export function secondsValue(text: string): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (number > 0 && number <= MOST_SECONDS) return number;
  throw new InvalidArgumentError(`It is a number of seconds, more than 0, up to ${MOST_SECONDS}.`);
}

/**
 * Reads an option whose value is the mode of a file, as chmod(1) takes it in octal.
 *
 * @throws {InvalidArgumentError} when it is not.
 */
export function modeValue(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return parseInt(text, 8);
  throw new InvalidArgumentError('It is three octal digits, such as "660".');
}

/**
 * Reads an option whose value is where metrics are served.
 *
 * @throws {InvalidArgumentError} when it is no such place.
 */
export function ipfixAddress(text: string): IpfixAddress {
  const address = parseIpfixAddress(text);
  if (address !== null) return address;
  throw new InvalidArgumentError(`Write ${IPFIX_ADDRESS_FORM}.`);
}

export function metricsAddress(text: string): HttpAddress {
  const address = parseMetricsAddress(text);
  if (address !== null) return address;
  throw new InvalidArgumentError(`Write ${METRICS_ADDRESS_FORM}.`);
}

/**
 * Reads an option whose value is the name of the configuration's file.
 *
 * @throws {InvalidArgumentError} for a number: that of tcpdump's -c, after so many packets it ends.
 */
export function configFile(text: string): string {
  if (!/^\d+$/.test(text)) return text;
  throw new InvalidArgumentError(
    `It is a file (./${text} if it is called so). Packets are not counted off: timeout(1) ends a capture.`,
  );
}

/**
 * Reads an option whose value is the URL of a Redis.
 *
 * @returns The URL as it is.
 * @throws {UserError} when it is none. It may hold a password, which the message does not.
 */
export function redisUrl(text: string): string {
  try {
    parseRedisUrl(text, "--redis");
    return text;
  } catch (error) {
    throw new UserError((error as Error).message, WRONG_USAGE, { cause: error });
  }
}

/**
 * Reads an option whose value is the file with the password of a Redis.
 *
 * @throws {UserError} when there is no password in it that can be read, and by us alone.
 */
export function redisPasswordFile(text: string): PasswordFile {
  const file = new PasswordFile(text, "--redis-password-file");
  file.read();
  return file;
}

/**
 * Reads an option whose value is the URL of a ClickHouse.
 *
 * @returns The URL as it is.
 * @throws {UserError} when it is none. It may hold a password, which the message does not.
 */
export function clickHouseUrl(text: string): string {
  try {
    parseClickHouseUrl(text, "--clickhouse");
  } catch (error) {
    throw error instanceof UserError ? new UserError(error.message, WRONG_USAGE) : error;
  }
  return text;
}

/** The option of a file with the password of a ClickHouse. */
export function clickHousePasswordFileOption(): Option {
  return new Option(
    "--clickhouse-password-file <file>",
    "its first line is the password: in --clickhouse, all who may list processes see it",
  ).argParser((path: string) => new PasswordFile(path, "--clickhouse-password-file"));
}
