import { interfaceCounters } from "./interface_counters.ts";

const COUNTERS = ["rx_packets", "tx_packets"];

/** Packets that an interface has had, in both directions, as {@linkcode interfaceCounters}. */
export function interfacePackets(name: string): number | null {
  return interfaceCounters(name, COUNTERS);
}
