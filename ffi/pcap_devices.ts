import { UserError } from "../src/user_error.ts";
import { ANY_DEVICE, type Device, type DeviceAddress } from "./device.ts";
import { deviceAddress } from "./device_address.ts";
import { interfaceState } from "./interface_state.ts";
import { ERRBUF_SIZE, libpcap } from "./libpcap.ts";
import { addressAt, allocate, copyAt, textAt, textIn } from "./memory.ts";

/** `PCAP_IF_LOOPBACK`, `PCAP_IF_UP`, `PCAP_IF_RUNNING` of `<pcap/pcap.h>`. */
const IF_LOOPBACK = 1;
const IF_UP = 2;
const IF_RUNNING = 4;

/** `struct pcap_if` of `<pcap/pcap.h>`, with addresses of eight bytes. */
const DEVICE = { next: 0, name: 8, description: 16, addresses: 24, flags: 32, size: 40 };
/** `struct pcap_addr`. */
const ADDRESS = { next: 0, address: 8, netmask: 16, size: 40 };

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
    const address = deviceAddress(
      addressAt(entry, ADDRESS.address),
      addressAt(entry, ADDRESS.netmask),
    );
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
