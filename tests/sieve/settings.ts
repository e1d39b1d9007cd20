import type { SieveSettings } from "../../src/sieve/sieve_memory.ts";

/** Settings of a sieve that works for no meter. */
export function sieveSettings(settings: Partial<SieveSettings> = {}): SieveSettings {
  return {
    id: 1,
    maxConversations: 10_000,
    readPorts: new Uint8Array(65_536),
    ownNetworks: [],
    anew: new Int32Array(new SharedArrayBuffer(4)),
    ...settings,
  };
}
