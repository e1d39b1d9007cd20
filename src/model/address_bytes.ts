import ipaddr from "ipaddr.js";

/** An address, as records have it, as 4 or 16 bytes in network order. */
export function addressBytes(address: string): number[] {
  return ipaddr.parse(address).toByteArray();
}
