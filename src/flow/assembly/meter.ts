/*
 * What a `FlowMeter` does with a sighting and when it judges, in AssemblyScript, as src/sieve/assembly
 * is: `deno task wasm` makes `meter_program.ts` of it. `meter_memory.ts` says what lies where.
 */
export { setUpCells } from "./cells";
export { addDue, setUpDue } from "./due";
export {
  fingerprintOf,
  forgottenEnds,
  forgottenHalfOpen,
  learnClient,
  learnServer,
  meet,
  noteHalfOpen,
  onlyOpenedCount,
  read,
  setUpEvidence,
  takeHalfOpen,
} from "./evidence";
export { gather, noteControl, noteGap, noteLook, setUpGathering } from "./gathering";
export { judgeDue, observations, readAll, setUpJudging } from "./judging";
export {
  admit,
  admitObservation,
  commit,
  forgotten,
  setUpKeys,
  setUpWriter,
  stageFlow,
} from "./keys";
export { decide, isIgnored, isSuppressed, setMapping } from "./mapping";
export { listSeen, seenListed } from "./seen";
export { setUpBecame } from "./no_flow";
export { placedEnd, takeSightings } from "./sightings";
export { setTime } from "./time";
