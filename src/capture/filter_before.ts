import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";

/** `ret #k` and `ja k` of the classic BSD packet filter, as `<pcap/bpf.h>` has them. */
const RETURN = 0x06;
const JUMP = 0x05;

/**
 * A filter as the beginning of a program: what it does not match is refused, and what comes after it
 * decides how many bytes are taken of the rest. Jumps in a program are relative, and none gets longer
 * or shorter, so they go on working.
 */
export function filterBefore(filter: readonly BpfInstruction[]): BpfInstruction[] {
  return filter.map((instruction, at) => {
    if (instruction.code !== RETURN) return instruction;
    return instruction.k === 0
      ? instruction
      : { code: JUMP, jt: 0, jf: 0, k: filter.length - at - 1 };
  });
}
