import { loadConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import { readSensors, type Sensor } from "../report/read_sensors.ts";
import { durationText } from "../duration_text.ts";
import { unreadableRedis } from "../report/unreadable_redis.ts";
import { OwnSockets } from "../sink/own_sockets.ts";
import type { PasswordFile } from "../sink/password_file.ts";
import { parseRedisUrl } from "../sink/redis_url.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { aligned } from "./aligned.ts";
import { printText } from "./print_text.ts";
import { storeOf } from "./store.ts";

/** Options of the command line. */
export interface SensorsOptions {
  config?: string;
  redis?: string | false;
  redisPasswordFile?: PasswordFile;
  json?: boolean;
}

/** How long, in milliseconds, Redis may take to be connected to. */
const PATIENCE = 5_000;
const HEADINGS = [
  ...["SENSOR", "STATE", "SEEN", "RUNS", "VERSION", "PACKETS/S", "DROPPED", "QUEUED", "LOST"],
  "INTERFACES",
];

/**
 * The command `sensors`: lists the sensors that write to a Redis, and whether they are heard of.
 *
 * @returns The exit status.
 * @throws {UserError} when Redis can't be read.
 */
export async function sensors(options: SensorsOptions, log: Log): Promise<number> {
  const { config } = await loadConfig(options.config);
  const store = storeOf(options, config);
  if (store === null) {
    throw new UserError(
      "sensors: there is no Redis that sensors write to: name it with --redis URL",
      WRONG_USAGE,
    );
  }
  const address = parseRedisUrl(store.url, store.place, store.passwordFile);
  const { openRedis } = await import("../sink/open_redis.ts");
  const found = await openRedis(address, {
    sockets: new OwnSockets(),
    signal: AbortSignal.timeout(PATIENCE),
  }).then((redis) => readSensors(redis).finally(() => redis.destroy())).catch((error) => {
    throw unreadableRedis(address.text, error, "another one");
  });
  if (options.json) {
    await printText(JSON.stringify(found, null, 2));
    return 0;
  }
  if (found.length === 0) {
    log.info(`Redis at ${address.text} has not heard of a sensor for a day`);
    return 0;
  }
  await printText(aligned([HEADINGS, ...found.map(rowOf)], "").join("\n"));
  return 0;
}

function rowOf(sensor: Sensor): string[] {
  const { name, state, age, started, version, packetsPerSecond, dropped, queued, lost } = sensor;
  const isRunning = state === "running";
  return [
    name,
    state,
    `${durationText(age)} ago`,
    isRunning ? durationText(Math.max(0, Date.now() - started * 1000)) : "-",
    version,
    isRunning ? String(Math.round(packetsPerSecond)) : "-",
    String(dropped),
    String(queued),
    String(lost),
    sensor.interfaces.join(" "),
  ];
}
