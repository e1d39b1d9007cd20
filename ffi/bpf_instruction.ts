/**
 * An instruction of the classic BSD packet filter: McCanne and Jacobson, "The BSD Packet Filter",
 * USENIX 1993, section 3; `struct bpf_insn` of `<pcap/bpf.h>`.
 */
export interface BpfInstruction {
  /** Class, operand size and addressing mode, or operation. */
  readonly code: number;
  /** How many instructions a conditional jump skips when true. */
  readonly jt: number;
  /** How many it skips when false. */
  readonly jf: number;
  /** The operand: a constant, an offset, a jump distance; 32 bits without a sign. */
  readonly k: number;
}
