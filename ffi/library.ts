import { UserError } from "../src/user_error.ts";

/**
 * Names the libpcap to load, by absolute path, ahead of {@linkcode LIBPCAP_PATHS}.
 */
export const LIBPCAP_VARIABLE = "FLOSENSOR_LIBPCAP";

/*
 * Deno compares the path that is asked for with those of --allow-ffi letter by letter: a symbolic
 * link stands for itself and not for what it points at, and a path that does not exist is harmless
 * there. So each library is looked for by these paths alone, and a permission lists the same ones.
 */

/** Where Debian, Fedora and Arch, and what derives from them, keep libpcap; x86-64 and arm64. */
export const LIBPCAP_PATHS: readonly string[] = [
  "/usr/lib/x86_64-linux-gnu/libpcap.so.0.8",
  "/usr/lib/aarch64-linux-gnu/libpcap.so.0.8",
  "/usr/lib64/libpcap.so.1",
  "/usr/lib/libpcap.so.1",
];

/** Where the same systems keep the C library. */
export const LIBC_PATHS: readonly string[] = [
  "/usr/lib/x86_64-linux-gnu/libc.so.6",
  "/usr/lib/aarch64-linux-gnu/libc.so.6",
  "/usr/lib64/libc.so.6",
  "/usr/lib/libc.so.6",
  // Debian and Ubuntu installed long ago, where /lib is not yet a link to /usr/lib.
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
];

/** Every path that a permission has to list: `--allow-ffi=` and these, with commas. */
export const FFI_PATHS: readonly string[] = [...LIBPCAP_PATHS, ...LIBC_PATHS];

/** No library of a kind is there, or none that is there may be loaded. */
export class LibraryAbsence extends UserError {
  override name = "LibraryAbsence";
}

/** A library that is open. */
export interface Library<Symbols extends Deno.ForeignLibraryInterface> {
  readonly path: string;
  readonly symbols: Deno.DynamicLibrary<Symbols>["symbols"];
}

/**
 * Opens the first of `paths` that is there and allowed. The library stays open until the process
 * ends.
 *
 * @param name What the library is called in messages.
 * @param advice What to do when it is not there.
 * @throws {LibraryAbsence} when there is none, or none is allowed.
 * @throws {UserError} when one can't be loaded, or lacks a function.
 */
export function openLibrary<const Symbols extends Deno.ForeignLibraryInterface>(
  name: string,
  paths: readonly string[],
  symbols: Symbols,
  advice: string,
): Library<Symbols> {
  const allowed = paths.filter((path) =>
    // Asked beforehand, so that a terminal is not asked about each path in turn.
    Deno.permissions.querySync({ name: "ffi", path }).state === "granted"
  );
  if (allowed.length === 0) {
    throw new LibraryAbsence(
      `${name}: no permission to load it: run with --allow-ffi=${
        [...new Set([...paths, ...FFI_PATHS])].join(",")
      }`,
    );
  }
  let reason: string | null = null;
  for (const path of allowed) {
    try {
      return { path, symbols: Deno.dlopen(path, symbols).symbols };
    } catch (error) {
      if (!isAbsence(error)) reason ??= `${path}: ${messageOf(error)}`;
    }
  }
  if (reason !== null) throw new UserError(`${name} can't be loaded: ${reason}: ${advice}`);
  throw new LibraryAbsence(`${name} not found at ${allowed.join(", ")}: ${advice}`);
}

/** Whether the C library is of a kind that we know, and may be used. */
export function mayUseLibc(): boolean {
  return Deno.build.os === "linux" &&
    LIBC_PATHS.some((path) =>
      Deno.permissions.querySync({ name: "ffi", path }).state === "granted"
    );
}

/** Whether the dynamic linker said that there is no such file, dlopen(3). */
function isAbsence(error: unknown): boolean {
  return messageOf(error).includes("No such file or directory");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
}
