/** What has to be done before the program ends at once. */
const acts = new Set<() => void>();
/** Ends the work that goes on, because of an error that nobody caught. */
let fail: ((error: unknown) => void) | null = null;

/**
 * Has something done before the program ends at once, in whatever way: it may not wait for anything.
 *
 * @returns Takes that back.
 */
export function beforeEndingAtOnce(act: () => void): () => void {
  acts.add(act);
  return () => acts.delete(act);
}

/** Ends the program without waiting for anything: what has to be done is done first. */
export function endAtOnce(status: number): never {
  // What was begun last is ended first.
  for (const act of [...acts].reverse()) {
    acts.delete(act);
    try {
      act();
    } catch {
      // The others have to be done all the same.
    }
  }
  Deno.exit(status);
}

/**
 * Does work, which ends with an error that nobody caught, wherever in the program that was thrown: so
 * what was seen up to then is not lost.
 */
export async function endingWithUncaught<Result>(work: () => Promise<Result>): Promise<Result> {
  const uncaught = Promise.withResolvers<never>();
  // It may come when nobody waits for it any more.
  uncaught.promise.catch(() => {});
  fail = uncaught.reject;
  try {
    return await Promise.race([work(), uncaught.promise]);
  } finally {
    fail = null;
  }
}

/**
 * Ends the work that goes on because of an error that nobody caught.
 *
 * @returns Whether there was any, which had not ended for such an error already.
 */
export function endWork(error: unknown): boolean {
  if (fail === null) return false;
  fail(error);
  fail = null;
  return true;
}
