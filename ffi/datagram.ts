import { libc } from "./libc.ts";
import { allocate } from "./memory.ts";

/** `struct sockaddr_un` of unix(7): the family, 16 bits, then the path. */
const ADDRESS = { path: 2, size: 110 };
const AF_UNIX = 1;
/** `SOCK_DGRAM | SOCK_CLOEXEC`, socket(2). */
const DATAGRAM_SOCKET = 2 | 0o2000000;
/** `MSG_DONTWAIT | MSG_NOSIGNAL`, send(2): nobody who does not listen may hold us up. */
const SEND_FLAGS = 0x40 | 0x4000;

const encoder = new TextEncoder();

/**
 * Sends one datagram to a Unix socket.
 *
 * @param address A path, or `@` and a name in the abstract namespace, unix(7).
 * @returns Whether it was sent.
 */
export function sendDatagram(address: string, text: string): boolean {
  const path = encoder.encode(address);
  if (path.length === 0 || ADDRESS.path + path.length >= ADDRESS.size) return false;
  const structure = allocate(ADDRESS.size);
  new DataView(structure.buffer).setUint16(0, AF_UNIX, true);
  structure.set(path, ADDRESS.path);
  if (address.startsWith("@")) structure[ADDRESS.path] = 0;
  const bytes = allocate(encoder.encode(text).length);
  encoder.encodeInto(text, bytes);
  const { socket, sendto, close } = libc();
  const fd = socket(AF_UNIX, DATAGRAM_SOCKET, 0);
  if (fd < 0) return false;
  // The length of an address is part of an abstract name, and no matter to a path.
  const length = ADDRESS.path + path.length;
  const sent = sendto(fd, bytes, BigInt(bytes.length), SEND_FLAGS, structure, length);
  close(fd);
  return Number(sent) === bytes.length;
}
