import { UserError } from "../src/user_error.ts";
import { libc } from "./libc.ts";
import type { Library } from "./library.ts";
import { cString } from "./memory.ts";

/** Resolve all symbols now, dlopen(3); from `<bits/dlfcn.h>`. */
const RTLD_NOW = 2;

/**
 * The address of a function of a library that is open, to be handed to C as a callback.
 *
 * @throws {UserError} when the library has no function of this name.
 */
export function functionAddress(
  library: Library<Deno.ForeignLibraryInterface>,
  name: string,
): Deno.PointerObject {
  const { dlopen, dlsym, libc_dlopen, libc_dlsym } = libc();
  // Opening it again only counts one user more: it is the same copy in memory.
  const handle = (dlopen ?? libc_dlopen)?.(cString(library.path), RTLD_NOW) ?? null;
  const address = handle && (dlsym ?? libc_dlsym)?.(handle, cString(name));
  if (!address) throw new UserError(`${library.path} has no function ${name}`);
  return address;
}
