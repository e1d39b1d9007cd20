import {
  type Heartbeat,
  HEARTBEAT_KEPT,
  HEARTBEAT_LATE,
  HEARTBEAT_PREFIX,
} from "../sink/heartbeat.ts";
import type { RedisTarget } from "../sink/redis_target.ts";

/** A sensor, as its last heartbeat says. */
export interface Sensor extends Heartbeat {
  readonly name: string;
  /** Late where it was not ended and is not heard of any more. */
  readonly state: "running" | "late" | "ended";
  /** Milliseconds since the heartbeat was written, by the clock of Redis. */
  readonly age: number;
}

/** Keys that Redis looks at, at a time. */
const SCAN_COUNT = "2000";

/**
 * Reads the heartbeats of all sensors that write to a Redis, by their names.
 *
 * @throws {Error} when they can't be read.
 */
export async function readSensors(redis: RedisTarget): Promise<Sensor[]> {
  const found = new Map<string, Sensor>();
  for (const server of redis.servers) {
    let cursor = "0";
    do {
      const scan = ["SCAN", cursor, "MATCH", `${HEARTBEAT_PREFIX}*`, "COUNT", SCAN_COUNT];
      const [next, keys] = await server.call(scan) as [string, string[]];
      cursor = String(next);
      for (const key of keys) {
        const sensor = await readSensor(key, redis);
        if (sensor !== null) found.set(key, sensor);
      }
    } while (cursor !== "0");
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** @returns `null` for what is no heartbeat, or is gone. */
async function readSensor(key: string, redis: RedisTarget): Promise<Sensor | null> {
  const text = await redis.call(["GET", key]).catch(() => null);
  const left = Number(await redis.call(["PTTL", key]));
  const heartbeat = heartbeatIn(text);
  if (heartbeat === null || left < 0) return null;
  const age = Math.max(0, HEARTBEAT_KEPT - left);
  const state = heartbeat.isOver ? "ended" : age > HEARTBEAT_LATE ? "late" : "running";
  return { name: key.slice(HEARTBEAT_PREFIX.length), state, age, ...heartbeat };
}

/** A newer sensor may say more than we know; one that says less is none. */
function heartbeatIn(text: unknown): Heartbeat | null {
  try {
    const { version, interfaces, isOver, ...numbers } = JSON.parse(String(text));
    const { started, packets, packetsPerSecond, dropped, queued, lost } = numbers;
    const figures = { started, packets, packetsPerSecond, dropped, queued, lost };
    const isWhole = typeof version === "string" && Array.isArray(interfaces) &&
      typeof isOver === "boolean" && Object.values(figures).every(Number.isFinite);
    return isWhole ? { version, interfaces: interfaces.map(String), isOver, ...figures } : null;
  } catch {
    return null;
  }
}
