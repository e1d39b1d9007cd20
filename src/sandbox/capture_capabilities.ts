import {
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_NET_ADMIN,
  CAP_NET_BIND_SERVICE,
  CAP_NET_RAW,
  CAP_SETGID,
  CAP_SETUID,
  capabilitySet,
} from "../../ffi/capabilities.ts";

/** What a capture needs to open interfaces, and to become another user then. */
export const UNTIL_OTHER_USER: bigint = capabilitySet(
  ...[CAP_NET_RAW, CAP_NET_ADMIN, CAP_DAC_READ_SEARCH, CAP_SETUID, CAP_SETGID],
);

/** What root needs for files of others, to which SQLite gives their owner, and for ports below 1024. */
export const FILES_AND_PORTS: bigint = capabilitySet(
  ...[CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_NET_BIND_SERVICE],
);

/** The same, and what opens an interface that comes back. */
export const AS_LONG_AS_IT_LASTS: bigint = FILES_AND_PORTS | capabilitySet(CAP_NET_RAW);

/** Devices of libpcap that take what netfilter hands on, pcap-netfilter-linux.c. */
const OF_NETFILTER = /^nf(?:log|queue)/;

/** What opens these devices for the first time, and what is needed then. */
export function untilOpen(devices: readonly string[]): bigint {
  return devices.some((it) => OF_NETFILTER.test(it))
    ? AS_LONG_AS_IT_LASTS | capabilitySet(CAP_NET_ADMIN)
    : AS_LONG_AS_IT_LASTS;
}
