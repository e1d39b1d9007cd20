import { mayUseLibc } from "./library.ts";
import { libc } from "./libc.ts";

/**
 * Does something while files and sockets are made with no more permissions than these, umask(2). It is
 * the whole process's, so that nothing else may happen meanwhile: `action` can't wait.
 *
 * @param mode The permissions.
 * @returns What `action` does, or `null`, without doing it, where neither the C library nor Deno may be
 * asked.
 */
export function withMode<Result>(mode: number, action: () => Result): Result | null {
  const umask = permittedUmask();
  if (umask === null) return null;
  const before = umask(~mode & 0o777);
  try {
    return action();
  } finally {
    umask(before);
  }
}

function permittedUmask(): ((mask: number) => number) | null {
  if (isUmaskPermitted()) return (mask) => Deno.umask(mask);
  if (!mayUseLibc()) return null;
  return (mask) => libc().umask(mask);
}

function isUmaskPermitted(): boolean {
  try {
    return Deno.permissions.querySync({ name: "sys", kind: "umask" as "uid" }).state === "granted";
  } catch {
    // Up to Deno 2.8 there is no such permission, and none is needed.
    return true;
  }
}
