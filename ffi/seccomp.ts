import type { BpfInstruction } from "./bpf_instruction.ts";
import { writeInstructions } from "./bpf_instructions.ts";
import { setNoNewPrivileges } from "./capabilities.ts";
import { EINVAL, errorText, lastErrno } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf, allocate } from "./memory.ts";

/** The number of seccomp(2), `<asm/unistd.h>`. */
const SECCOMP = { x86_64: 317n, aarch64: 277n };
/** Of seccomp(2), `<linux/seccomp.h>`. */
const SECCOMP_SET_MODE_FILTER = 1n;
const SECCOMP_FILTER_FLAG_TSYNC = 1n << 0n;
const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1n << 2n;
/** `struct sock_fprog` of `<linux/filter.h>`: how many instructions, and where they are. */
const PROGRAM = { length: 0, instructions: 8, size: 16 };

/**
 * Has the kernel ask a program about each system call, from now on and for good: in all threads, of this
 * process and of what it starts, seccomp(2). None of them can get more privileges after that, as
 * `no_new_privs` of prctl(2) says, which the kernel sets in all of them too.
 *
 * @param program It reads `struct seccomp_data`, and returns what the kernel does.
 * @returns Why that can't be had, or `null`.
 */
export function filterSystemCalls(program: readonly BpfInstruction[]): string | null {
  const instructions = writeInstructions(program);
  const structure = allocate(PROGRAM.size);
  const words = new DataView(structure.buffer);
  words.setUint16(PROGRAM.length, program.length, true);
  words.setBigUint64(PROGRAM.instructions, addressOf(instructions), true);
  setNoNewPrivileges();
  // Else old kernels make the whole process slower, against attacks on other processes' secrets.
  const errno = set(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, structure);
  if (errno === 0) return null;
  // Linux before 4.17 does not know the flag.
  const second = errno === EINVAL ? set(SECCOMP_FILTER_FLAG_TSYNC, structure) : errno;
  if (second === 0) return null;
  return second === null ? "a thread has a filter of its own" : errorText(second);
}

/** @returns `errno`, 0 when it is done, `null` when a thread of the process could not be had. */
function set(flags: bigint, structure: Uint8Array<ArrayBuffer>): number | null {
  const result = libc().seccomp(
    SECCOMP[Deno.build.arch],
    SECCOMP_SET_MODE_FILTER,
    flags,
    structure,
  );
  if (result > 0n) return null;
  return result === 0n ? 0 : lastErrno();
}
