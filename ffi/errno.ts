import { libc } from "./libc.ts";
import { copyAt, textAt } from "./memory.ts";

/** Numbers of errno(3), as Linux has them on x86-64 and arm64. */
export const EPERM = 1;
export const EACCES = 13;
export const ENODEV = 19;
export const EINVAL = 22;
export const EMFILE = 24;
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

/** Why a call failed that gives a descriptor, and what to do where there are too many. */
export function openingErrorText(errno: number): string {
  return withFilesAdvice(errorText(errno));
}

/** Adds what to do, where an error's text ends with the C library's words for too many open files. */
export function withFilesAdvice(text: string): string {
  const isTooMany = text.endsWith(errorText(EMFILE));
  return isTooMany ? `${text}: permit more (ulimit -n; LimitNOFILE= of systemd)` : text;
}
