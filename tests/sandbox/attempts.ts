import { LIBC_PATHS } from "../../ffi/library.ts";

/** What begins the line of outcomes, on standard error. */
export const OUTCOMES = "outcomes: ";

/**
 * Text of a configuration that tries what a sensor has no use for, by the C library, whenever it is
 * loaded, and prints for each attempt 0 or `errno`. None of them does anything where it is not refused,
 * but for the last, which make and leave an empty file.
 *
 * @param file Path of a file that can be made.
 */
export function attemptingConfig(file: string): string {
  return `import { defineConfig } from "flosensor/config";
const text = (it: string) => new TextEncoder().encode(it + "\\0");
const paths = ${JSON.stringify(LIBC_PATHS)};
const path = paths.find((it) => {
  try {
    Deno.statSync(it);
    return true;
  } catch {
    return false;
  }
})!;
const i32 = "i32";
const { symbols: c } = Deno.dlopen(path, {
  __errno_location: { parameters: [], result: "usize" },
  memcpy: { parameters: ["buffer", "usize", "usize"], result: "void" },
  posix_spawn: { parameters: ["buffer", "buffer", "usize", "usize", "buffer", "buffer"], result: i32 },
  spawn_elsewhere: {
    name: "posix_spawn",
    parameters: ["buffer", "buffer", "usize", "usize", "buffer", "buffer"],
    result: i32,
    nonblocking: true,
  },
  execv: { parameters: ["buffer", "usize"], result: i32 },
  ptrace: { parameters: ["usize", i32, "usize", "usize"], result: "isize" },
  mount: { parameters: ["buffer", "buffer", "buffer", "usize", "usize"], result: i32 },
  setns: { parameters: [i32, i32], result: i32 },
  unshare: { parameters: [i32], result: i32 },
  kill: { parameters: [i32, i32], result: i32 },
  setresuid: { parameters: ["u32", "u32", "u32"], result: i32 },
  capset: { parameters: ["usize", "usize"], result: i32 },
  ioctl: { parameters: [i32, "usize", "buffer"], result: i32 },
  socket: { parameters: [i32, i32, i32], result: i32 },
  open: { parameters: ["buffer", i32, i32], result: i32 },
  close: { parameters: [i32], result: i32 },
  unlink: { parameters: ["buffer"], result: i32 },
  chmod: { parameters: ["buffer", i32], result: i32 },
  rename: { parameters: ["buffer", "buffer"], result: i32 },
});
const errno = () => {
  const bytes = new Uint8Array(4);
  c.memcpy(bytes, c.__errno_location(), 4n);
  return new DataView(bytes.buffer).getInt32(0, true);
};
/** As it is: \`struct ifreq\` of netdevice(7), and its numbers for ioctl(2). */
const setMtu = () => {
  const request = new Uint8Array(40);
  request.set(text("lo"));
  const socket = c.socket(2, 2, 0);
  c.ioctl(socket, 0x8921n, request);
  const result = outcome(c.ioctl(socket, 0x8922n, request));
  c.close(socket);
  return result;
};
const outcome = (result: number | bigint) => (result < 0 ? errno() : 0);
const descriptor = (result: number) => {
  if (result < 0) return errno();
  c.close(result);
  return 0;
};
const none = new BigUint64Array(1);
const spawn = [new Uint8Array(4), text("/bin/true"), 0n, 0n, none, none] as const;
const nowhere = text("/nonexistent/file");
const outcomes = {
  "run a program": c.posix_spawn(...spawn),
  "run a program in another thread": await c.spawn_elsewhere(...spawn),
  "become a program": outcome(c.execv(nowhere, 0n)),
  "look into a process": outcome(c.ptrace(2n, 0x7fffffff, 0n, 0n)),
  "mount": outcome(c.mount(nowhere, nowhere, nowhere, 0n, 0n)),
  "enter a namespace": outcome(c.setns(-1, 0)),
  "make a namespace": outcome(c.unshare(0)),
  "signal another process": outcome(c.kill(1, 0)),
  "signal itself": outcome(c.kill(Deno.pid, 0)),
  "become another user": outcome(c.setresuid(0xffffffff, 0xffffffff, 0xffffffff)),
  "set capabilities": outcome(c.capset(0n, 0n)),
  "type on the terminal": outcome(c.ioctl(0, 0x5412n, text("x"))),
  "set up an interface": setMtu(),
  "send packets as they are": descriptor(c.socket(2, 3, 1)),
  "capture": descriptor(c.socket(17, 3, 0)),
  "talk to audit": descriptor(c.socket(16, 3, 9)),
  "ask for addresses": descriptor(c.socket(16, 3, 0)),
  "open a connection": descriptor(c.socket(2, 1, 0)),
  "read a file": descriptor(c.open(text("/etc/hostname"), 0, 0)),
  "remove a file": outcome(c.unlink(nowhere)),
  "change a file's mode": outcome(c.chmod(nowhere, 0)),
  "rename a file": outcome(c.rename(nowhere, nowhere)),
  "make a file": descriptor(c.open(text(${JSON.stringify(file)}), 0o101, 0o600)),
  "make a folder's file through Deno": await Deno.writeTextFile(${JSON.stringify(file)}, "")
    .then(() => 0, (error) => error.name),
};
Deno.stderr.writeSync(text("${OUTCOMES}" + JSON.stringify(outcomes) + "\\n").slice(0, -1));
export default defineConfig({});
`;
}
