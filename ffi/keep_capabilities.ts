import { capabilities, setCapabilities } from "./capabilities.ts";

/**
 * Takes from this thread, and from those that it will start, all capabilities but these, for good. The
 * kernel does so for one thread at a time, and no other can do it for one.
 *
 * @param kept As bits.
 */
export function keepCapabilities(kept: bigint): void {
  const { effective, permitted, inheritable } = capabilities();
  // A service that has none may not even say so.
  if (((effective | permitted) & ~kept | inheritable) === 0n) return;
  setCapabilities({ effective: effective & kept, permitted: permitted & kept, inheritable: 0n });
}
