import { mayUseLibc } from "./library.ts";
import { libc } from "./libc.ts";
import { allocate } from "./memory.ts";

/** The number of the user that may do everything. */
export const ROOT = 0;

/**
 * The number of the user whose rights the process has now, geteuid(2), or `null` where neither the C
 * library nor Deno may be asked. Code that is run then can do no more than Deno lets it.
 */
export function effectiveUser(): number | null {
  if (Deno.permissions.querySync({ name: "sys", kind: "uid" }).state === "granted") {
    return Deno.uid();
  }
  if (!mayUseLibc()) return null;
  const ids = [allocate(4), allocate(4), allocate(4)] as const;
  return libc().getresuid(...ids) === 0 ? new DataView(ids[1].buffer).getUint32(0, true) : null;
}
