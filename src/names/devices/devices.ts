import type { AnnouncedBy, Announcement } from "./announcement.ts";
import { isPrivateHardware } from "./hardware_address.ts";

/** Some 10 MB: a name or two, a few addresses each. */
const DEFAULT_LIMIT = 20_000;
/** A router that answers for others (proxy ARP) is no host with a thousand addresses. */
const MOST_ADDRESSES = 32;
const MOST_NAMES = 8;

/** An address that a device has had. */
export interface DeviceAddress {
  /** When it was told of first and last, in seconds since 1970-01-01 UTC. */
  readonly first: number;
  last: number;
}

/** A host on an own network: what is one by its hardware address. */
export interface Device {
  /** Six bytes in hexadecimal with colons; `null` for one that is known by its address alone. */
  readonly hardware: string | null;
  /** Whether the host has made that address up, so that no vendor can be told and it will change. */
  readonly isPrivate: boolean;
  /** By address, those told of last at the end. */
  readonly addresses: Map<string, DeviceAddress>;
  /** By name, how it was told of last. */
  readonly names: Map<string, AnnouncedBy>;
  readonly first: number;
  last: number;
}

/**
 * The hosts on own networks by what they tell of themselves: which addresses are one device's, and what
 * it is called. Bounded: those not heard of for longest are forgotten.
 */
export class Devices {
  readonly #limit: number;
  /** By hardware address, or by address where none is known; those heard of last at the end. */
  readonly #devices = new Map<string, Device>();
  readonly #byAddress = new Map<string, Device>();
  #forgotten = 0;

  /** @param limit How many devices are remembered. */
  constructor(limit: number = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  /** How many were forgotten to make room. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** All that are known, those not heard of for longest first. */
  list(): IterableIterator<Device> {
    return this.#devices.values();
  }

  /** The device that has an address now, or `null`. */
  find(address: string): Device | null {
    return this.#byAddress.get(address) ?? null;
  }

  /**
   * Remembers what a host told.
   *
   * @param seconds When, in seconds since 1970-01-01 UTC.
   */
  learn({ hardware, addresses, name, by }: Announcement, seconds: number): void {
    const [address] = addresses;
    const known = hardware === null ? this.#byAddress.get(address) : undefined;
    const key = known?.hardware ?? hardware ?? address;
    if (key === undefined) return;
    const device = this.#devices.get(key) ?? this.#make(hardware, seconds);
    device.last = seconds;
    for (const its of addresses) this.#assign(device, its, seconds);
    if (name !== null) {
      device.names.delete(name);
      device.names.set(name, by);
      if (device.names.size > MOST_NAMES) device.names.delete(first(device.names));
    }
    this.#devices.delete(key);
    this.#devices.set(key, device);
    if (this.#devices.size > this.#limit) this.#forgetOldest();
  }

  #make(hardware: string | null, seconds: number): Device {
    return {
      hardware,
      isPrivate: hardware !== null && isPrivateHardware(hardware),
      addresses: new Map(),
      names: new Map(),
      first: seconds,
      last: seconds,
    };
  }

  #assign(device: Device, address: string, seconds: number): void {
    const before = this.#byAddress.get(address);
    if (before !== undefined && before !== device) {
      // It was known by its address alone until now, or the address has another owner now.
      if (before.hardware === null) {
        for (const [name, by] of before.names) device.names.set(name, by);
        this.#devices.delete(address);
      }
    }
    this.#byAddress.set(address, device);
    const times = device.addresses.get(address) ?? { first: seconds, last: seconds };
    times.last = seconds;
    device.addresses.delete(address);
    device.addresses.set(address, times);
    if (device.addresses.size > MOST_ADDRESSES) {
      const oldest = first(device.addresses);
      device.addresses.delete(oldest);
      if (this.#byAddress.get(oldest) === device) this.#byAddress.delete(oldest);
    }
  }

  #forgetOldest(): void {
    const [[key, device]] = this.#devices;
    this.#devices.delete(key);
    for (const address of device.addresses.keys()) {
      if (this.#byAddress.get(address) === device) this.#byAddress.delete(address);
    }
    this.#forgotten++;
  }
}

function first(map: Map<string, unknown>): string {
  const [key] = map.keys();
  return key;
}
