import { UserError } from "../src/user_error.ts";
import { lastErrno, openingErrorText } from "./errno.ts";
import { libc } from "./libc.ts";
import { allocate, cString } from "./memory.ts";

/**
 * `struct ifreq` of netdevice(7): a name of at most 15 bytes, then a value. That of the flags, and
 * the kind of hardware in front of an address of it, are 16 bits wide.
 */
const IFREQ = { value: 16, size: 40 };
const LONGEST_NAME = 15;
const SIOCGIFFLAGS = 0x8913n;
const SIOCGIFHWADDR = 0x8927n;
const SIOCGIFINDEX = 0x8933n;
const IFF_UP = 1;
const AF_INET = 2;
/** `SOCK_DGRAM | SOCK_CLOEXEC`, socket(2). */
const DATAGRAM_SOCKET = 2 | 0o2000000;

/** What the kernel is asked by; -1 as long as it was not asked. */
let asking = -1;

/** Which interface has a name now, and whether it is up. */
export interface InterfaceState {
  /** The kernel's number; another interface of the same name has another one. 0 if there is none. */
  readonly index: number;
  readonly isUp: boolean;
}

/** Asks the kernel; no privilege is needed, and it costs some microseconds. */
export function interfaceState(name: string): InterfaceState {
  const index = askedOf(name, SIOCGIFINDEX)?.getInt32(IFREQ.value, true) ?? 0;
  return { index, isUp: index !== 0 && isUp(name) };
}

/**
 * The kernel's number for an interface's kind of hardware, an `ARPHRD_` of `<linux/if_arp.h>`;
 * -1 when there is no such interface. No privilege is needed.
 */
export function hardwareType(name: string): number {
  return askedOf(name, SIOCGIFHWADDR)?.getUint16(IFREQ.value, true) ?? -1;
}

function isUp(name: string): boolean {
  const flags = askedOf(name, SIOCGIFFLAGS)?.getUint16(IFREQ.value, true) ?? 0;
  return (flags & IFF_UP) !== 0;
}

/** What netdevice(7) answers to a request; `null` when there is no such interface. */
function askedOf(name: string, request: bigint): DataView<ArrayBuffer> | null {
  const structure = allocate(IFREQ.size);
  structure.set(cString(name).subarray(0, LONGEST_NAME));
  const { socket, ioctl } = libc();
  // It stays open: whoever captures asks all the time, also when no more files may be opened.
  if (asking < 0) asking = socket(AF_INET, DATAGRAM_SOCKET, 0);
  if (asking < 0) {
    throw new UserError(`interfaces can't be looked at: ${openingErrorText(lastErrno())}`);
  }
  return ioctl(asking, request, structure) === 0 ? new DataView(structure.buffer) : null;
}
