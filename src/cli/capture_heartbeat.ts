import type { Heartbeat } from "../sink/heartbeat.ts";
import { VERSION } from "../version.ts";
import type { PacketWork } from "../workers/packet_work.ts";
import { captureCounts } from "./capture_counts.ts";
import type { Run } from "./run.ts";
import { sumOf } from "./sensor_counts.ts";

/**
 * What makes the heartbeats of a capture.
 *
 * @param interfaces In the order of the work's sources.
 */
export function captureHeartbeat(
  run: Run,
  work: PacketWork,
  interfaces: readonly string[],
): (isOver: boolean) => Heartbeat {
  const started = Math.floor(Date.now() / 1000);
  let before = { packets: 0, time: performance.now() };
  return (isOver) => {
    const counts = captureCounts(run, work, interfaces);
    const now = { packets: sumOf(counts.received), time: performance.now() };
    const seconds = (now.time - before.time) / 1000;
    const packetsPerSecond = seconds > 0 ? (now.packets - before.packets) / seconds : 0;
    before = now;
    return {
      version: VERSION,
      interfaces,
      started,
      packets: now.packets,
      packetsPerSecond: Math.round(packetsPerSecond),
      dropped: sumOf(counts.droppedByKernel) + sumOf(counts.droppedByInterface),
      queued: sumOf(counts.pending),
      lost: sumOf(counts.lost),
      isOver,
    };
  };
}
