import { existsSync } from "node:fs";
import { libc } from "../ffi/libc.ts";
import { libpcap } from "../ffi/libpcap.ts";
import { LIBPCAP_PATHS } from "../ffi/library.ts";

/** Whether libpcap is where it is looked for. Tests that need it are skipped if not. */
export const HAS_LIBPCAP = LIBPCAP_PATHS.some((path) => existsSync(path));

/** What to add to the name of a test that is skipped without libpcap. */
export const WITHOUT_LIBPCAP = HAS_LIBPCAP ? "" : " (skipped: libpcap is not installed)";

// Opened here once for all tests of a file: they stay open until the process ends, which Deno 2.6
// takes for a leak of the test that happens to be the first to use them.
if (HAS_LIBPCAP) {
  libpcap();
  libc();
}

/** Whether tcpdump can be run, and libpcap with it. */
export const HAS_TCPDUMP = HAS_LIBPCAP && isProgram("tcpdump", "--version");

/** What to add to the name of a test that is skipped without tcpdump. */
export const WITHOUT_TCPDUMP = HAS_TCPDUMP ? "" : " (skipped: tcpdump is not installed)";

/** Whether a program is there and takes these arguments. */
export function isProgram(program: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
