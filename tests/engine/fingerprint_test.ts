import { EngineMemory, NO_HOST } from "../../src/engine/engine_memory.ts";
import {
  CELL4_SHIFT,
  CELL6_SHIFT,
  CELL_ADDRESSES,
  CELL_PORTS,
  CELL_STATE,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
  WORD,
} from "../../src/engine/layout.ts";
import { testHash } from "../chosen_conversations.ts";

const UDP = 17;
const NUMBER = 1;

const memory = new EngineMemory(10, 10);
const program = memory.start(NO_HOST);

function fingerprintOf(addresses: readonly number[], ports: number): bigint {
  const isIpv6 = addresses.length > 2;
  const { words } = memory;
  const cells = words[(isIpv6 ? TABLE6 : TABLE4) / WORD + TABLE_CELLS / WORD];
  const cell = (cells + NUMBER * 2 ** (isIpv6 ? CELL6_SHIFT : CELL4_SHIFT)) / WORD;
  words[cell + CELL_PORTS / WORD] = ports;
  words[cell + CELL_STATE / WORD] = UDP;
  words.set(addresses, cell + CELL_ADDRESSES / WORD);
  return program.fingerprintOf(isIpv6, NUMBER);
}

testHash(
  "first half of fingerprints",
  (...words) => Number(fingerprintOf(...words) & 0xffff_ffffn),
);
testHash(
  "second half of fingerprints",
  (...words) => Number((fingerprintOf(...words) >> 32n) & 0xffff_ffffn),
);
