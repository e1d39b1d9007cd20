import { ANY_DEVICE, type Device, type DeviceAddress } from "./device.ts";
import { deviceAddress } from "./device_address.ts";
import { libc } from "./libc.ts";
import { addressAt, allocate, copyAt, textAt } from "./memory.ts";

/** `struct ifaddrs` of getifaddrs(3). */
const IFADDRS = { next: 0, name: 8, flags: 16, address: 24, netmask: 32, size: 56 };
/** Flags of netdevice(7). */
const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_RUNNING = 0x40;

/** An interface whose addresses are still being collected. */
type Growing = Device & { readonly addresses: DeviceAddress[] };

/**
 * The network interfaces, in the kernel's order, and all of them together at the end, as
 * getifaddrs(3) has them: without libpcap, and no privilege is needed.
 */
export function networkInterfaces(): Device[] {
  const { getifaddrs, freeifaddrs } = libc();
  const first = allocate(8);
  if (getifaddrs(first) !== 0) throw new Error("getifaddrs(3) failed");
  const found = new Map<string, Growing>();
  const head = addressAt(first, 0);
  for (let at = head; at !== 0n;) {
    const entry = copyAt(at, IFADDRS.size);
    const name = textAt(addressAt(entry, IFADDRS.name));
    const device = found.get(name) ?? deviceOf(name, entry);
    found.set(name, device);
    const address = deviceAddress(
      addressAt(entry, IFADDRS.address),
      addressAt(entry, IFADDRS.netmask),
    );
    if (address !== null) device.addresses.push(address);
    at = addressAt(entry, IFADDRS.next);
  }
  freeifaddrs(head);
  return [...found.values(), anyDevice()];
}

/** The names of all that {@linkcode networkInterfaces} lists, for a message; `null` if it can't list them. */
export function interfaceNames(): string | null {
  try {
    return networkInterfaces().map(({ name }) => name).join(", ");
  } catch {
    return null;
  }
}

function deviceOf(name: string, entry: Uint8Array<ArrayBuffer>): Growing {
  const flags = new DataView(entry.buffer).getUint32(IFADDRS.flags, true);
  return {
    name,
    isInterface: true,
    description: "",
    isLoopback: (flags & IFF_LOOPBACK) !== 0,
    isUp: (flags & IFF_UP) !== 0,
    isRunning: (flags & IFF_RUNNING) !== 0,
    addresses: [],
  };
}

function anyDevice(): Device {
  return {
    name: ANY_DEVICE,
    isInterface: true,
    description: "all network interfaces",
    isLoopback: false,
    isUp: true,
    isRunning: true,
    addresses: [],
  };
}
