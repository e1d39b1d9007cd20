/*
 * The engine's program, in AssemblyScript (https://www.assemblyscript.org), which looks like TypeScript and
 * becomes WebAssembly: `deno task wasm` makes `../program.ts` of it. `../layout.ts` says what lies where.
 */
export { classifyPending, readAll, useOwn } from "./classifying";
export { setTime, useClock } from "./clock";
export {
  addPeer,
  learnClient,
  learnServer,
  noteHalfOpen,
  read as readEnd,
  takeHalfOpen,
} from "./evidence";
export { setSeeds } from "./fingerprint";
export { noteGap, useListening } from "./gathering";
export { directionFound, findFacts, wasUnknown } from "./group";
export {
  decide,
  decideByRule,
  findNetworks,
  isIgnored,
  isLocal,
  isSuppressed,
  useMapping,
  weigh,
} from "./mapping";
export {
  commit,
  flushObservations,
  observationsLeft,
  stageFlow,
  writeClient,
  writeRefusal,
} from "./observations";
export { payloadSays } from "./payload";
export {
  add4,
  add6,
  nextAddresses,
  queries,
  takeFrames,
  takeIndexed,
  taken,
  takeRecords,
} from "./packets";
export { admit, admitWords, forgottenKeysOf, setUpSuppression } from "./suppression";
export { declassifyAll, hashOf, setInterface, setUpTables, touch } from "./table";
