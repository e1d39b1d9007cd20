/**
 * Has targets take inputs until a time is over, in a process of its own: what ends it, or has it hang, is
 * told by `fuzz.ts`, which has started it.
 *
 * @module
 */
import { WRONG_USAGE } from "../../src/user_error.ts";
import { SeededRandom } from "../seeded_random.ts";
import { type FoundFailure, FuzzRun } from "./fuzz_run.ts";
import { reachedBranches } from "./reached_branches.ts";

/** What is to be done. */
export interface FuzzOrder {
  readonly seed: number;
  readonly seconds: number;
  readonly captures: readonly string[];
  /** Names of targets; all if there is none. */
  readonly targets: readonly string[];
  /** Where the input is that is taken now. */
  readonly current: string;
}

/** What is told about each second. */
export interface FuzzState {
  readonly target: string;
  readonly number: number;
  readonly cases: number;
  readonly given: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Resident memory of the process, in bytes. */
  readonly resident: number;
  /** Numbers of branches that were taken since this was said last. */
  readonly reached: readonly number[];
  /** Those that were found since this was said last. */
  readonly failures: readonly FoundFailure[];
}

const SAY_EVERY = 1000;

const order: FuzzOrder = JSON.parse(Deno.args[0]);
const run = await FuzzRun.open(order.captures);
const told = new Uint8Array(reachedBranches.length);
let toldFailures = 0;
const targets = run.targets.filter(({ name }) =>
  order.targets.length === 0 || order.targets.includes(name)
);
const names = run.targets.map(({ name }) => name);
const unknown = order.targets.find((it) => !names.includes(it));
if (unknown !== undefined) {
  console.error(`there is no target "${unknown}": there are ${names.join(", ")}`);
  Deno.exit(WRONG_USAGE);
}
const turns = targets.flatMap((target) => Array.from({ length: target.weight }, () => target));
const random = new SeededRandom(order.seed);
const numbers = new Map(targets.map(({ name }) => [name, 0]));
const file = await Deno.open(order.current, { write: true, create: true });
run.onCase = (_target, input) => {
  file.truncateSync();
  file.seekSync(0, Deno.SeekMode.Start);
  file.writeSync(input);
};
const end = performance.now() + order.seconds * 1000;
for (let said = 0; performance.now() < end;) {
  const target = random.of(turns);
  const number = numbers.get(target.name)!;
  numbers.set(target.name, number + 1);
  if (performance.now() > said + SAY_EVERY) {
    said = performance.now();
    say(target.name, number);
  }
  await run.once(target, order.seed, number);
  // Timers have their turn, and what was sent is received.
  if (number % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
}
say("", 0);
await run[Symbol.asyncDispose]();
// Connections that the page has been left with don't matter any more.
Deno.exit(0);

function say(target: string, number: number): void {
  const reached: number[] = [];
  for (let branch = 0; branch < told.length; branch++) {
    if (reachedBranches[branch] === told[branch]) continue;
    told[branch] = 1;
    reached.push(branch);
  }
  const state: FuzzState = {
    target,
    number,
    cases: run.cases,
    given: Object.fromEntries(run.targets.map(({ name, given }) => [name, { ...given }])),
    resident: Deno.memoryUsage().rss,
    reached,
    failures: run.failures.slice(toldFailures),
  };
  toldFailures = run.failures.length;
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(state)}\n`));
}
