import type { PcapHandle } from "../../ffi/pcap_handle.ts";
import { UserError } from "../user_error.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { filterWithLengths } from "./filter_with_lengths.ts";
import { LONG_SNAPLEN } from "./live_options.ts";

/** A filter for fragments that have no ports, IPv4 (RFC 791), and all of IPv6 (RFC 8200). */
const LATER_FRAGMENT = "(ip and ip[6:2] & 0x1fff != 0) or (ip6 and ip6[6] = 44)";

/** A filter that takes every packet. */
const TAKE_ALL = "";

/**
 * The program for a live capture: which packets are taken, and how many bytes of each. Without any
 * program the kernel takes whole packets, and libpcap cuts them later.
 *
 * @param handle What it is for, and where it is compiled: the link type matters, and so does it
 * whether the kernel takes VLAN tags off.
 * @param filter The user's filter, in the language of pcap-filter(7), or `null`.
 * @param snaplen How many bytes are taken of most packets.
 * @param longPorts Of packets that come from these ports `LONG_SNAPLEN` bytes are taken, if that is
 * more; and of fragments, of which later ones have no ports.
 * @throws {UserError} with libpcap's words when the filter has an error.
 */
export function liveProgram(
  handle: PcapHandle,
  filter: string | null,
  snaplen: number,
  longPorts: readonly number[],
): BpfInstruction[] {
  const isNeeded = longPorts.length > 0 && snaplen < LONG_SNAPLEN;
  const longFilters = isNeeded ? longPacketFilters(longPorts) : [];
  return filterWithLengths(
    handle.compile(filter ?? TAKE_ALL),
    snaplen,
    longFilters.flatMap((expression) => compiledIfPossible(handle, expression)),
    LONG_SNAPLEN,
  );
}

/**
 * Filters for packets that come from some ports: untagged, in a VLAN, and in PPPoE sessions. What
 * follows `vlan` or `pppoes` in the language of filters is about what is inside.
 */
function longPacketFilters(ports: readonly number[]): string[] {
  const from = `(${ports.map((port) => `src port ${port}`).join(" or ")} or ${LATER_FRAGMENT})`;
  return [from, `vlan and ${from}`, `pppoes and ${from}`];
}

/** A filter's program, or none where it has no meaning for the interface's link type. */
function compiledIfPossible(handle: PcapHandle, expression: string): BpfInstruction[][] {
  try {
    return [handle.compile(expression)];
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
