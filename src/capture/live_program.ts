import type { PcapHandle } from "../../ffi/pcap_handle.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { filterBefore } from "./filter_before.ts";
import type { LongPackets } from "./live_options.ts";
import { linkLayout, longPacketsProgram } from "./long_packets_program.ts";

/** A filter that takes every packet. */
const TAKE_ALL = "";

/**
 * The program for a live capture: which packets are taken, and how many bytes of each. Without any
 * program the kernel takes whole packets, and libpcap cuts them later.
 *
 * @param handle What it is for, and where the filter is compiled: the link type matters, and so does
 * it whether the kernel takes VLAN tags off.
 * @param linkType That of the handle.
 * @param filter The user's filter, in the language of pcap-filter(7), or `null`.
 * @param snaplen How many bytes are taken of most packets.
 * @param long Of which packets more is taken.
 * @throws {UserError} with libpcap's words when the filter has an error.
 */
export function liveProgram(
  handle: PcapHandle,
  linkType: number,
  filter: string | null,
  snaplen: number,
  long: LongPackets,
): BpfInstruction[] {
  return [
    ...filterBefore(handle.compile(filter ?? TAKE_ALL)),
    ...longPacketsProgram(linkLayout(linkType), snaplen, long),
  ];
}
