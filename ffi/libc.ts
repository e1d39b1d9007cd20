import { LIBC_PATHS, openLibrary } from "./library.ts";

/**
 * The functions of the C library that are used, each described by its page in section 2 or 3 of
 * the manual. `FILE *` is `pointer`; an address that is read from memory is `usize`.
 */
const SYMBOLS = {
  // memcpy returns where it copied to: how the address of our memory is learnt without the
  // permission that Deno's own way asks for.
  address_of: { name: "memcpy", parameters: ["buffer", "buffer", "usize"], result: "usize" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  capget: { parameters: ["buffer", "buffer"], result: "i32" },
  capset: { parameters: ["buffer", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  // For what takes its time.
  close_aside: { name: "close", parameters: ["i32"], result: "i32", nonblocking: true },
  dup: { parameters: ["i32"], result: "i32" },
  // Up to glibc 2.33 these two are in libdl, and here under the names of the next two.
  dlopen: { parameters: ["buffer", "i32"], result: "pointer", optional: true },
  dlsym: { parameters: ["pointer", "buffer"], result: "pointer", optional: true },
  libc_dlopen: {
    name: "__libc_dlopen_mode",
    parameters: ["buffer", "i32"],
    result: "pointer",
    optional: true,
  },
  libc_dlsym: {
    name: "__libc_dlsym",
    parameters: ["pointer", "buffer"],
    result: "pointer",
    optional: true,
  },
  // What a structure gets is the address itself.
  dlsym_address: {
    name: "dlsym",
    parameters: ["pointer", "buffer"],
    result: "usize",
    optional: true,
  },
  errno_location: { name: "__errno_location", parameters: [], result: "usize" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
  execv: { parameters: ["buffer", "buffer"], result: "i32" },
  fdopen: { parameters: ["i32", "buffer"], result: "pointer" },
  fclose: { parameters: ["pointer"], result: "i32" },
  fflush: { parameters: ["pointer"], result: "i32" },
  fmemopen: { parameters: ["buffer", "usize", "buffer"], result: "pointer" },
  freeifaddrs: { parameters: ["usize"], result: "void" },
  fsetlocking: { name: "__fsetlocking", parameters: ["pointer", "i32"], result: "i32" },
  getauxval: { parameters: ["usize"], result: "usize" },
  getifaddrs: { parameters: ["buffer"], result: "i32" },
  getpwnam_r: {
    parameters: ["buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  getresgid: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  getresuid: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  initgroups: { parameters: ["buffer", "u32"], result: "i32" },
  // Variadic in C. On x86-64 and arm64 under Linux one pointer is passed in the same way.
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  malloc_trim: { parameters: ["usize"], result: "i32" },
  memcpy: { parameters: ["buffer", "usize", "usize"], result: "void" },
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "usize" },
  munmap: { parameters: ["usize", "usize"], result: "i32" },
  // Variadic in C, as ioctl is: the third parameter is for a file that is made.
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true },
  // Variadic in C, but the kernel takes five of this size.
  prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
    result: "isize",
  },
  // These two change all threads of the process, unlike the system calls of the same name.
  setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  setvbuf: { parameters: ["pointer", "buffer", "i32", "usize"], result: "i32" },
  // Variadic in C, but the kernel takes six of this size. Other calls have functions of their own.
  seccomp: {
    name: "syscall",
    parameters: ["usize", "usize", "usize", "buffer"],
    result: "isize",
  },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  store: { name: "memcpy", parameters: ["usize", "buffer", "usize"], result: "void" },
  strerror: { parameters: ["i32"], result: "usize" },
  // Up to glibc 2.33 these are in librt.
  timer_create: { parameters: ["i32", "buffer", "buffer"], result: "i32", optional: true },
  timer_delete: { parameters: ["usize"], result: "i32", optional: true },
  timer_settime: {
    parameters: ["usize", "i32", "buffer", "usize"],
    result: "i32",
    optional: true,
  },
  umask: { parameters: ["u32"], result: "u32" },
  strnlen: { parameters: ["usize", "usize"], result: "usize" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions, to be called. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: Libc | undefined;

/**
 * The C library, opened at the first call.
 *
 * @throws {UserError} when it is not found or not allowed.
 */
export function libc(): Libc {
  symbols ??= openLibrary(
    "the C library",
    LIBC_PATHS,
    SYMBOLS,
    "live capture needs Linux with glibc, on x86-64 or arm64",
  ).symbols;
  return symbols;
}
