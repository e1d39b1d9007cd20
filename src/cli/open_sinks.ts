import type { Mapping } from "../config/mapping.ts";
import type { Log } from "../log.ts";
import { FlowTableSink } from "../sink/flow_table_sink.ts";
import { JsonSink } from "../sink/json_sink.ts";
import type { RedisSink } from "../sink/redis_sink.ts";
import type { Sink } from "../sink/sink.ts";
import type { RunOptions } from "./run.ts";

/** The sinks of a run. */
export interface Sinks {
  readonly all: readonly Sink[];
  readonly redis: RedisSink | null;
}

/**
 * Opens what the options name: Redis, JSON lines, both; with neither the table on the terminal.
 *
 * @throws {UserError} when Redis refuses us, and in a replay also when it can't be reached.
 */
export async function openSinks(
  mode: "capture" | "replay",
  options: RunOptions,
  mapping: Mapping,
  log: Log,
): Promise<Sinks> {
  const redis = await openRedis(mode, options, mapping, log);
  const all: Sink[] = [];
  if (redis !== null) all.push(redis);
  if (options.json) all.push(new JsonSink({ mode }));
  if (all.length === 0) all.push(new FlowTableSink({ isLive: mode === "capture" }));
  return { all, redis };
}

async function openRedis(
  mode: "capture" | "replay",
  options: RunOptions,
  mapping: Mapping,
  log: Log,
): Promise<RedisSink | null> {
  if (options.redis === false) return null;
  const url = options.redis ?? mapping.redis;
  if (url === null) return null;
  const place = options.redis === undefined ? "redis of the configuration" : "--redis";
  // Whoever writes to no Redis does not pay for loading its client.
  const { RedisSink } = await import("../sink/redis_sink.ts");
  return await RedisSink.connect(url, { ttl: mapping.ttl, mode, place }, log);
}
