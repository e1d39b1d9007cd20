import type { FuzzTarget } from "./fuzz_target.ts";
import { joined } from "./mutator.ts";

/** So often an input is tried, to make it smaller. */
const MOST_TRIES = 3000;

/**
 * A smaller input that the program still takes wrongly, by leaving out parts, then bytes (ddmin). Where it
 * takes it wrongly only after others, the input as it is.
 */
export async function smallestInput(
  target: FuzzTarget,
  input: Uint8Array,
  error: unknown,
): Promise<Uint8Array> {
  let tries = 0;
  const kind = kindOf(error);
  const fails = async (parts: readonly Uint8Array[]) => {
    if (++tries > MOST_TRIES) return false;
    try {
      const smaller = joined(parts);
      await (target.checkAlone?.(smaller) ?? target.check(smaller));
      return false;
    } catch (thrown) {
      return kindOf(thrown) === kind;
    }
  };
  const reduced = async (all: Uint8Array[]): Promise<Uint8Array> => {
    let parts = all;
    for (let size = Math.ceil(parts.length / 2); parts.length > 1;) {
      let isSmaller = false;
      for (let from = 0; from < parts.length;) {
        const fewer = parts.toSpliced(from, size);
        if (fewer.length > 0 && await fails(fewer)) {
          parts = fewer;
          isSmaller = true;
        } else from += size;
      }
      if (size === 1 && !isSmaller) break;
      size = Math.ceil(size / 2);
    }
    return joined(parts);
  };
  if (!await fails([input])) return input;
  const fewer = target.partsOf === undefined ? input : await reduced(target.partsOf(input));
  return await reduced(Array.from(fewer, (_, at) => fewer.subarray(at, at + 1)));
}

/** What is the same for inputs that are taken wrongly in the same way. */
export function kindOf(error: unknown): string {
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  return text.split("\n", 1)[0].replaceAll(/\d+/g, "").slice(0, 80);
}
