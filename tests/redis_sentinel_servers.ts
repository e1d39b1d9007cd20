import { join } from "node:path";
import { RedisServer, unusedPort } from "./redis_server.ts";

/** How long, in milliseconds, a server may say nothing before a Sentinel takes it for dead. */
const DOWN_AFTER = 1_000;
const SENTINELS = 3;

/** A master, its replica, and Sentinels that watch them as `flows`, on free ports of loopback. */
export class RedisSentinelServers implements AsyncDisposable {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** Ports of the Sentinels. */
  readonly ports: readonly number[];
  readonly #folder: string;
  readonly #sentinels: Deno.ChildProcess[] = [];

  private constructor(master: RedisServer, replica: RedisServer, ports: readonly number[]) {
    this.master = master;
    this.replica = replica;
    this.ports = ports;
    this.#folder = Deno.makeTempDirSync({ prefix: "flosensor-sentinel-" });
  }

  /**
   * Starts all, and waits until each Sentinel knows the replica and the others.
   *
   * @param password That of the servers, not of the Sentinels.
   */
  static async start(password?: string): Promise<RedisSentinelServers> {
    const login = password === undefined
      ? []
      : ["--requirepass", password, "--masterauth", password];
    const own = [...login, "--repl-diskless-sync-delay", "0"];
    const master = await RedisServer.start(own);
    const replica = await RedisServer.start([...own, "--replicaof", "127.0.0.1", `${master.port}`]);
    const ports = await Promise.all(Array.from({ length: SENTINELS }, unusedPort));
    const servers = new RedisSentinelServers(master, replica, ports);
    try {
      for (const port of ports) servers.#startSentinel(port, password);
      for (const port of ports) await servers.#untilReady(port);
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
    return servers;
  }

  /** URL of all Sentinels. @param login With an `@` at its end. */
  url(login = "", name = "flows"): string {
    return `redis-sentinel://${login}${this.ports.map((it) => `127.0.0.1:${it}`)}/${name}`;
  }

  /** Runs a command with one of the Sentinels. */
  async sentinel(port: number, ...command: string[]): Promise<string> {
    const { stdout } = await new Deno.Command("redis-cli", {
      args: ["-p", String(port), "--no-raw", ...command],
    }).output();
    return new TextDecoder().decode(stdout);
  }

  #startSentinel(port: number, password: string | undefined): void {
    const file = join(this.#folder, `${port}.conf`);
    Deno.writeTextFileSync(
      file,
      [
        `port ${port}`,
        "bind 127.0.0.1",
        `sentinel monitor flows 127.0.0.1 ${this.master.port} 2`,
        `sentinel down-after-milliseconds flows ${DOWN_AFTER}`,
        "sentinel failover-timeout flows 5000",
        password === undefined ? "" : `sentinel auth-pass flows ${password}`,
      ].join("\n"),
    );
    const output = { stdout: "null", stderr: "null" } as const;
    this.#sentinels.push(
      new Deno.Command("redis-server", { args: [file, "--sentinel"], ...output }).spawn(),
    );
  }

  async #untilReady(port: number): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      const text = await this.sentinel(port, "SENTINEL", "MASTER", "flows");
      const count = (name: string) =>
        Number(new RegExp(`"${name}"\\s+\\d+\\) "(\\d+)"`).exec(text)?.[1]);
      if (count("num-slaves") === 1 && count("num-other-sentinels") === SENTINELS - 1) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the Sentinel at ${port} does not know all others`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sentinel of this.#sentinels) {
      sentinel.kill("SIGKILL");
      await sentinel.status;
    }
    await this.master.stop();
    await this.replica.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
