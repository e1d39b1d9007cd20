/** What `deno task fuzz` does for long, for a moment; and what it has found before. */
import assert from "node:assert/strict";
import { HAS_SHARED_CAPTURES, sharedCapture } from "../shared_captures.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { type FoundFailure, FuzzRun } from "./fuzz_run.ts";

const FIXED_SEED = 27;
/** Inputs of each target, about: it gets more where they take less time. */
const INPUTS: Readonly<Record<string, number>> = {
  ...{
    packets: 15,
    files: 60,
    dns: 300,
    dnstap: 40,
    lookup: 300,
    quic: 60,
    hello: 60,
    devices: 60,
    config: 40,
  },
  ...{ settings: 300, filter: 300, lines: 40, page: 100 },
};
const SHARED_CAPTURES = 40;

const captures = HAS_SHARED_CAPTURES
  ? [...Deno.readDirSync(sharedCapture("pcap"))].map(({ name }) => sharedCapture(`pcap/${name}`))
    .sort().slice(0, SHARED_CAPTURES)
  : [];
const found: readonly FoundFailure[] = JSON.parse(
  await Deno.readTextFile(new URL("./found.json", import.meta.url)),
);

async function withRun(use: (run: FuzzRun) => Promise<void>): Promise<void> {
  await using run = await FuzzRun.open(captures);
  await use(run);
}

function targetOf(run: FuzzRun, name: string): FuzzTarget {
  return run.targets.find((target) => target.name === name)!;
}

for (const seed of [FIXED_SEED, Date.now() % 2 ** 31]) {
  Deno.test(`nothing that is changed at random is taken wrongly: seed ${seed}`, () =>
    withRun(async (run) => {
      for (const target of run.targets) {
        for (let number = 0; number < INPUTS[target.name]; number++) {
          await run.once(target, seed, number);
        }
      }
      assert.deepEqual(run.failures, [], "deno task fuzz makes such inputs again, and smaller");
      // Were nothing of it whole, the test would say nothing.
      const [packets, files, ...messages] = run.targets;
      assert.ok(packets.given.packets > 1000 && packets.given.lines > 500);
      assert.ok(files.given.whole > 5 && files.given.packets > 50);
      for (const { name, given } of messages) {
        assert.ok((given.messages ?? given.answers) > INPUTS[name] / 2, name);
      }
    }));
}

Deno.test("what was taken wrongly once is not any more", () =>
  withRun(async (run) => {
    for (const { target: name, input } of found) {
      const target = targetOf(run, name);
      const bytes = Uint8Array.fromBase64(input);
      await (target.checkAlone?.(bytes) ?? target.check(bytes));
    }
  }));
