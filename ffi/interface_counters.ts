import { libc } from "./libc.ts";
import { allocate, cString, textIn } from "./memory.ts";

const O_CLOEXEC = 0o2000000;
/** A number of 64 bits in decimals, and a line feed. */
const LONGEST_NUMBER = 32;

/**
 * The sum of counters of an interface since it is there, Documentation/ABI/testing/
 * sysfs-class-net-statistics of Linux. Read with the C library, for which a capture has the permission.
 *
 * @returns `null` where there are no such counters, as for all interfaces together, and while no file
 * can be opened.
 */
export function interfaceCounters(name: string, counters: readonly string[]): number | null {
  let sum = 0;
  for (const counter of counters) {
    const number = readNumber(`/sys/class/net/${name}/statistics/${counter}`);
    if (number === null) return null;
    sum += number;
  }
  return sum;
}

function readNumber(path: string): number | null {
  const { open, read, close } = libc();
  const fd = open(cString(path), O_CLOEXEC, 0);
  if (fd < 0) return null;
  const text = allocate(LONGEST_NUMBER);
  const length = read(fd, text, BigInt(text.length - 1));
  close(fd);
  return length > 0n ? Number(textIn(text)) || 0 : 0;
}
