import type { TimeOrigin } from "../capture/time_origin.ts";
import type { Log } from "../log.ts";
import type { FlowNames } from "../sink/flow_names.ts";
import { FlowTableSink } from "../sink/flow_table_sink.ts";
import { JsonSink } from "../sink/json_sink.ts";
import type { RedisSink } from "../sink/redis_sink.ts";
import type { Sink } from "../sink/sink.ts";
import type { RunOptions } from "./run.ts";
import type { Store } from "./store.ts";

/** The sinks of a run. */
export interface Sinks {
  readonly all: readonly Sink[];
  readonly redis: RedisSink | null;
  readonly table: FlowTableSink | null;
}

/**
 * Opens Redis if there is one to write to, and JSON lines if they are asked for; with neither the
 * table on the terminal.
 *
 * @param settings Seconds that a key lives in Redis, where the names of servers come from, names of
 * interfaces by their number, and from when on times are counted.
 * @throws {UserError} when Redis refuses us, and in a replay also when it can't be reached.
 */
export async function openSinks(
  mode: "capture" | "replay",
  options: RunOptions,
  store: Store | null,
  { ttl, names, interfaces, origin }: {
    ttl: number;
    names?: FlowNames;
    interfaces?: readonly string[];
    origin?: TimeOrigin;
  },
  log: Log,
): Promise<Sinks> {
  const redis = store === null ? null : await openRedis(mode, store, ttl, log);
  const all: Sink[] = [];
  if (redis !== null) all.push(redis);
  if (options.json) all.push(new JsonSink({ mode, names, interfaces, origin, log }));
  const isLive = mode === "capture";
  const table = all.length > 0 ? null : new FlowTableSink({ isLive, names, origin, log });
  if (table !== null) all.push(table);
  return { all, redis, table };
}

async function openRedis(
  mode: "capture" | "replay",
  { url, ...login }: Store,
  ttl: number,
  log: Log,
): Promise<RedisSink> {
  // Whoever writes to no Redis does not pay for loading its client.
  const { RedisSink } = await import("../sink/redis_sink.ts");
  return await RedisSink.connect(url, { ttl, mode, ...login }, log);
}
