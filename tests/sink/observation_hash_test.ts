import { PROGRAM } from "../../src/sink/observation_program.ts";
import { startProgram } from "../../src/wasm_program.ts";
import { testHash } from "../chosen_conversations.ts";

interface HashProgram {
  setUp(families: number, secrets: number): void;
  hashOf(addresses: number, what: number, protocol: number): number;
}

const UDP = 17;
const FAMILIES = 64;
const SECRETS = 1024;
const ADDRESSES = 2048;

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const words = new Uint32Array(memory.buffer);
words.set(crypto.getRandomValues(new Uint32Array(64)), SECRETS / 4);
const program = startProgram<HashProgram>(PROGRAM, memory);
program.setUp(FAMILIES, SECRETS);

testHash("observations", (addresses, ports) => {
  const isIpv4 = addresses.length === 2;
  words.set(isIpv4 ? [0, 0, 0, addresses[0], 0, 0, 0, addresses[1]] : addresses, ADDRESSES / 4);
  return program.hashOf(ADDRESSES, ports, UDP);
});
