import { EngineMemory, NO_HOST } from "../../src/engine/engine_memory.ts";
import { LIST6, WORD } from "../../src/engine/layout.ts";
import { testHash } from "../chosen_conversations.ts";

const UDP = 17;

const memory = new EngineMemory(10, 10);
const program = memory.start(NO_HOST);

testHash("engine", (addresses, ports) => {
  memory.words.set(addresses, LIST6 / WORD);
  return program.hashOf(addresses.length > 2, LIST6, ports, UDP);
});
