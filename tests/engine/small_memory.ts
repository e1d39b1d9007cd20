import { EngineMemory, type EngineProgram, NO_HOST } from "../../src/engine/engine_memory.ts";

/** An engine's program with room for few conversations, which has nobody to ask. */
export function smallProgram(): EngineProgram {
  return new EngineMemory(10, 10).start(NO_HOST);
}
