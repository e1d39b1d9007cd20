import type { AnnouncedBy, Announcement } from "./announcement.ts";
import { isPrivateHardware } from "./hardware_address.ts";

/** Some 10 MB: a name or two, a few addresses each. */
const DEFAULT_LIMIT = 20_000;
/** A router that answers for others (proxy ARP) is no host with a thousand addresses. */
const MOST_ADDRESSES = 32;
const MOST_NAMES = 8;
/** How often it is reported, in seconds, when a device was heard of last. */
const REPORT_PAUSE = 60;

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
  first: number;
  last: number;
}

/** A device of which there is something to report. */
export interface DeviceChange {
  readonly device: Device;
  /** Whether it is new, or has a name or an address that it had not; else only times are others. */
  readonly hasNews: boolean;
}

/**
 * The hosts on own networks by what they tell of themselves: which addresses are one device's, and what
 * it is called. Bounded: those not heard of for longest are forgotten.
 */
export class Devices {
  readonly #limit: number;
  /** Those heard of last are at the end. */
  readonly #devices = new Map<string | Device, Device>();
  readonly #byAddress = new Map<string, Device>();
  /** Devices to be reported, those with news, and when each was reported last. */
  readonly #changed = new Set<Device>();
  readonly #news = new Set<Device>();
  readonly #reportedAt = new Map<Device, number>();
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
   * The addresses of the device that has an address now, that one among them; an address of which nothing
   * is known is one by itself.
   */
  addressesOf(address: string): readonly string[] {
    const device = this.#byAddress.get(address);
    if (device === undefined) return [address];
    return [...device.addresses.keys()].filter((its) => this.#byAddress.get(its) === device);
  }

  /**
   * What there is to report since the last time: news, and once in a while when a device was heard of last.
   *
   * @param isLast Whether to report in any case when each was heard of last.
   */
  takeChanges(isLast = false): DeviceChange[] {
    const devices = isLast ? [...this.#devices.values()] : [...this.#changed];
    const changes = devices
      .filter((device) => this.#news.has(device) || this.#reportedAt.get(device) !== device.last)
      .map((device) => ({ device, hasNews: this.#news.has(device) }));
    for (const { device } of changes) this.#reportedAt.set(device, device.last);
    this.#changed.clear();
    this.#news.clear();
    return changes;
  }

  /**
   * Remembers what a host told.
   *
   * @param seconds When, in seconds since 1970-01-01 UTC.
   */
  learn({ hardware, addresses, name, by }: Announcement, seconds: number): void {
    const device = this.#deviceOf(hardware, addresses, seconds);
    if (device === null) return;
    for (const address of addresses) this.#assign(device, address, hardware !== null, seconds);
    if (name !== null) this.#addName(device, name, by);
    // Those heard of last are at the end.
    const key = keyOf(device);
    this.#devices.delete(key);
    this.#devices.set(key, device);
    device.first = Math.min(device.first, seconds);
    device.last = Math.max(device.last, seconds);
    const reportedAt = this.#reportedAt.get(device);
    if (reportedAt === undefined || device.last - reportedAt >= REPORT_PAUSE) {
      this.#changed.add(device);
    }
    if (this.#devices.size > this.#limit) this.#forgetOldest();
  }

  /** Who tells: by its hardware address, otherwise whoever has one of the addresses, otherwise a new one. */
  #deviceOf(
    hardware: string | null,
    addresses: readonly string[],
    seconds: number,
  ): Device | null {
    if (hardware !== null) return this.#devices.get(hardware) ?? this.#make(hardware, seconds);
    if (addresses.length === 0) return null;
    const known = addresses.flatMap((address) => this.#byAddress.get(address) ?? []);
    return known.find((device) => device.hardware !== null) ?? known[0] ??
      this.#make(null, seconds);
  }

  #make(hardware: string | null, seconds: number): Device {
    const device = {
      hardware,
      isPrivate: hardware !== null && isPrivateHardware(hardware),
      addresses: new Map(),
      names: new Map(),
      first: seconds,
      last: seconds,
    };
    this.#note(device);
    return device;
  }

  #addName(device: Device, name: string, by: AnnouncedBy): void {
    if (!device.names.has(name)) this.#note(device);
    device.names.delete(name);
    device.names.set(name, by);
    if (device.names.size > MOST_NAMES) device.names.delete(first(device.names));
  }

  /** @param isCertain Whether the hardware address is told beside it. */
  #assign(device: Device, address: string, isCertain: boolean, seconds: number): void {
    const owner = this.#byAddress.get(address);
    if (owner !== undefined && owner !== device) {
      if (owner.hardware === null) this.#join(owner, device);
      // A host with two interfaces announces the addresses of both; each is a device of its own.
      else if (!isCertain) return;
      this.#note(device);
    }
    this.#byAddress.set(address, device);
    const times = device.addresses.get(address) ?? { first: seconds, last: seconds };
    if (!device.addresses.has(address)) this.#note(device);
    times.last = Math.max(times.last, seconds);
    device.addresses.delete(address);
    device.addresses.set(address, times);
    this.#dropAddresses(device);
  }

  /** What was known by an address alone is a device of which more is known. */
  #join(from: Device, into: Device): void {
    this.#forget(from);
    for (const [address, times] of from.addresses) {
      const before = into.addresses.get(address);
      into.addresses.set(address, {
        first: Math.min(times.first, before?.first ?? times.first),
        last: Math.max(times.last, before?.last ?? times.last),
      });
      this.#byAddress.set(address, into);
    }
    for (const [name, by] of from.names) this.#addName(into, name, by);
    into.first = Math.min(into.first, from.first);
    this.#dropAddresses(into);
  }

  #dropAddresses(device: Device): void {
    while (device.addresses.size > MOST_ADDRESSES) {
      const oldest = first(device.addresses);
      device.addresses.delete(oldest);
      if (this.#byAddress.get(oldest) === device) this.#byAddress.delete(oldest);
    }
  }

  #note(device: Device): void {
    this.#changed.add(device);
    this.#news.add(device);
  }

  #forgetOldest(): void {
    const [[, device]] = this.#devices;
    this.#forget(device);
    this.#forgotten++;
  }

  #forget(device: Device): void {
    this.#devices.delete(keyOf(device));
    for (const address of device.addresses.keys()) {
      if (this.#byAddress.get(address) === device) this.#byAddress.delete(address);
    }
    this.#changed.delete(device);
    this.#news.delete(device);
    this.#reportedAt.delete(device);
  }
}

function first(map: Map<string, unknown>): string {
  const [key] = map.keys();
  return key;
}

/** What it is found by: its hardware address, or itself where none is known. */
function keyOf(device: Device): string | Device {
  return device.hardware ?? device;
}
