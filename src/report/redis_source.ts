import { openRedis } from "../sink/open_redis.ts";
import { OwnSockets } from "../sink/own_sockets.ts";
import type { PasswordSource } from "../sink/password_source.ts";
import type { RedisConnection } from "../sink/redis_connection.ts";
import type { RedisTarget } from "../sink/redis_target.ts";
import { parseRedisUrl } from "../sink/redis_url.ts";
import { readKey, type ReadKeys } from "./key_reader.ts";
import { MemorySource } from "./memory_source.ts";
import { unreadableRedis } from "./unreadable_redis.ts";

/** How long, in milliseconds, Redis may take to be connected to. */
const PATIENCE = 5_000;
/** Keys that Redis looks at, at a time: others wait meanwhile. */
const SCAN_COUNT = "2000";
/** Aliases that are followed from the name that has the address to the one that was asked for. */
const MOST_ALIASES = 16;
const WANTED = /;(flow|rst|icmp|nx|dns|cname)$/;

/**
 * Reads the keys of a Redis that flosensor or ShoDoHFlo's agents write.
 *
 * @param place Where the user wrote the URL, for messages.
 * @throws {UserError} when it can't be read.
 */
export async function readRedis(
  url: string,
  place: string,
  passwordFile: PasswordSource | undefined,
  localNetworks: readonly string[],
): Promise<MemorySource> {
  const address = parseRedisUrl(url, place, passwordFile);
  let redis: RedisTarget | null = null;
  const source = new MemorySource(`Redis at ${address.text}`, localNetworks);
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    redis = await openRedis(address, { sockets: new OwnSockets(), signal });
    // A part of the keys would look like all of them.
    if (!await redis.mend()) throw new Error("a part of its nodes is away");
    // SCAN may give a key twice, as two nodes may, and counters would be added twice.
    const values = new Map<string, string>();
    for (const server of redis.servers) await readServer(server, redis, values);
    source.write(readKeys(values));
    return source;
  } catch (error) {
    source[Symbol.dispose]();
    throw unreadableRedis(address.text, error, "a store or another one");
  } finally {
    redis?.destroy();
  }
}

async function readServer(
  server: RedisConnection,
  redis: RedisTarget,
  values: Map<string, string>,
): Promise<void> {
  const seen = new Set<string>();
  let cursor = "0";
  do {
    const [next, keys] = await server.call(["SCAN", cursor, "COUNT", SCAN_COUNT]) as [
      string,
      string[],
    ];
    cursor = String(next);
    const wanted = keys.filter((key) => WANTED.test(key) && !seen.has(key));
    for (const key of wanted) seen.add(key);
    if (wanted.length === 0) continue;
    const found = await redis.values(server, wanted);
    // A key may have ended its life in between, or be of another type.
    wanted.forEach((key, i) => {
      if (found[i] !== null) values.set(key, found[i]);
    });
  } while (cursor !== "0");
}

/** @param values Those of all keys. */
export function readKeys(values: ReadonlyMap<string, string>): ReadKeys {
  const keys: ReadKeys = { observations: [], refusals: [], names: [] };
  for (const [key, value] of values) {
    const [client, server] = key.split(";");
    readKey(key, {
      count: Number(value) || 0,
      names: namesOf(value),
      name: key.endsWith(";flow") ? nameOf(client, server, values) : null,
    }, keys);
  }
  return keys;
}

/** The name that a client asked for last to get an address. */
function nameOf(
  client: string,
  server: string,
  values: ReadonlyMap<string, string>,
): string | null {
  let name = namesOf(values.get(`${client};${server};dns`)).at(-1);
  for (let step = 0; step < MOST_ALIASES && name !== undefined; step++) {
    const before = namesOf(values.get(`${client};${name};cname`)).at(-1);
    if (before === undefined) break;
    name = before;
  }
  return name ?? null;
}

/** Names of a value, `;a.example.;;b.example.;`: what was appended last is last. */
function namesOf(value: string | undefined): string[] {
  return value?.split(";").filter((name) => name !== "") ?? [];
}
