import { UserError } from "../user_error.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";

/**
 * The classic BSD packet filter: McCanne and Jacobson, "The BSD Packet Filter", USENIX 1993,
 * section 3, with the numbers of `<pcap/bpf.h>`. What a program may do is checked once; then it
 * can neither run for ever nor read outside of a packet. Jumps go forward, but for the loops that
 * `protochain` of pcap-filter(7) needs.
 */

/**
 * Decides about a packet.
 *
 * @param bytes The buffer that the packet is in.
 * @param offset Where its first byte is.
 * @param captured How many bytes of it are there; `offset + captured` is within the buffer.
 * @param length How many bytes it had on the wire.
 * @returns How many bytes of it are wanted; 0 for a packet that does not match.
 */
export type PacketFilter = (
  bytes: Uint8Array,
  offset: number,
  captured: number,
  length: number,
) => number;

/** Bits 0 to 2 of a code: the class. */
const CLASS_MASK = 0x07;
const LD = 0x00;
const LDX = 0x01;
const ST = 0x02;
const STX = 0x03;
const ALU = 0x04;
const JMP = 0x05;
const RET = 0x06;
const MISC = 0x07;

/** Bits 3 and 4 of a load: the size of the operand. */
const SIZE_MASK = 0x18;
const W = 0x00;
const H = 0x08;
const B = 0x10;

/** Bits 5 to 7 of a load: where the operand is. */
const MODE_MASK = 0xe0;
const IMM = 0x00;
const ABS = 0x20;
const IND = 0x40;
const MEM = 0x60;
const LEN = 0x80;
const MSH = 0xa0;

/** Bits 4 to 7 of ALU and JMP: the operation. */
const OPERATION_MASK = 0xf0;
const ADD = 0x00;
const SUB = 0x10;
const MUL = 0x20;
const DIV = 0x30;
const OR = 0x40;
const AND = 0x50;
const LSH = 0x60;
const RSH = 0x70;
const NEG = 0x80;
const MOD = 0x90;
const XOR = 0xa0;
const JA = 0x00;
const JEQ = 0x10;
const JGT = 0x20;
const JGE = 0x30;
const JSET = 0x40;

/** Bit 3 of ALU and JMP: whether the operand is register X and not the constant. */
const X = 0x08;
/** Bits 3 and 4 of RET: whether register A is returned and not the constant. */
const RETURN_MASK = 0x18;
const RETURN_A = 0x10;
/** Of MISC: from A to X, or from X to A. */
const TAX = 0x00;
const TXA = 0x80;

/** Words of scratch memory, `BPF_MEMWORDS`. */
const MEMORY_WORDS = 16;
/** Widest shift that has a meaning; a wider one gives 0. */
const WORD_BITS = 32;

/**
 * Most jump targets of a program that is translated. Each is a block in a block for V8's parser,
 * whose stack has an end, met at some thousands.
 */
const MOST_BLOCKS = 250;

/**
 * A filter that runs a program: translated to JavaScript once, as this is 2 to 15 times as fast; a
 * program that is too long for that, or has a loop, is interpreted.
 *
 * @throws {UserError} when the program is not a valid one.
 */
export function packetFilter(program: readonly BpfInstruction[]): PacketFilter {
  checkProgram(program);
  return program.some(isBackward) || jumpTargets(program).size > MOST_BLOCKS
    ? interpreter(program)
    : translate(program);
}

/** A filter that interprets a program, which must be valid. */
export function interpreter(program: readonly BpfInstruction[]): PacketFilter {
  const memory = new Uint32Array(MEMORY_WORDS);
  return (bytes, offset, captured, length) => {
    let a = 0;
    let x = 0;
    let loops = 0;
    memory.fill(0);
    for (let at = 0;; at++) {
      const { code, jt, jf, k } = program[at];
      switch (code & CLASS_MASK) {
        case LD: {
          const mode = code & MODE_MASK;
          if (mode === IMM) a = k;
          else if (mode === MEM) a = memory[k];
          else if (mode === LEN) a = length;
          else {
            const from = mode === IND ? x + k : k;
            const size = sizeOf(code);
            if (from + size > captured) return 0;
            a = load(bytes, offset + from, size);
          }
          break;
        }
        case LDX: {
          const mode = code & MODE_MASK;
          if (mode === IMM) x = k;
          else if (mode === MEM) x = memory[k];
          else if (mode === LEN) x = length;
          else if (k >= captured) return 0;
          else x = (bytes[offset + k] & 0xf) << 2;
          break;
        }
        case ST:
          memory[k] = a;
          break;
        case STX:
          memory[k] = x;
          break;
        case ALU: {
          const operand = code & X ? x : k;
          const operation = code & OPERATION_MASK;
          if (operand === 0 && (operation === DIV || operation === MOD)) return 0;
          a = calculate(operation, a, operand);
          break;
        }
        case JMP: {
          const operation = code & OPERATION_MASK;
          if (operation === JA) {
            const distance = k | 0;
            // A loop goes from header to header: one that goes on longer than the packet is endless.
            if (distance < 0 && ++loops > captured) return 0;
            at += distance;
          } else at += holds(operation, a, code & X ? x : k) ? jt : jf;
          break;
        }
        case RET:
          return (code & RETURN_MASK) === RETURN_A ? a : k;
        case MISC:
          if ((code & 0xf8) === TXA) a = x;
          else x = a;
          break;
      }
    }
  };
}

/**
 * A filter that is a JavaScript function made from a program, which must be valid and without loops.
 *
 * As jumps go forward only, each instruction that is jumped to gets a labelled block that ends in
 * front of it, with those of earlier targets inside: leaving the block is the jump. The text has
 * nothing in it but our own words and numbers below 2^32.
 */
export function translate(program: readonly BpfInstruction[]): PacketFilter {
  const targets = [...jumpTargets(program)].sort((one, other) => one - other);
  const lines = ["let a = 0, x = 0;"];
  for (let word = 0; word < MEMORY_WORDS; word++) lines.push(`let m${word} = 0;`);
  for (const target of targets.toReversed()) lines.push(`L${target}: {`);
  for (const [at, instruction] of program.entries()) {
    if (targets[0] === at) {
      lines.push("}");
      targets.shift();
    }
    lines.push(statement(instruction, at));
  }
  const body = `"use strict"; return (p, o, c, n) => {\n${lines.join("\n")}\n}`;
  return new Function(body)() as PacketFilter;
}

/** An instruction as JavaScript; p, o, c, n are the parameters of {@linkcode PacketFilter}. */
function statement({ code, jt, jf, k }: BpfInstruction, at: number): string {
  const mode = code & MODE_MASK;
  const operand = code & X ? "x" : String(k);
  switch (code & CLASS_MASK) {
    case LD:
      return mode === ABS || mode === IND
        ? packetLoad(sizeOf(code), mode === IND, k)
        : `a = ${mode === IMM ? k : mode === MEM ? `m${k}` : "n"};`;
    case LDX:
      return mode === MSH
        ? `if (${k} >= c) return 0; x = (p[o + ${k}] & 15) << 2;`
        : `x = ${mode === IMM ? k : mode === MEM ? `m${k}` : "n"};`;
    case ST:
      return `m${k} = a;`;
    case STX:
      return `m${k} = x;`;
    case ALU:
      return calculation(code & OPERATION_MASK, operand);
    case JMP: {
      const operation = code & OPERATION_MASK;
      if (operation === JA) return jump(at, k);
      return `if (${condition(operation, operand)}) ${jump(at, jt)} else ${jump(at, jf)}`;
    }
    case RET:
      return `return ${(code & RETURN_MASK) === RETURN_A ? "a" : k};`;
    default:
      return (code & 0xf8) === TXA ? "a = x;" : "x = a;";
  }
}

function packetLoad(size: number, isIndexed: boolean, k: number): string {
  const from = isIndexed ? `x + ${k}` : String(k);
  const byte = (index: number) => `p[i + ${index}]`;
  const value = size === 1
    ? byte(0)
    : size === 2
    ? `${byte(0)} << 8 | ${byte(1)}`
    : `(${byte(0)} << 24 | ${byte(1)} << 16 | ${byte(2)} << 8 | ${byte(3)}) >>> 0`;
  return `{ const f = ${from}; if (f + ${size} > c) return 0; const i = o + f; a = ${value}; }`;
}

function calculation(operation: number, operand: string): string {
  switch (operation) {
    case ADD:
      return `a = (a + ${operand}) >>> 0;`;
    case SUB:
      return `a = (a - ${operand}) >>> 0;`;
    case MUL:
      return `a = Math.imul(a, ${operand}) >>> 0;`;
    case DIV:
      return `if (${operand} === 0) return 0; a = (a / ${operand}) >>> 0;`;
    case MOD:
      return `if (${operand} === 0) return 0; a = a % ${operand};`;
    case OR:
      return `a = (a | ${operand}) >>> 0;`;
    case AND:
      return `a = (a & ${operand}) >>> 0;`;
    case XOR:
      return `a = (a ^ ${operand}) >>> 0;`;
    case LSH:
      return `a = ${operand} < ${WORD_BITS} ? (a << ${operand}) >>> 0 : 0;`;
    case RSH:
      return `a = ${operand} < ${WORD_BITS} ? a >>> ${operand} : 0;`;
    default:
      return "a = -a >>> 0;";
  }
}

function condition(operation: number, operand: string): string {
  switch (operation) {
    case JEQ:
      return `a === ${operand}`;
    case JGT:
      return `a > ${operand}`;
    case JGE:
      return `a >= ${operand}`;
    default:
      return `(a & ${operand}) !== 0`;
  }
}

/** Skips instructions: none needs no words. */
function jump(at: number, distance: number): string {
  return distance === 0 ? ";" : `break L${at + 1 + distance};`;
}

/** The instructions that are jumped to, but for those that come next anyhow. */
function jumpTargets(program: readonly BpfInstruction[]): Set<number> {
  const targets = new Set<number>();
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    if ((code & CLASS_MASK) !== JMP) continue;
    const distances = (code & OPERATION_MASK) === JA ? [k] : [jt, jf];
    for (const distance of distances) if (distance > 0) targets.add(at + 1 + distance);
  }
  return targets;
}

function calculate(operation: number, a: number, operand: number): number {
  switch (operation) {
    case ADD:
      return (a + operand) >>> 0;
    case SUB:
      return (a - operand) >>> 0;
    case MUL:
      return Math.imul(a, operand) >>> 0;
    case DIV:
      return (a / operand) >>> 0;
    case MOD:
      return a % operand;
    case OR:
      return (a | operand) >>> 0;
    case AND:
      return (a & operand) >>> 0;
    case XOR:
      return (a ^ operand) >>> 0;
    case LSH:
      return operand < WORD_BITS ? (a << operand) >>> 0 : 0;
    case RSH:
      return operand < WORD_BITS ? a >>> operand : 0;
    default:
      return -a >>> 0;
  }
}

function holds(operation: number, a: number, operand: number): boolean {
  switch (operation) {
    case JEQ:
      return a === operand;
    case JGT:
      return a > operand;
    case JGE:
      return a >= operand;
    default:
      return (a & operand) !== 0;
  }
}

/** Network order, as all loads of the packet filter are. */
function load(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let index = 0; index < size; index++) value = value * 256 + bytes[at + index];
  return value;
}

/** Bytes of the operand of a load. */
function sizeOf(code: number): number {
  const size = code & SIZE_MASK;
  return size === W ? 4 : size === H ? 2 : 1;
}

/** Whether it jumps to itself or to what was before: the distance of this one jump has a sign. */
function isBackward({ code, k }: BpfInstruction): boolean {
  return code === (JMP | JA) && (k | 0) < 0;
}

/**
 * Checks what the filter of the kernel checks too: known instructions only, no jump outside of the
 * program, no other scratch memory, no division by the constant 0, and a return at the end.
 *
 * @throws {UserError} that names the instruction.
 */
function checkProgram(program: readonly BpfInstruction[]): void {
  for (const [at, instruction] of program.entries()) {
    const fault = faultOf(instruction, at, program.length);
    if (fault !== null) throw new UserError(`filter program: instruction ${at}: ${fault}`);
  }
  const last = program.at(-1);
  if (last === undefined || (last.code & CLASS_MASK) !== RET) {
    throw new UserError("filter program: it does not end with a return");
  }
}

/** @param at Its place in a program of `count` instructions. */
function faultOf(instruction: BpfInstruction, at: number, count: number): string | null {
  const { code, jt, jf, k } = instruction;
  if (!KNOWN_CODES.has(code)) return `unknown code 0x${code.toString(16)}`;
  const kind = code & CLASS_MASK;
  const operation = code & OPERATION_MASK;
  if (kind === JMP) {
    const target = at + 1 + (operation === JA ? k | 0 : Math.max(jt, jf));
    return target >= 0 && target < count ? null : "a jump outside of the program";
  }
  if (usesMemory(code) && k >= MEMORY_WORDS) return `no memory word ${k}`;
  const divides = kind === ALU && !(code & X) && (operation === DIV || operation === MOD);
  return divides && k === 0 ? "a division by 0" : null;
}

function usesMemory(code: number): boolean {
  const kind = code & CLASS_MASK;
  return kind === ST || kind === STX ||
    ((kind === LD || kind === LDX) && (code & MODE_MASK) === MEM);
}

const KNOWN_CODES: ReadonlySet<number> = new Set([
  ...[W, H, B].flatMap((size) => [LD | ABS | size, LD | IND | size]),
  ...[IMM, MEM, LEN].flatMap((mode) => [LD | mode, LDX | mode]),
  LDX | MSH | B,
  ST,
  STX,
  ...[ADD, SUB, MUL, DIV, MOD, OR, AND, XOR, LSH, RSH].flatMap((operation) => [
    ALU | operation,
    ALU | operation | X,
  ]),
  ALU | NEG,
  JMP | JA,
  ...[JEQ, JGT, JGE, JSET].flatMap((operation) => [JMP | operation, JMP | operation | X]),
  RET,
  RET | RETURN_A,
  MISC | TAX,
  MISC | TXA,
]);
