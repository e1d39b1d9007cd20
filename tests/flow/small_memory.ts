import { type MeterHost, MeterMemory } from "../../src/flow/meter_memory.ts";

/** A meter's memory with room for few conversations, whose program has nobody to ask. */
export function smallMemory(): MeterMemory {
  const unasked = () => {
    throw new Error("asked for something");
  };
  const host: MeterHost = {
    judge: unasked,
    handOn: unasked,
    followTime: unasked,
    prepareForgetting: unasked,
    takeOther: unasked,
    takeReset: unasked,
    judgeOwn: unasked,
    isListening: unasked,
    askFunction: unasked,
    corrected: unasked,
    forgetRepeats: unasked,
  };
  const options = { maxConversations: 10, windowsSuppressed: 3, hasOwn: false, hasListening: false };
  return new MeterMemory({ ...options, host });
}
