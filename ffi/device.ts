/** An address of an interface. */
export interface DeviceAddress {
  /** The address as RFC 5952 writes it, such as `192.0.2.1` or `2001:db8::1`. */
  readonly address: string;
  /** 4 or 6. */
  readonly family: 4 | 6;
  /** Length of its prefix in bits, from the interface's netmask. */
  readonly prefixLength: number;
}

/** What can be captured on. */
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

/** What all network interfaces together are called, as libpcap does. */
export const ANY_DEVICE = "any";

/** The interface that sends itself what it sends: it is in each network namespace, and is never removed. */
export const LOOPBACK = "lo";
