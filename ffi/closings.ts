/** Closings that go on. */
const closings = new Set<Promise<unknown>>();

/**
 * Has packet sockets be closed at the same time. The kernel waits for all its processors whenever it closes
 * one, some 20 ms, and for those that are closed at once only once; a process that ends closes one after
 * the other.
 */
export function closeAside(closing: Promise<unknown>): void {
  closings.add(closing);
  closing.then(() => closings.delete(closing));
}

/** Waits until all is closed that is to be. */
export async function allClosed(): Promise<void> {
  await Promise.all(closings);
}
