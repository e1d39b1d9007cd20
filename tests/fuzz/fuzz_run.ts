import { SeededRandom } from "../seeded_random.ts";
import { capturesOf, ownCaptures } from "./corpus.ts";
import { FilesTarget } from "./files_target.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { MESSAGE_TARGETS } from "./message_targets.ts";
import { PacketsTarget } from "./packets_target.ts";
import { PageTarget } from "./page_target.ts";
import { reachedBranches } from "./reached_branches.ts";
import { kindOf, smallestInput } from "./smallest_input.ts";

/** An input that the program takes wrongly. */
export interface FoundFailure {
  readonly target: string;
  readonly seed: number;
  readonly number: number;
  /** Of what was made with that seed and number, as little as still fails, in base64. */
  readonly input: string;
  readonly error: string;
}

/** What is kept of inputs that took new branches, for each target. */
const MOST_KEPT = 400;
const MOST_KEPT_BYTES = 100_000;

/** Some targets, and what is to be done with them. */
export class FuzzRun implements AsyncDisposable {
  readonly targets: readonly FuzzTarget[];
  readonly failures: FoundFailure[] = [];
  /** Inputs up to now. */
  cases = 0;
  /** Called before an input is given to a target. */
  onCase: (target: FuzzTarget, input: Uint8Array, number: number) => void = () => {};
  readonly #page: PageTarget;
  readonly #kept = new Map<string, Uint8Array[]>();
  readonly #seen = new Set<string>();
  #reached = 0;

  private constructor(targets: readonly FuzzTarget[], page: PageTarget) {
    this.targets = targets;
    this.#page = page;
  }

  /** @param paths Captures to be mutated, besides those that need no files. */
  static async open(paths: readonly string[]): Promise<FuzzRun> {
    const captures = [...ownCaptures(), ...await capturesOf(paths)];
    const page = await PageTarget.open();
    const all = [new PacketsTarget(captures), new FilesTarget(captures), ...MESSAGE_TARGETS, page];
    return new FuzzRun(all, page);
  }

  /** Gives a target the input of a number. */
  async once(target: FuzzTarget, seed: number, number: number): Promise<void> {
    const random = new SeededRandom((seed + number * 7919) | 0);
    const kept = this.#kept.get(target.name) ?? [];
    const input = await target.make(random, kept);
    this.onCase(target, input, number);
    this.cases++;
    try {
      await target.check(input);
    } catch (error) {
      await this.#note(target, seed, number, input, error);
    }
    const reached = reachedCount();
    if (reached === this.#reached) return;
    this.#reached = reached;
    if (input.length > MOST_KEPT_BYTES) return;
    if (kept.length < MOST_KEPT) kept.push(input);
    else kept[random.below(MOST_KEPT)] = input;
    this.#kept.set(target.name, kept);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#page[Symbol.asyncDispose]();
  }

  async #note(
    target: FuzzTarget,
    seed: number,
    number: number,
    input: Uint8Array,
    error: unknown,
  ): Promise<void> {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    // One of a kind is enough: what differs is mostly the input.
    const kind = `${target.name} ${kindOf(error)}`;
    if (this.#seen.has(kind)) return;
    this.#seen.add(kind);
    const smallest = await smallestInput(target, input, error);
    this.failures.push({
      ...{ target: target.name, seed, number, error: text.slice(0, 3000) },
      input: Uint8Array.from(smallest).toBase64(),
    });
  }
}

function reachedCount(): number {
  return reachedBranches.reduce((count, it) => count + it, 0);
}
