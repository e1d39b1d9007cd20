import assert from "node:assert/strict";
import fc from "fast-check";
import { interpreter, packetFilter, translate } from "../../src/capture/bpf.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";

const LENGTH_ON_WIRE = 1500;

/** `[code, k]`, or `[code, k, jt, jf]`. */
type Line = readonly [code: number, k: number, jt?: number, jf?: number];

function program(...lines: Line[]): BpfInstruction[] {
  return lines.map(([code, k, jt = 0, jf = 0]) => ({ code, jt, jf, k }));
}

/** Runs a program in both ways over a packet in the middle of a buffer, and compares them. */
function result(packet: readonly number[], ...lines: Line[]): number {
  const instructions = program(...lines);
  packetFilter(instructions);
  const buffer = new Uint8Array([0xaa, 0xaa, 0xaa, ...packet, 0xbb, 0xbb, 0xbb, 0xbb]);
  const interpreted = interpreter(instructions)(buffer, 3, packet.length, LENGTH_ON_WIRE);
  const translated = translate(instructions)(buffer, 3, packet.length, LENGTH_ON_WIRE);
  assert.equal(translated, interpreted);
  return interpreted;
}

const LD_IMM = 0x00;
const LD_W_ABS = 0x20;
const LD_H_ABS = 0x28;
const LD_B_ABS = 0x30;
const LD_W_IND = 0x40;
const LD_H_IND = 0x48;
const LD_B_IND = 0x50;
const LD_MEM = 0x60;
const LD_LEN = 0x80;
const LDX_IMM = 0x01;
const LDX_MEM = 0x61;
const LDX_LEN = 0x81;
const LDX_MSH = 0xb1;
const ST = 0x02;
const STX = 0x03;
const [ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR] = Array.from(
  { length: 11 },
  (_, operation) => 0x04 | operation << 4,
);
const X = 0x08;
const JA = 0x05;
const [JEQ, JGT, JGE, JSET] = [0x15, 0x25, 0x35, 0x45];
const RET = 0x06;
const RET_A = 0x16;
const TAX = 0x07;
const TXA = 0x87;

const PACKET = [0x46, 0x02, 0x03, 0xff, 0x80, 0x00, 0x00, 0x01];

/** The value of A after these instructions. */
function a(...lines: Line[]): number {
  return result(PACKET, ...lines, [RET_A, 0]);
}

Deno.test("a packet filter loads words, halfwords and bytes in network order", () => {
  assert.equal(a([LD_W_ABS, 0]), 0x460203ff);
  assert.equal(a([LD_W_ABS, 4]), 0x80000001);
  assert.equal(a([LD_H_ABS, 2]), 0x03ff);
  assert.equal(a([LD_B_ABS, 3]), 0xff);
  assert.equal(a([LDX_IMM, 3], [LD_W_IND, 1]), 0x80000001);
  assert.equal(a([LDX_IMM, 3], [LD_H_IND, 0]), 0xff80);
  assert.equal(a([LDX_IMM, 3], [LD_B_IND, 0]), 0xff);
});

Deno.test("a packet filter rejects a packet that is too short for a load", () => {
  const matches: Line = [RET, 1];
  for (
    const [code, size] of [[LD_W_ABS, 4], [LD_H_ABS, 2], [LD_B_ABS, 1], [LDX_MSH, 1]] as const
  ) {
    assert.equal(result(PACKET, [code, 8 - size], matches), 1);
    assert.equal(result(PACKET, [code, 9 - size], matches), 0);
    assert.equal(result(PACKET, [code, 0xffffffff], matches), 0);
  }
  for (const [code, size] of [[LD_W_IND, 4], [LD_H_IND, 2], [LD_B_IND, 1]] as const) {
    assert.equal(result(PACKET, [LDX_IMM, 4], [code, 4 - size], matches), 1);
    assert.equal(result(PACKET, [LDX_IMM, 4], [code, 5 - size], matches), 0);
  }
});

Deno.test("a packet filter rejects an indexed load whose sum is beyond 32 bits", () => {
  assert.equal(result(PACKET, [LDX_IMM, 0xffffffff], [LD_B_IND, 1], [RET, 1]), 0);
});

Deno.test("a packet filter takes four times the low half of a byte as a header's length", () => {
  assert.equal(a([LDX_MSH, 0], [TXA, 0]), 24);
  assert.equal(a([LDX_MSH, 3], [TXA, 0]), 60);
});

Deno.test("a packet filter knows the length on the wire", () => {
  assert.equal(a([LD_LEN, 0]), LENGTH_ON_WIRE);
  assert.equal(a([LDX_LEN, 0], [TXA, 0]), LENGTH_ON_WIRE);
});

Deno.test("a packet filter calculates with 32 bits without a sign", () => {
  const calculate = (operation: number, left: number, right: number) => {
    const constant = a([LD_IMM, left], [operation, right]);
    assert.equal(a([LD_IMM, left], [LDX_IMM, right], [operation | X, 0]), constant);
    return constant;
  };
  assert.equal(calculate(ADD, 0xffffffff, 2), 1);
  assert.equal(calculate(SUB, 1, 2), 0xffffffff);
  assert.equal(calculate(MUL, 0xffffffff, 0xffffffff), 1);
  assert.equal(calculate(DIV, 0xffffffff, 2), 0x7fffffff);
  assert.equal(calculate(MOD, 0xffffffff, 10), 5);
  assert.equal(calculate(OR, 0x80000000, 1), 0x80000001);
  assert.equal(calculate(AND, 0xffffffff, 0x80000000), 0x80000000);
  assert.equal(calculate(XOR, 0xffffffff, 1), 0xfffffffe);
  assert.equal(calculate(LSH, 3, 31), 0x80000000);
  assert.equal(calculate(RSH, 0x80000000, 31), 1);
  assert.equal(calculate(LSH, 1, 32), 0);
  assert.equal(calculate(RSH, 0xffffffff, 40), 0);
  assert.equal(a([LD_IMM, 1], [NEG, 0]), 0xffffffff);
  assert.equal(a([LD_IMM, 0], [NEG, 0]), 0);
});

Deno.test("a packet filter rejects a packet when it divides by 0", () => {
  assert.equal(result(PACKET, [LD_IMM, 1], [LDX_IMM, 0], [DIV | X, 0], [RET, 1]), 0);
  assert.equal(result(PACKET, [LD_IMM, 1], [LDX_IMM, 0], [MOD | X, 0], [RET, 1]), 0);
});

Deno.test("a packet filter's scratch memory is 0 for each packet", () => {
  assert.equal(a([LD_IMM, 7], [ST, 15], [LD_IMM, 0], [LD_MEM, 15]), 7);
  assert.equal(a([LDX_IMM, 9], [STX, 0], [LDX_MEM, 0], [TXA, 0]), 9);
  const counts = program([LD_MEM, 3], [ADD, 1], [ST, 3], [RET_A, 0]);
  for (const filter of [interpreter(counts), translate(counts)]) {
    assert.equal(filter(new Uint8Array(4), 0, 4, 4), 1);
    assert.equal(filter(new Uint8Array(4), 0, 4, 4), 1);
  }
});

Deno.test("a packet filter's jumps compare without a sign", () => {
  const jumps = (operation: number, left: number, right: number) => {
    const constant = result(
      PACKET,
      [LD_IMM, left],
      [operation, right, 1, 0],
      [RET, 2],
      [RET, 1],
    );
    assert.equal(
      result(
        PACKET,
        [LD_IMM, left],
        [LDX_IMM, right],
        [operation | X, 0, 0, 1],
        [RET, 1],
        [RET, 2],
      ),
      constant,
    );
    return constant === 1;
  };
  assert.equal(jumps(JEQ, 0x80000000, 0x80000000), true);
  assert.equal(jumps(JEQ, 1, 2), false);
  assert.equal(jumps(JGT, 0x80000000, 1), true);
  assert.equal(jumps(JGT, 1, 1), false);
  assert.equal(jumps(JGE, 1, 1), true);
  assert.equal(jumps(JGE, 1, 0xffffffff), false);
  assert.equal(jumps(JSET, 0x80000001, 0x80000000), true);
  assert.equal(jumps(JSET, 2, 1), false);
  assert.equal(a([JA, 1], [LD_IMM, 9], [ADD, 1]), 1);
});

Deno.test("packetFilter() refuses a program that the kernel would refuse too", () => {
  const refused = (fault: string, ...lines: Line[]) =>
    assert.throws(() => packetFilter(program(...lines)), {
      name: "UserError",
      message: `filter program: ${fault}`,
    });
  refused("it does not end with a return");
  refused("it does not end with a return", [LD_IMM, 0]);
  refused("instruction 0: unknown code 0xffff", [0xffff, 0], [RET, 0]);
  refused("instruction 0: unknown code 0xe", [RET | X, 0], [RET, 0]);
  refused("instruction 0: a jump outside of the program", [JEQ, 0, 0, 1], [RET, 0]);
  refused("instruction 0: a jump outside of the program", [JEQ, 0, 1, 0], [RET, 0]);
  refused("instruction 0: a jump outside of the program", [JA, 1], [RET, 0]);
  refused("instruction 0: a jump outside of the program", [JA, 0xfffffffe], [RET, 0]);
  refused("instruction 0: no memory word 16", [ST, 16], [RET, 0]);
  refused("instruction 0: no memory word 16", [LDX_MEM, 16], [RET, 0]);
  refused("instruction 0: a division by 0", [DIV, 0], [RET, 0]);
  refused("instruction 0: a division by 0", [MOD, 0], [RET, 0]);
});

Deno.test("packetFilter() runs programs with more jumps than can be nested", () => {
  const lines: Line[] = [[LD_B_ABS, 0]];
  const tests = 20_000;
  // Each test but the last goes on to the next one, two further: all of them are jump targets.
  for (let test = 0; test < tests; test++) lines.push([JEQ, 0x100 + test, 0, 1], [RET, 9]);
  lines.push([RET, 5]);
  const filter = packetFilter(program(...lines));
  assert.equal(filter(new Uint8Array([1]), 0, 1, 1), 5);
});

Deno.test("packetFilter() rejects a packet in which a loop does not end", () => {
  const filter = packetFilter(program([JA, 0xffffffff], [RET, 1]));
  assert.equal(filter(new Uint8Array(100), 0, 100, 100), 0);
});

Deno.test("a translated program does what an interpreted one does, for any program", () => {
  const word = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.nat({ max: 0xffffffff }),
    fc.constantFrom(0xffffffff, 0x80000000, 31, 32),
  );
  const plain = fc.constantFrom(
    ...[LD_IMM, LD_W_ABS, LD_H_ABS, LD_B_ABS, LD_W_IND, LD_H_IND, LD_B_IND, LD_LEN],
    ...[LDX_IMM, LDX_LEN, LDX_MSH, TAX, TXA, NEG],
    ...[ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, MOD, XOR].flatMap((code) => [code, code | X]),
  );
  const memory = fc.constantFrom(LD_MEM, LDX_MEM, ST, STX);
  const jump = fc.constantFrom(...[JEQ, JGT, JGE, JSET].flatMap((code) => [code, code | X]), JA);
  const distance = fc.integer({ min: 0, max: 30 });
  const instruction = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(plain, word) },
    { weight: 1, arbitrary: fc.tuple(memory, fc.integer({ min: 0, max: 15 })) },
    { weight: 2, arbitrary: fc.tuple(jump, word, distance, distance) },
  );
  const drawn = fc.record({
    lines: fc.array(instruction, { maxLength: 30 }),
    packet: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(drawn, ({ lines, packet }) => {
      result([...packet], ...lines.map((line, at) => valid(line, lines.length - at)), [RET_A, 0]);
    }),
    { numRuns: 2000 },
  );

  /** @param following How many instructions come after it. */
  function valid([code, k, jt = 0, jf = 0]: readonly number[], following: number): Line {
    const within = (distance: number) => distance % following;
    if (code === JA) return [code, within(k)];
    if ((code & 7) === 5) return [code, k, within(jt), within(jf)];
    return code === DIV || code === MOD ? [code, k || 1] : [code, k];
  }
});
