import { PROGRAM } from "../../src/sieve/program.ts";
import { SECRETS, SieveLayout, sieveMemory } from "../../src/sieve/sieve_memory.ts";
import { startProgram } from "../../src/wasm_program.ts";
import { testHash } from "../chosen_conversations.ts";
import { sieveSettings } from "./settings.ts";

interface HashProgram {
  setUp(...places: number[]): void;
  hashOf4(low: number, high: number, ports: number, protocol: number): number;
  hashOf6(ends: number, ports: number, protocol: number): number;
}

const UDP = 17;

const settings = sieveSettings();
const memory = sieveMemory(settings);
const { tables, lists, scratch, readPorts, signFilter, looked, secrets } = new SieveLayout(
  settings,
);
const words = new Int32Array(memory.buffer);
words.set(crypto.getRandomValues(new Int32Array(SECRETS / 4)), secrets / 4);
const program = startProgram<HashProgram>(PROGRAM, memory);
program.setUp(tables, lists, scratch, readPorts, signFilter, looked, secrets);

testHash("sieve", (addresses, ports) => {
  if (addresses.length === 2) return program.hashOf4(addresses[0], addresses[1], ports, UDP);
  words.set(addresses, lists / 4);
  return program.hashOf6(lists, ports, UDP);
});
