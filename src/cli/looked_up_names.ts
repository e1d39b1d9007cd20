import type { Log } from "../log.ts";
import { printable } from "../printable.ts";
import { OwnSockets } from "../sink/own_sockets.ts";
import type { RedisTarget } from "../sink/redis_target.ts";
import { parseRedisUrl } from "../sink/redis_url.ts";
import type { Store } from "./store.ts";

/** How long, in milliseconds, Redis may take to be connected to: names are not worth a wait. */
const PATIENCE = 2000;
/** Aliases that are followed, one behind the other and all together. */
const MOST_STEPS = 16;
const MOST_CHAINS = 32;

/** Two addresses, as keys have them. */
export interface Pair {
  readonly client: string;
  readonly address: string;
}

/**
 * What Redis knows of the names that clients looked up for addresses, as lines: chains from the name
 * that was asked for to the one that has the address.
 *
 * @returns Nothing when Redis can't be asked, which is said on the log.
 */
export async function lookedUpNames(
  pairs: readonly Pair[],
  { url, place, passwordFile }: Store,
  log: Log,
): Promise<string[]> {
  const address = parseRedisUrl(url, place, passwordFile);
  // Whoever has no Redis does not pay for loading its client.
  const { openRedis } = await import("../sink/open_redis.ts");
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const redis = await openRedis(address, { sockets: new OwnSockets(), signal });
    try {
      const lines: string[] = [];
      for (const pair of pairs) lines.push(...await linesOf(pair, redis));
      return lines;
    } finally {
      redis.destroy();
    }
  } catch (error) {
    log.info(
      `names are not shown, since Redis at ${address.text} can't be asked (${
        (error as Error).message
      }${(error as { remedy?: string }).remedy ?? ""})`,
    );
    return [];
  }
}

async function linesOf({ client, address }: Pair, redis: RedisTarget): Promise<string[]> {
  const whole: string[][] = [];
  let open = (await namesIn(`${client};${address};dns`, redis)).map((name) => [name]);
  for (let step = 0; step < MOST_STEPS && open.length > 0; step++) {
    const longer: string[][] = [];
    for (const chain of open) {
      const before = (await namesIn(`${client};${chain[0]};cname`, redis))
        .filter((name) => !chain.includes(name));
      if (before.length === 0) whole.push(chain);
      longer.push(...before.map((name) => [name, ...chain]));
    }
    open = longer.slice(0, MOST_CHAINS);
  }
  const chains = [...whole, ...open].slice(0, MOST_CHAINS);
  return chains.map((chain) =>
    printable(`${client} looked up ${[...chain, address].join(" -> ")}`)
  );
}

async function namesIn(key: string, redis: RedisTarget): Promise<string[]> {
  const value = await redis.call(["GET", key]);
  return typeof value === "string" ? value.split(";").filter((name) => name !== "") : [];
}
