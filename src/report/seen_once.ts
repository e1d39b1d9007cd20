import type { ConversationRecord } from "../model/conversation_record.ts";

/** What a sensor says of a conversation. */
export interface SensorRecord {
  readonly sensor: string;
  readonly communityId: string;
  readonly record: ConversationRecord;
}

/** How far, in milliseconds, clocks of sensors may be apart. */
const CLOCKS_APART = 2_000;

/** A conversation, and which sensors saw it. */
interface Seen {
  best: SensorRecord;
  readonly sensors: Set<string>;
  last: number;
}

/**
 * Leaves of each conversation that several sensors saw what the one says that saw most packets of it.
 * The same ends may talk again later: what counts is that sensors saw it at the same time.
 *
 * @param records In the order of their Community IDs, and of the times of first packets.
 */
export async function* seenOnce(
  records: AsyncIterable<SensorRecord>,
): AsyncGenerator<SensorRecord> {
  let communityId = "";
  let all: Seen[] = [];
  for await (const record of records) {
    if (record.communityId !== communityId) {
      for (const { best } of all) yield best;
      all = [];
      communityId = record.communityId;
    }
    const same = all.find((it) =>
      !it.sensors.has(record.sensor) && record.record.first <= it.last + CLOCKS_APART
    );
    if (same === undefined) {
      const sensors = new Set([record.sensor]);
      all.push({ best: record, sensors, last: record.record.last });
      continue;
    }
    same.sensors.add(record.sensor);
    same.last = Math.max(same.last, record.record.last);
    if (packets(record) > packets(same.best)) same.best = record;
  }
  for (const { best } of all) yield best;
}

function packets({ record }: SensorRecord): number {
  return record.packets[0] + record.packets[1];
}
