import { libc } from "./libc.ts";
import { copyAt, textAt } from "./memory.ts";

/** Numbers of errno(3), as Linux has them on x86-64 and arm64. */
export const EPERM = 1;
export const EACCES = 13;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENETDOWN = 100;

/** Why the last call into the C library failed: `errno` of this thread. To be asked right after it. */
export function lastErrno(): number {
  const location = libc().errno_location();
  return new DataView(copyAt(location, 4).buffer).getInt32(0, true);
}

/** What the C library says of an error number, strerror(3). */
export function errorText(errno: number): string {
  return textAt(libc().strerror(errno));
}
