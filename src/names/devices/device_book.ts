import type { DeviceRecord } from "../../model/device_record.ts";
import type { LocalNetworks } from "../../model/local_networks.ts";
import type { AnnouncedBy, Announcement } from "./announcement.ts";
import { type DeviceChange, Devices } from "./devices.ts";
import { Vendors } from "./vendors.ts";

/** How a {@linkcode DeviceBook} is made. */
export interface DeviceBookOptions {
  /** The own networks. */
  readonly local: Pick<LocalNetworks, "has">;
  /** From when on times are counted, in seconds since 1970-01-01 UTC. @default {0} */
  readonly origin?: () => number;
}

/** Addresses that a host has on each link (RFC 4291, section 2.5.6; RFC 3927). */
const LINK_LOCAL = /^(?:fe[89ab]|169\.254\.)/;
/** Whose word on a name is worth more: an administrator may have chosen the first. */
const BY_WORTH: readonly AnnouncedBy[] = ["dhcp", "dhcpv6", "mdns", "netbios", "lldp"];

/** How many devices are known. */
export interface DeviceCounts {
  readonly count: number;
  /** Those of which a name is known. */
  readonly named: number;
}

/** Keeps the devices of the own networks, and reports them. */
export class DeviceBook {
  readonly devices = new Devices();
  readonly #origin: () => number;
  #local: Pick<LocalNetworks, "has">;
  #vendors: Vendors | null = null;

  constructor({ local, origin = () => 0 }: DeviceBookOptions) {
    this.#local = local;
    this.#origin = origin;
  }

  /** Puts other own networks in the place of the present ones. */
  set local(local: Pick<LocalNetworks, "has">) {
    this.#local = local;
  }

  /** Remembers what a host told, if it is on an own network, or told only its name. */
  learn(announcement: Announcement, seconds: number): void {
    const { addresses, hardware } = announcement;
    const own = addresses.filter((address) => LINK_LOCAL.test(address) || this.#local.has(address));
    // By its link-local addresses alone no host is one of the own networks.
    const isOfOthers = addresses.length > 0 && own.length === 0;
    if (isOfOthers || (hardware === null && own.every((it) => LINK_LOCAL.test(it)))) return;
    this.devices.learn({ ...announcement, addresses: own }, seconds);
  }

  /**
   * What there is to report since the last time, see `Devices.takeChanges`. Devices of which no address on
   * an own network is known yet are not reported.
   */
  async takeRecords(isLast = false): Promise<DeviceRecord[]> {
    const changes = this.devices.takeChanges(isLast).filter(({ device }) =>
      [...device.addresses.keys()].some((address) => this.#local.has(address))
    );
    if (changes.length === 0) return [];
    this.#vendors ??= await Vendors.load();
    return changes.map((change) => this.#recordOf(change, this.#vendors!));
  }

  /** How many there are. */
  counts(): DeviceCounts {
    let count = 0;
    let named = 0;
    for (const { names } of this.devices.list()) {
      count++;
      if (names.size > 0) named++;
    }
    return { count, named };
  }

  /** What is known of the host that has an address now, or `null`. */
  async find(address: string): Promise<DeviceRecord | null> {
    const device = this.devices.find(address);
    if (device === null) return null;
    this.#vendors ??= await Vendors.load();
    return this.#recordOf({ device, hasNews: false }, this.#vendors);
  }

  #recordOf({ device, hasNews }: DeviceChange, vendors: Vendors): DeviceRecord {
    const { hardware, isPrivate, first, last } = device;
    const milliseconds = (seconds: number) => (this.#origin() + seconds) * 1000;
    const names = [...device.names].reverse().sort(([, one], [, other]) =>
      BY_WORTH.indexOf(one) - BY_WORTH.indexOf(other)
    );
    return {
      hardware,
      vendor: hardware === null ? null : vendors.of(hardware),
      isPrivate,
      addresses: [...device.addresses].map(([address, times]) => ({
        address,
        first: milliseconds(times.first),
        last: milliseconds(times.last),
      })),
      names: names.map(([name, from]) => ({ name, from })),
      first: milliseconds(first),
      last: milliseconds(last),
      hasNews,
    };
  }
}
