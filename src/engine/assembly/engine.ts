/*
 * The engine's program, in AssemblyScript (https://www.assemblyscript.org), which looks like TypeScript and
 * becomes WebAssembly: `deno task wasm` makes `../program.ts` of it. `../layout.ts` says what lies where.
 */
export { announce, setUpAnnounced } from "./announcing";
export { setUpAskers } from "./asking";
export { classifyPending, readAll, useOwn } from "./classifying";
export { setTime, useClock } from "./clock";
export {
  addPeer,
  fingerprintOf,
  forgottenEnds,
  forgottenHalfOpen,
  learnClient,
  learnServer,
  noteHalfOpen,
  onlyOpenedCount,
  read as readEnd,
  setUpEvidence,
  takeHalfOpen,
} from "./evidence";
export { noteGap, useListening } from "./gathering";
export { addWhole, directionFound, findFacts, takeGroup, wasUnknown } from "./group";
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
  admitObservation,
  commit,
  flushObservations,
  flushSeen,
  observationsLeft,
  stageFlow,
  wantSeen,
  writeClient,
  writeRefusal,
} from "./observations";
export { wantNames } from "./naming";
export { payloadSays } from "./payload";
export {
  add4,
  add6,
  addOuter4,
  addOuter6,
  nextAddresses,
  queries,
  setTunnel,
  takeFrames,
  takeIndexed,
  taken,
  takeRecords,
  useTunnels,
} from "./packets";
export {
  endRecords,
  flushRecords,
  noteUnreachable,
  recordFacts,
  walkRecords,
  wantFlowRecords,
  wantRecords,
} from "./records";
export { admit, forgottenKeysOf, setUpSuppression } from "./suppression";
export { declassifyAll, hashOf, setInterface, setUpTables, touch, wantEnds } from "./table";
