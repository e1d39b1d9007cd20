import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";

/** `ret #k` and `ja k` of the classic BSD packet filter, as `<pcap/bpf.h>` has them. */
const RETURN = 0x06;
const JUMP = 0x05;

/**
 * One program out of several, which takes more of some packets than of others.
 *
 * What a filter returns is how many bytes of a packet are taken. Here the user's filter decides
 * whether a packet is taken at all; where it says yes, the filters for long packets are asked one
 * after the other, and the first that matches has it taken up to the long length. Jumps in a program
 * are relative, and none gets longer or shorter, so they go on working.
 *
 * @param filter Decides what is taken.
 * @param length How many bytes are taken of most packets.
 * @param longFilters Decide of which packets more is taken.
 * @param longLength How many bytes are taken of those.
 */
export function filterWithLengths(
  filter: readonly BpfInstruction[],
  length: number,
  longFilters: readonly (readonly BpfInstruction[])[],
  longLength: number,
): BpfInstruction[] {
  const program = filterBefore(filter);
  for (const long of longFilters) append(program, long, ret(longLength), null);
  program.push(ret(length));
  return program;
}

/**
 * A filter as the beginning of a program: what it does not match is refused, and what comes after it
 * decides how many bytes are taken of the rest.
 */
export function filterBefore(filter: readonly BpfInstruction[]): BpfInstruction[] {
  const program: BpfInstruction[] = [];
  append(program, filter, null, ret(0));
  return program;
}

/** @param yes What it returns where it matches, and `no` where not; `null` to go on behind it. */
function append(
  program: BpfInstruction[],
  part: readonly BpfInstruction[],
  yes: BpfInstruction | null,
  no: BpfInstruction | null,
): void {
  part.forEach((instruction, at) => {
    const end = part.length - at - 1;
    const isReturn = instruction.code === RETURN;
    program.push(isReturn ? (instruction.k === 0 ? no : yes) ?? jump(end) : instruction);
  });
}

function ret(bytes: number): BpfInstruction {
  return { code: RETURN, jt: 0, jf: 0, k: bytes };
}

function jump(distance: number): BpfInstruction {
  return { code: JUMP, jt: 0, jf: 0, k: distance };
}
