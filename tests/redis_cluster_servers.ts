import { RedisServer, unusedPort } from "./redis_server.ts";

/** How long, in milliseconds, a node may say nothing before the others take it for dead. */
const NODE_TIMEOUT = 1_000;

/** Servers of a Redis Cluster, on free ports of loopback. */
export class RedisClusterServers implements AsyncDisposable {
  /** The first ones were made masters. */
  readonly servers: readonly RedisServer[];

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
  }

  /**
   * Starts masters with as many replicas, and waits until all slots are served.
   *
   * @param serverArguments Options of all.
   */
  static async start(
    masters: number,
    serverArguments: readonly string[] = [],
  ): Promise<RedisClusterServers> {
    const busPorts = await Promise.all(Array.from({ length: 2 * masters }, unusedPort));
    const cluster = new RedisClusterServers(
      await Promise.all(busPorts.map((it) => startNode(it, serverArguments))),
    );
    try {
      const [first] = cluster.servers;
      const places = cluster.servers.map(({ port }, i) => `127.0.0.1:${port}@${busPorts[i]}`);
      await first.cli(
        ...["--cluster", "create", ...places],
        ...["--cluster-replicas", "1", "--cluster-yes"],
      );
      for (const server of cluster.servers) {
        await until(async () => (await server.cli("CLUSTER", "INFO")).includes("cluster_state:ok"));
      }
      const ready = async (server: RedisServer) => {
        const info = await server.cli("INFO", "replication");
        return /role:master\r?\nconnected_slaves:1|master_link_status:up/.test(info);
      };
      for (const server of cluster.servers) await until(() => ready(server));
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** URL of some of the nodes. */
  get url(): string {
    const [one, , other] = this.servers;
    return `redis-cluster://127.0.0.1:${one.port},127.0.0.1:${other.port}`;
  }

  /** The masters that run, as one of them sees it. */
  async masters(): Promise<RedisServer[]> {
    const masters: RedisServer[] = [];
    for (const server of this.servers) {
      const role = await server.cli("ROLE").catch(() => "");
      if (role.startsWith("master")) masters.push(server);
    }
    return masters;
  }

  /** All keys with their values, as masters have them: one at two of them has both values. */
  async dump(): Promise<Map<string, string>> {
    const all = new Map<string, string>();
    for (const master of await this.masters()) {
      const keys = (await master.cli("KEYS", "*")).split("\n").filter((key) => key !== "");
      if (keys.length === 0) continue;
      const values = await master.pipe(keys.map((key) => `GET ${key}`));
      keys.forEach((key, i) => {
        const before = all.get(key);
        all.set(key, before === undefined ? values[i] : `${before} ${values[i]}`);
      });
    }
    return all;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) await server.stop();
  }
}

/** @param busPort Where it listens for other nodes: otherwise that is 10,000 above its port, if there is one. */
function startNode(busPort: number, serverArguments: readonly string[]): Promise<RedisServer> {
  return RedisServer.start([
    ...["--cluster-enabled", "yes", "--cluster-node-timeout", String(NODE_TIMEOUT)],
    ...["--cluster-port", String(busPort)],
    ...["--repl-diskless-sync-delay", "0", ...serverArguments],
  ]);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${isSo}`);
}
