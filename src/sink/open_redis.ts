import { findMaster } from "./find_master.ts";
import type { OwnSockets } from "./own_sockets.ts";
import { RedisConnection } from "./redis_connection.ts";
import { RedisServerTarget } from "./redis_server_target.ts";
import type { RedisTarget } from "./redis_target.ts";
import type { RedisAddress } from "./redis_url.ts";

/** What a target is opened with. */
export interface OpenOptions {
  /** Is told of all sockets. */
  readonly sockets: OwnSockets;
  /** Ends attempts to connect, now and later. */
  readonly signal: AbortSignal;
  /** Is told why scripts can't be used. */
  readonly onNoScripts?: (reason: string) => void;
}

/**
 * Connects to what an address names: a server, a cluster, or the server that Sentinels name. What a URL
 * of one server leads to may be any of them.
 *
 * @throws {RedisReplyError} when a server refuses.
 * @throws {UnusableRedisError} when something has to be mended first.
 * @throws {UserError} when the file with the password can't be read.
 * @throws {Error} when nothing can be reached.
 */
export async function openRedis(
  address: RedisAddress,
  { sockets, signal, onNoScripts = () => {} }: OpenOptions,
): Promise<RedisTarget> {
  const openCluster = async () => {
    // Whoever has no cluster does not pay for loading what it needs.
    const { RedisCluster } = await import("./redis_cluster.ts");
    return await RedisCluster.open(address, { sockets, signal, onNoScripts });
  };
  if (address.nodes !== undefined) return await openCluster();
  if (address.sentinels !== undefined) {
    const { host, port, ...rest } = await findMaster(address, sockets, signal);
    const master = await RedisConnection.open({ ...rest, host, port }, sockets, signal);
    const isMaster = async () => {
      const now = await findMaster(address, sockets, signal);
      return now.host === host && now.port === port;
    };
    return new RedisServerTarget(await asMaster(master), isMaster, onNoScripts);
  }
  const connection = await RedisConnection.open(address, sockets, signal);
  if (connection.mode === "standalone") {
    return new RedisServerTarget(connection, null, onNoScripts);
  }
  connection.destroy();
  if (connection.mode === "cluster") return await openCluster();
  return await openRedis({ ...address, sentinels: [address] }, { sockets, signal, onNoScripts });
}

/** Sentinels may name what is no master any more, or not yet. */
async function asMaster(connection: RedisConnection): Promise<RedisConnection> {
  const role = await connection.call(["ROLE"]).catch(() => null);
  if (!Array.isArray(role) || role[0] === "master") return connection;
  connection.destroy();
  throw new Error("its Sentinels name a replica: they are at a failover");
}
