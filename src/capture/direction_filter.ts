import type { Direction } from "../../ffi/pcap_handle.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";

/** BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K and BPF_RET | BPF_K of `<linux/bpf_common.h>`. */
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

/** What the kernel lets a filter ask of a packet, `SKF_AD_` of `<linux/filter.h>`. */
const ANCILLARY = 0x1_0000_0000 - 0x1000;
const PACKET_KIND = ANCILLARY + 4;
const INTERFACE_INDEX = ANCILLARY + 8;
/** `PACKET_OUTGOING` of `<linux/if_packet.h>`. */
const OUTGOING = 4;

/**
 * The beginning of a program for the filter of the kernel, which refuses packets of the other
 * direction. Whatever follows it decides about the others.
 *
 * The loopback interface sends each packet and then receives it: as with libpcap, the first of the
 * two is refused.
 *
 * @param loopback The loopback's number, or 0 when the capture is not of it.
 */
export function directionFilter(direction: Direction, loopback: number): BpfInstruction[] {
  if (direction === "in") return [load(PACKET_KIND), skipUnless(OUTGOING, 1), refuse()];
  const unlessLoopback = loopback === 0 ? [] : [
    load(INTERFACE_INDEX),
    skipUnless(loopback, 3),
    load(PACKET_KIND),
    skipUnless(OUTGOING, 1),
    refuse(),
  ];
  if (direction === "inout") return unlessLoopback;
  return [...unlessLoopback, load(PACKET_KIND), skipIf(OUTGOING, 1), refuse()];
}

function load(k: number): BpfInstruction {
  return { code: LOAD, jt: 0, jf: 0, k };
}

function skipIf(k: number, jt: number): BpfInstruction {
  return { code: JUMP_IF_EQUAL, jt, jf: 0, k };
}

function skipUnless(k: number, jf: number): BpfInstruction {
  return { code: JUMP_IF_EQUAL, jt: 0, jf, k };
}

function refuse(): BpfInstruction {
  return { code: RETURN, jt: 0, jf: 0, k: 0 };
}
