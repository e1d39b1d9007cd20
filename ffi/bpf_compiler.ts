import type { BpfInstruction } from "./bpf_instruction.ts";
import { UserError } from "../src/user_error.ts";
import { instructionBytes, readInstructions, writeInstructions } from "./bpf_instructions.ts";
import { libc } from "./libc.ts";
import { ERRBUF_SIZE, libpcap } from "./libpcap.ts";
import { addressOf, allocate, copyAt, cString, textAt, textIn } from "./memory.ts";

/** `struct bpf_program` of `<pcap/bpf.h>`. */
const PROGRAM = { length: 0, instructions: 8, size: 16 };

/** The file header of pcap-savefile(5), and the numbers in it. */
const SAVEFILE = {
  magic: 0,
  majorVersion: 4,
  minorVersion: 6,
  snaplen: 16,
  linkType: 20,
  size: 24,
};
const SAVEFILE_MAGIC = 0xa1b2c3d4;
const SAVEFILE_MAJOR_VERSION = 2;
const SAVEFILE_MINOR_VERSION = 4;

/** `PCAP_NETMASK_UNKNOWN`, pcap_compile(3PCAP): `ip broadcast` is refused then. */
export const NETMASK_UNKNOWN = 0xffffffff;

/** With saved packets only 255.255.255.255 and 0.0.0.0 are broadcast addresses, as in tcpdump(8). */
const NETMASK_OF_SAVED = 0;

/** The longest packet, `MAXIMUM_SNAPLEN` of libpcap: filters accept whole packets. */
const MAXIMUM_SNAPLEN = 262144;

/** What libpcap says of a filter. */
export class FilterError extends UserError {
  /** Whether the filter may be right, but for an interface whose netmask is known. */
  readonly isForNetmask: boolean;

  constructor(expression: string, words: string) {
    super(`filter ${JSON.stringify(expression)}: ${words}: see pcap-filter(7)`);
    this.isForNetmask = words.startsWith("netmask not known");
  }
}

/** A program that C holds. */
export type CompiledProgram = Uint8Array<ArrayBuffer>;

/**
 * Runs `use` with a program made of instructions.
 *
 * @param use Must copy what it needs.
 */
export function withProgram<Result>(
  instructions: readonly BpfInstruction[],
  use: (program: CompiledProgram) => Result,
): Result {
  const code = writeInstructions(instructions);
  const program = allocate(PROGRAM.size);
  const head = new DataView(program.buffer);
  head.setUint32(PROGRAM.length, instructions.length, true);
  head.setBigUint64(PROGRAM.instructions, addressOf(code), true);
  const result = use(program);
  // The instructions must stay where they are until now, so they are referred to until now.
  code.fill(0);
  return result;
}

/**
 * Compiles a filter for an open handle.
 *
 * @param netmask The IPv4 netmask of the interface, in network order as libpcap gives it.
 * @throws {FilterError} when the filter has an error.
 */
export function compileFor(
  handle: Deno.PointerObject,
  expression: string,
  netmask: number,
): BpfInstruction[] {
  const { compile, freecode, geterr } = libpcap().symbols;
  const program = allocate(PROGRAM.size);
  const optimize = 1;
  if (compile(handle, program, cString(expression), optimize, netmask) !== 0) {
    throw new FilterError(expression, textAt(geterr(handle)));
  }
  try {
    return instructionsOf(program);
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
  const { fopen_offline, close } = libpcap().symbols;
  const message = allocate(ERRBUF_SIZE);
  const header = savefileHeader(linkType);
  const file = libc().fmemopen(header, BigInt(header.length), cString("r"));
  const handle = file && fopen_offline(file, message);
  if (handle === null) {
    if (file !== null) libc().fclose(file);
    throw new UserError(`can't compile a filter for link type ${linkType}: ${textIn(message)}`);
  }
  try {
    return compileFor(handle, expression, NETMASK_OF_SAVED);
  } finally {
    close(handle);
  }
}

/**
 * The header of a saved capture, pcap-savefile(5). libpcap is given one without packets, as it
 * compiles some filters in another way for saved packets than for live ones: those of other systems
 * number address families differently.
 */
function savefileHeader(linkType: number): Uint8Array<ArrayBuffer> {
  const header = allocate(SAVEFILE.size);
  const view = new DataView(header.buffer);
  view.setUint32(SAVEFILE.magic, SAVEFILE_MAGIC, true);
  view.setUint16(SAVEFILE.majorVersion, SAVEFILE_MAJOR_VERSION, true);
  view.setUint16(SAVEFILE.minorVersion, SAVEFILE_MINOR_VERSION, true);
  view.setUint32(SAVEFILE.snaplen, MAXIMUM_SNAPLEN, true);
  view.setUint32(SAVEFILE.linkType, linkType, true);
  return header;
}

/** The instructions of a program. */
function instructionsOf(program: CompiledProgram): BpfInstruction[] {
  const words = new DataView(program.buffer);
  const count = words.getUint32(PROGRAM.length, true);
  const address = words.getBigUint64(PROGRAM.instructions, true);
  return readInstructions(copyAt(address, instructionBytes(count)), count);
}
