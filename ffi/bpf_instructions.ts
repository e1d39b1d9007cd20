import type { BpfInstruction } from "./bpf_instruction.ts";
import { allocate } from "./memory.ts";

/** `struct bpf_insn` of `<pcap/bpf.h>`, which is `struct sock_filter` of `<linux/filter.h>`. */
const INSTRUCTION = { code: 0, jt: 2, jf: 3, k: 4, size: 8 };

/** Bytes of so many instructions. */
export function instructionBytes(count: number): number {
  return count * INSTRUCTION.size;
}

/** Instructions as C has them. */
export function writeInstructions(program: readonly BpfInstruction[]): Uint8Array<ArrayBuffer> {
  const memory = allocate(instructionBytes(program.length));
  const words = new DataView(memory.buffer);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    const at = index * INSTRUCTION.size;
    words.setUint16(at + INSTRUCTION.code, code, true);
    words.setUint8(at + INSTRUCTION.jt, jt);
    words.setUint8(at + INSTRUCTION.jf, jf);
    words.setUint32(at + INSTRUCTION.k, k, true);
  }
  return memory;
}

/** The first `count` instructions of C's. */
export function readInstructions(memory: Uint8Array<ArrayBuffer>, count: number): BpfInstruction[] {
  const words = new DataView(memory.buffer);
  return Array.from({ length: count }, (_, index) => {
    const at = index * INSTRUCTION.size;
    return {
      code: words.getUint16(at + INSTRUCTION.code, true),
      jt: words.getUint8(at + INSTRUCTION.jt),
      jf: words.getUint8(at + INSTRUCTION.jf),
      k: words.getUint32(at + INSTRUCTION.k, true),
    };
  });
}
