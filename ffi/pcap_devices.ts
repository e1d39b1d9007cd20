import ipaddr from "ipaddr.js";
import { UserError } from "../src/user_error.ts";
import { interfaceState } from "./interface_state.ts";
import { ERRBUF_SIZE, libpcap } from "./libpcap.ts";
import { type Address, allocate, copyAt, textAt, textIn } from "./memory.ts";

/** An address of an interface. */
export interface DeviceAddress {
  /** The address as RFC 5952 writes it, such as `192.0.2.1` or `2001:db8::1`. */
  readonly address: string;
  /** 4 or 6. */
  readonly family: 4 | 6;
  /** Length of its prefix in bits, from the interface's netmask. */
  readonly prefixLength: number;
}

/** What libpcap can open, pcap_findalldevs(3PCAP). */
export interface Device {
  readonly name: string;
  /** libpcap's words on it; empty for most network interfaces. */
  readonly description: string;
  /** Whether it is a network interface, or all of them: not a bus, a packet queue or the like. */
  readonly isInterface: boolean;
  readonly isLoopback: boolean;
  /** `IFF_UP`: an administrator has switched it on. */
  readonly isUp: boolean;
  /** `IFF_RUNNING`: it can carry packets. */
  readonly isRunning: boolean;
  readonly addresses: readonly DeviceAddress[];
}

/** What libpcap calls all network interfaces together. */
export const ANY_DEVICE = "any";

/** `PCAP_IF_LOOPBACK`, `PCAP_IF_UP`, `PCAP_IF_RUNNING` of `<pcap/pcap.h>`. */
const IF_LOOPBACK = 1;
const IF_UP = 2;
const IF_RUNNING = 4;

/** `struct pcap_if` of `<pcap/pcap.h>`, with addresses of eight bytes. */
const DEVICE = { next: 0, name: 8, description: 16, addresses: 24, flags: 32, size: 40 };
/** `struct pcap_addr`. */
const ADDRESS = { next: 0, address: 8, netmask: 16, size: 40 };
/** `struct sockaddr_in` and `struct sockaddr_in6` of ip(7) and ipv6(7). */
const SOCKADDR_FAMILY_SIZE = 2;
const AF_INET = 2;
const AF_INET6 = 10;
const IN_ADDRESS = { offset: 4, length: 4 };
const IN6_ADDRESS = { offset: 8, length: 16 };

/**
 * What libpcap can open, in its order.
 *
 * @throws {UserError} when libpcap can't list it.
 */
export function devices(): Device[] {
  const { findalldevs, freealldevs } = libpcap().symbols;
  const first = allocate(8);
  const message = allocate(ERRBUF_SIZE);
  if (findalldevs(first, message) !== 0) {
    throw new UserError(`can't list the interfaces: ${textIn(message)}`);
  }
  const list: Device[] = [];
  const head = addressAt(first, 0);
  for (let at = head; at !== 0n;) {
    const bytes = copyAt(at, DEVICE.size);
    list.push(deviceOf(bytes));
    at = addressAt(bytes, DEVICE.next);
  }
  freealldevs(head);
  return list;
}

function deviceOf(bytes: Uint8Array<ArrayBuffer>): Device {
  const flags = new DataView(bytes.buffer).getUint32(DEVICE.flags, true);
  const addresses: DeviceAddress[] = [];
  for (let at = addressAt(bytes, DEVICE.addresses); at !== 0n;) {
    const entry = copyAt(at, ADDRESS.size);
    const address = addressOf(entry);
    if (address !== null) addresses.push(address);
    at = addressAt(entry, ADDRESS.next);
  }
  const name = textAt(addressAt(bytes, DEVICE.name));
  return {
    name,
    isInterface: name === ANY_DEVICE || interfaceState(name).index !== 0,
    description: textAt(addressAt(bytes, DEVICE.description)),
    isLoopback: (flags & IF_LOOPBACK) !== 0,
    isUp: (flags & IF_UP) !== 0,
    isRunning: (flags & IF_RUNNING) !== 0,
    addresses,
  };
}

/** The IP address of an entry; `null` for a hardware address and the like. */
function addressOf(entry: Uint8Array<ArrayBuffer>): DeviceAddress | null {
  const address = ipBytes(addressAt(entry, ADDRESS.address));
  if (address === null) return null;
  const netmask = ipBytes(addressAt(entry, ADDRESS.netmask));
  const parsed = ipaddr.fromByteArray([...address]);
  return {
    address: parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString(),
    family: address.length === IN_ADDRESS.length ? 4 : 6,
    // An address without a netmask stands for itself alone.
    prefixLength: netmask === null ? address.length * 8 : leadingOnes(netmask),
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

function addressAt(bytes: Uint8Array<ArrayBuffer>, offset: number): Address {
  return new DataView(bytes.buffer).getBigUint64(offset, true);
}
