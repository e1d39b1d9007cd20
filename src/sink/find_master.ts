import type { OwnSockets } from "./own_sockets.ts";
import { RedisConnection, RedisReplyError } from "./redis_connection.ts";
import type { RedisAddress, RedisHost } from "./redis_url.ts";
import { UnusableRedisError } from "./unusable_redis_error.ts";

/**
 * Asks Sentinels where their Redis is, one after the other until one answers
 * (https://redis.io/docs/latest/develop/reference/sentinel-clients/).
 *
 * @param address Names Sentinels, and the Redis unless they watch one alone.
 * @throws {UnusableRedisError} when they watch no such Redis.
 * @throws {Error} when none of them answers.
 */
export async function findMaster(
  address: RedisAddress,
  sockets: OwnSockets,
  signal: AbortSignal,
): Promise<RedisAddress> {
  const errors: string[] = [];
  for (const sentinel of address.sentinels!) {
    try {
      const { host, port } = await masterSaidBy(sentinel, address, sockets, signal);
      return { ...address, host, port, sentinels: undefined };
    } catch (error) {
      if (error instanceof UnusableRedisError) throw error;
      errors.push(`${sentinel.host}:${sentinel.port}: ${(error as Error).message}`);
    }
  }
  throw new Error(`no Sentinel answers: ${errors.join(", ")}`);
}

async function masterSaidBy(
  sentinel: RedisHost,
  address: RedisAddress,
  sockets: OwnSockets,
  signal: AbortSignal,
): Promise<RedisHost> {
  const connection = await openSentinel({ ...address, ...sentinel, database: 0 }, sockets, signal);
  try {
    const name = address.master ?? await onlyName(connection);
    const place = await connection.call(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]);
    if (Array.isArray(place)) return { host: String(place[0]), port: Number(place[1]) };
    throw new UnusableRedisError(
      `its Sentinels watch no Redis of the name ${name}`,
      `: they watch ${(await namesSaidBy(connection)).join(", ") || "none"}`,
    );
  } finally {
    connection.destroy();
  }
}

/** Sentinels often have no password while their Redis has one. */
async function openSentinel(
  address: RedisAddress,
  sockets: OwnSockets,
  signal: AbortSignal,
): Promise<RedisConnection> {
  const open = { username: undefined, password: undefined, passwordFile: undefined };
  try {
    return await RedisConnection.open({ ...address, ...open }, sockets, signal);
  } catch (error) {
    if (!(error instanceof RedisReplyError && error.message.startsWith("NOAUTH"))) throw error;
    return await RedisConnection.open(address, sockets, signal);
  }
}

async function onlyName(connection: RedisConnection): Promise<string> {
  const names = await namesSaidBy(connection);
  if (names.length === 1) return names[0];
  throw new UnusableRedisError(
    `it is a Sentinel, and watches ${names.length === 0 ? "no Redis" : names.join(", ")}`,
    ": name one, redis-sentinel://host/name",
  );
}

/** What the Redis are called that a Sentinel watches. */
async function namesSaidBy(connection: RedisConnection): Promise<string[]> {
  const masters = await connection.call(["SENTINEL", "MASTERS"]) as string[][];
  return masters.map((fields) => fields[fields.indexOf("name") + 1]);
}
