import { interfaceCounters } from "./interface_counters.ts";

/** What libpcap adds up: no buffer was free, or the device's own was full. */
const COUNTERS = ["rx_missed_errors", "rx_fifo_errors"];

/** Packets that an interface or its driver dropped, as {@linkcode interfaceCounters}. */
export function interfaceDrops(name: string): number | null {
  return interfaceCounters(name, COUNTERS);
}
