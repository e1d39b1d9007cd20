import { libc } from "./libc.ts";
import { allocate, cString } from "./memory.ts";

/** `struct ifreq` of netdevice(7): a name of at most 15 bytes, then the flags. */
const IFREQ = { flags: 16, size: 40 };
const LONGEST_NAME = 15;
const SIOCGIFFLAGS = 0x8913n;
const IFF_UP = 1;
const AF_INET = 2;
/** `SOCK_DGRAM | SOCK_CLOEXEC`, socket(2). */
const DATAGRAM_SOCKET = 2 | 0o2000000;

/** Which interface has a name now, and whether it is up. */
export interface InterfaceState {
  /** The kernel's number; another interface of the same name has another one. 0 if there is none. */
  readonly index: number;
  readonly isUp: boolean;
}

/** Asks the kernel; no privilege is needed, and it costs some microseconds. */
export function interfaceState(name: string): InterfaceState {
  const index = libc().if_nametoindex(cString(name));
  return { index, isUp: index !== 0 && isUp(name) };
}

function isUp(name: string): boolean {
  const request = allocate(IFREQ.size);
  request.set(cString(name).subarray(0, LONGEST_NAME));
  const { socket, ioctl, close } = libc();
  const fd = socket(AF_INET, DATAGRAM_SOCKET, 0);
  if (fd < 0) return true;
  const status = ioctl(fd, SIOCGIFFLAGS, request);
  close(fd);
  const flags = new DataView(request.buffer).getUint16(IFREQ.flags, true);
  return status === 0 && (flags & IFF_UP) !== 0;
}
