import type { PacketWork } from "../workers/packet_work.ts";
import type { Run } from "./run.ts";
import { type SensorCounts, sensorCounts } from "./sensor_counts.ts";

/**
 * What a capture has counted.
 *
 * @param interfaces In the order of the work's sources.
 */
export function captureCounts(
  run: Run,
  work: PacketWork,
  interfaces: readonly string[],
): SensorCounts {
  const { sources, meters } = work.statistics();
  return sensorCounts({
    sources: sources.map((source, i) => [interfaces[i], source]),
    engine: meters.flows,
    sinks: run.sinks,
    dns: meters.dns,
    forgottenNames: run.names.forgotten,
    explained: run.explainer.statistics(),
    dnsUsers: run.dnsUsers,
    devices: run.deviceBook?.counts() ?? null,
  });
}
