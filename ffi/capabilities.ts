import { lastErrno } from "./errno.ts";
import { libc } from "./libc.ts";
import { allocate } from "./memory.ts";

/** Of capabilities(7), those that have a use here, by their numbers in linux/capability.h. */
export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_NET_BIND_SERVICE = 10;
export const CAP_NET_ADMIN = 12;
export const CAP_NET_RAW = 13;

/** `_LINUX_CAPABILITY_VERSION_3` of capget(2), whose sets are two blocks of three words. */
const VERSION = 0x20080522;
const WORDS = { effective: 0, permitted: 1, inheritable: 2, count: 3 };
/** The kernel has no more, and says of those that it has not that they are none. */
const MOST_CAPABILITIES = 64n;
/** Of prctl(2), linux/prctl.h. */
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_GET_SECUREBITS = 27;
const SECBIT_NOROOT = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4n;

/** Capabilities as bits, by their numbers. */
export function capabilitySet(...capabilities: readonly number[]): bigint {
  return capabilities.reduce((set, capability) => set | 1n << BigInt(capability), 0n);
}

/** Capabilities of this thread as bits: one has no more than these. */
export interface CapabilitySets {
  effective: bigint;
  permitted: bigint;
  inheritable: bigint;
}

/** Those of this thread, capget(2). */
export function capabilities(): CapabilitySets {
  const data = allocate(2 * WORDS.count * 4);
  if (libc().capget(header(), data) !== 0) throw failed("capget");
  const words = new DataView(data.buffer);
  const set = (word: number) =>
    BigInt(words.getUint32(word * 4, true)) |
    BigInt(words.getUint32((WORDS.count + word) * 4, true)) << 32n;
  return {
    effective: set(WORDS.effective),
    permitted: set(WORDS.permitted),
    inheritable: set(WORDS.inheritable),
  };
}

/** Sets those of this thread, and of threads that it will start, capset(2). */
export function setCapabilities(sets: CapabilitySets): void {
  const data = allocate(2 * WORDS.count * 4);
  const words = new DataView(data.buffer);
  const put = (word: number, set: bigint) => {
    words.setUint32(word * 4, Number(set & 0xffff_ffffn), true);
    words.setUint32((WORDS.count + word) * 4, Number(set >> 32n), true);
  };
  put(WORDS.effective, sets.effective);
  put(WORDS.permitted, sets.permitted);
  put(WORDS.inheritable, sets.inheritable);
  if (libc().capset(header(), data) !== 0) throw failed("capset");
}

/** The set that bounds what this thread, and what it starts, can ever have, PR_CAPBSET_READ. */
export function boundingSet(): bigint {
  let set = 0n;
  for (let capability = 0n; capability < MOST_CAPABILITIES; capability++) {
    if (prctl(PR_CAPBSET_READ, capability) === 1) set |= 1n << capability;
  }
  return set;
}

/** Takes all out of that set that may be taken out, which needs CAP_SETPCAP. */
export function emptyBoundingSet(): void {
  for (let capability = 0n; capability < MOST_CAPABILITIES; capability++) {
    if (prctl(PR_CAPBSET_READ, capability) === 1) prctl(PR_CAPBSET_DROP, capability);
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
}

/** Whether root has capabilities because it is root, as it has unless somebody took care, capabilities(7). */
export function isRootPrivileged(): boolean {
  return (prctl(PR_GET_SECUREBITS) & SECBIT_NOROOT) === 0;
}

/** Whether nothing that this thread starts gets more privileges than it has. */
export function hasNoNewPrivileges(): boolean {
  return prctl(PR_GET_NO_NEW_PRIVS) === 1;
}

/** Has it so from now on, PR_SET_NO_NEW_PRIVS. */
export function setNoNewPrivileges(): void {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1n) !== 0) throw failed("prctl");
}

function prctl(option: number, argument = 0n): number {
  return libc().prctl(option, argument, 0n, 0n, 0n);
}

function header(): Uint8Array<ArrayBuffer> {
  const bytes = allocate(2 * 4);
  new DataView(bytes.buffer).setUint32(0, VERSION, true);
  return bytes;
}

function failed(call: string): Error {
  return new Error(`${call}(2) failed (errno ${lastErrno()})`);
}
