import calculateSlot from "@redis/client/dist/lib/utils/calculate-slot.js";

/**
 * The slot of a Redis Cluster in which a key is
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model).
 */
export function slotOf(key: string): number {
  return calculate(key);
}

// Deno gives a module of CommonJS as its default, which has one of its own.
const calculate = (calculateSlot as unknown as { default: (key: string) => number }).default ??
  calculateSlot;
