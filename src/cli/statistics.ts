import type { SourceStatistics } from "../capture/packet_source.ts";
import type { FlowMeterStatistics } from "../flow/flow_meter.ts";
import { DECODED_NAMES, UNREACHABLE } from "../packet/decoded.ts";

/**
 * Statistics as one line.
 *
 * @param queued Observations that are not written yet.
 */
export function statisticsLine(
  sources: readonly SourceStatistics[],
  meter: FlowMeterStatistics,
  queued: number,
): string {
  const sum = (field: keyof SourceStatistics) =>
    sources.reduce((total, source) => total + source[field], 0);
  let used = 0;
  const unused: string[] = [];
  meter.decoded.forEach((count, decoded) => {
    if (decoded <= UNREACHABLE) used += count;
    else if (count > 0) unused.push(`${count} ${DECODED_NAMES[decoded]}`);
  });
  const notDecoded = unused.length === 0 ? "" : ` (not decoded: ${unused.join(", ")})`;
  const forgotten = meter.forgotten === 0 ? "" : ` (${meter.forgotten} forgotten)`;
  return `packets: ${sum("received")} received, ${sum("droppedByKernel")} dropped by kernel, ` +
    `${sum("droppedByInterface")} dropped by interface, ${used} decoded${notDecoded}; ` +
    `conversations: ${meter.conversations}${forgotten}; ` +
    `flows: ${meter.flows}; keys: ${meter.keys} written, ${queued} queued`;
}
