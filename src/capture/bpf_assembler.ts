import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";

/** `ja k` of the classic BSD packet filter, as `<pcap/bpf.h>` has it. */
const JUMP = 0x05;

/**
 * Puts a program of the classic BSD packet filter together, with names for the places that are jumped
 * to. A place that is not the next is reached by a jump without a condition, which may be as long as
 * it has to be.
 */
export class BpfAssembler {
  readonly #instructions: { code: number; jt: number; jf: number; k: number }[] = [];
  /** Where each place is, and the jumps that lead to one. */
  readonly #places = new Map<string, number>();
  readonly #jumps: { at: number; place: string }[] = [];

  /** Adds an instruction that is no jump. */
  add(code: number, k = 0): void {
    this.#instructions.push({ code, jt: 0, jf: 0, k });
  }

  /** Goes to a place. */
  jump(place: string): void {
    this.#jumps.push({ at: this.#instructions.length, place });
    this.add(JUMP);
  }

  /** Goes to a place if a condition holds, else on. */
  jumpIf(code: number, k: number, place: string): void {
    this.#instructions.push({ code, jt: 0, jf: 1, k });
    this.jump(place);
  }

  /** Names the place of the next instruction. */
  place(name: string): void {
    this.#places.set(name, this.#instructions.length);
  }

  /** The program. All places must have been named, each after the jumps to it: the kernel has no loops. */
  finish(): BpfInstruction[] {
    for (const { at, place } of this.#jumps) {
      const target = this.#places.get(place);
      if (target === undefined || target <= at) throw new Error(`no place after it is ${place}`);
      this.#instructions[at].k = target - at - 1;
    }
    return this.#instructions;
  }
}
