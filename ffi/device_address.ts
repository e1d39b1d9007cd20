import ipaddr from "ipaddr.js";
import type { DeviceAddress } from "./device.ts";
import { type Address, copyAt } from "./memory.ts";

/** `struct sockaddr_in` and `struct sockaddr_in6` of ip(7) and ipv6(7). */
const SOCKADDR_FAMILY_SIZE = 2;
const AF_INET = 2;
const AF_INET6 = 10;
const IN_ADDRESS = { offset: 4, length: 4 };
const IN6_ADDRESS = { offset: 8, length: 16 };

/**
 * The IP address in a socket address; `null` for a hardware address and the like.
 *
 * @param address Where its `struct sockaddr` is.
 * @param netmask Where that of its netmask is.
 */
export function deviceAddress(address: Address, netmask: Address): DeviceAddress | null {
  const bytes = ipBytes(address);
  if (bytes === null) return null;
  const mask = ipBytes(netmask);
  const parsed = ipaddr.fromByteArray([...bytes]);
  return {
    address: parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString(),
    family: bytes.length === IN_ADDRESS.length ? 4 : 6,
    // An address without a netmask stands for itself alone.
    prefixLength: mask === null ? bytes.length * 8 : leadingOnes(mask),
  };
}

/** The bytes of the IP address in a socket address, in network order. */
function ipBytes(socketAddress: Address): Uint8Array | null {
  if (socketAddress === 0n) return null;
  const family = new DataView(copyAt(socketAddress, SOCKADDR_FAMILY_SIZE).buffer)
    .getUint16(0, true);
  if (family !== AF_INET && family !== AF_INET6) return null;
  const { offset, length } = family === AF_INET ? IN_ADDRESS : IN6_ADDRESS;
  return copyAt(socketAddress + BigInt(offset), length);
}

function leadingOnes(netmask: Uint8Array): number {
  let length = 0;
  for (const byte of netmask) {
    const ones = Math.clz32(~(byte << 24));
    length += ones;
    if (ones < 8) break;
  }
  return length;
}
