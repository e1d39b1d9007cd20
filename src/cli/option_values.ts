import { InvalidArgumentError } from "commander";

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
  if (number > 0) return number;
  throw new InvalidArgumentError("It is a number of seconds, more than 0.");
}
