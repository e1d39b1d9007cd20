import assert from "node:assert/strict";
import { Losses } from "../../src/sink/losses.ts";
import { MemoryLog } from "../memory_log.ts";
import { until } from "./redis_sink_waits.ts";

Deno.test("Losses says what was lost soon, in one line, and no more within a minute", async () => {
  const log = new MemoryLog();
  const losses = new Losses("standard output", "lines", log);
  losses.add(0, "nothing");
  for (let i = 0; i < 1000; i++) losses.add(2, "too slow");
  losses.add(5, "refused", "OOM");
  assert.deepEqual(log.lines, []);
  await until(() => log.lines.length > 0);
  losses.add(7, "refused", "READONLY");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  losses.close();
  assert.deepEqual(log.lines, [
    "warn: standard output: 2005 lines were lost (2000: too slow; 5: refused: OOM)",
  ]);
  assert.equal(losses.total, 2012);
  assert.equal(
    losses.text(),
    "standard output: 2012 lines were lost (2000: too slow; 12: refused: READONLY)",
  );
});

Deno.test("Losses says nothing of what was said otherwise, and nothing of nothing", async () => {
  const log = new MemoryLog();
  const losses = new Losses("the table", "rows", log);
  assert.equal(losses.text(), null);
  losses.add(3, "refused");
  losses.noteSaid("refused");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  losses.close();
  assert.deepEqual(log.lines, []);
  assert.equal(losses.total, 3);
});
