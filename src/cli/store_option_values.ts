import { InvalidArgumentError } from "commander";
import { BYTE_SIZE_FORM, parseByteSize } from "../model/byte_size.ts";
import { DURATION_FORM, parseDuration } from "../model/duration.ts";

/**
 * Reads an option whose value is a length of time.
 *
 * @returns Milliseconds.
 * @throws {InvalidArgumentError} when it is none.
 */
export function durationValue(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== null) return milliseconds;
  throw new InvalidArgumentError(`It is ${DURATION_FORM}.`);
}

/**
 * Reads an option whose value is a size.
 *
 * @returns Bytes.
 * @throws {InvalidArgumentError} when it is none, or too small.
 */
export function byteSizeValue(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== null) return bytes;
  throw new InvalidArgumentError(`It is ${BYTE_SIZE_FORM}.`);
}

/**
 * Reads an option whose value is a store's file.
 *
 * @throws {InvalidArgumentError} when it is empty.
 */
export function storeFile(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("It is the path of a file.");
}
