import assert from "node:assert/strict";
import { threadStatuses } from "../process_status.ts";
import type { RunningProgram } from "./program.ts";

/** Asserts that a program has given up root and all that root may do, in every thread. */
export function assertNothingLeft({ pid }: RunningProgram, { isBounded = true } = {}): void {
  const threads = threadStatuses(pid);
  assert.ok(threads.length > 1);
  for (const status of threads) {
    for (const ids of ["Uid", "Gid"]) assert.match(status.get(ids)!, /^([1-9]\d*)(\t\1){3}$/);
    assert.doesNotMatch(status.get("Groups") ?? "", /\b0\b/);
    const empty = ["CapPrm", "CapEff", "CapAmb", ...(isBounded ? ["CapBnd"] : [])];
    for (const set of empty) assert.match(status.get(set)!, /^0+$/, set);
    assert.equal(status.get("NoNewPrivs"), "1");
  }
}
