import type { BpfInstruction } from "../src/capture/bpf_instruction.ts";
import { DLT_RAW, DLT_RAW_OPENBSD, LINKTYPE_RAW } from "../src/packet/link_type.ts";
import { UserError } from "../src/user_error.ts";
import { libpcap } from "./libpcap.ts";
import { allocate, copyAt, cString, textAt } from "./memory.ts";

/** `struct bpf_program` and `struct bpf_insn` of `<pcap/bpf.h>`. */
const PROGRAM = { length: 0, instructions: 8, size: 16 };
const INSTRUCTION = { code: 0, jt: 2, jf: 3, k: 4, size: 8 };

/** `PCAP_NETMASK_UNKNOWN`, pcap_compile(3PCAP): `ip broadcast` is refused then. */
export const NETMASK_UNKNOWN = 0xffffffff;

/** With saved packets only 255.255.255.255 and 0.0.0.0 are broadcast addresses, as in tcpdump(8). */
const NETMASK_OF_SAVED = 0;

/** The longest packet, `MAXIMUM_SNAPLEN` of libpcap: filters accept whole packets. */
const MAXIMUM_SNAPLEN = 262144;

/** A program that C holds. */
export type CompiledProgram = Uint8Array<ArrayBuffer>;

/**
 * Compiles a filter for an open handle, runs `use` with the program, and gives it back to libpcap.
 *
 * @param netmask The IPv4 netmask of the interface, in network order as libpcap gives it.
 * @throws {UserError} with libpcap's words when the filter has an error.
 */
export function withCompiledFilter<Result>(
  handle: Deno.PointerObject,
  expression: string,
  netmask: number,
  use: (program: CompiledProgram) => Result,
): Result {
  const { compile, freecode, geterr } = libpcap().symbols;
  const program = allocate(PROGRAM.size);
  const optimize = 1;
  if (compile(handle, program, cString(expression), optimize, netmask) !== 0) {
    throw new UserError(
      `filter ${JSON.stringify(expression)}: ${textAt(geterr(handle))}: see pcap-filter(7)`,
    );
  }
  try {
    return use(program);
  } finally {
    freecode(program);
  }
}

/**
 * Compiles a filter for saved packets of a link type; no device and no privilege is needed.
 *
 * @throws {UserError} with libpcap's words when the filter has an error, or has no meaning for the
 * link type.
 */
export function compileFilter(expression: string, linkType: number): BpfInstruction[] {
  const { open_dead, close } = libpcap().symbols;
  const isRaw = linkType === LINKTYPE_RAW || linkType === DLT_RAW_OPENBSD;
  // Of the numbers for raw IP this library knows the one of the system that it was built for.
  const handle = open_dead(isRaw ? DLT_RAW : linkType, MAXIMUM_SNAPLEN);
  if (handle === null) throw new UserError("libpcap has no memory left to compile a filter");
  try {
    return withCompiledFilter(handle, expression, NETMASK_OF_SAVED, instructionsOf);
  } finally {
    close(handle);
  }
}

function instructionsOf(program: CompiledProgram): BpfInstruction[] {
  const words = new DataView(program.buffer);
  const count = words.getUint32(PROGRAM.length, true);
  const address = words.getBigUint64(PROGRAM.instructions, true);
  const instructions = new DataView(copyAt(address, count * INSTRUCTION.size).buffer);
  return Array.from({ length: count }, (_, index) => {
    const at = index * INSTRUCTION.size;
    return {
      code: instructions.getUint16(at + INSTRUCTION.code, true),
      jt: instructions.getUint8(at + INSTRUCTION.jt),
      jf: instructions.getUint8(at + INSTRUCTION.jf),
      k: instructions.getUint32(at + INSTRUCTION.k, true),
    };
  });
}
