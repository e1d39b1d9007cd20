import { join } from "node:path";
import { type NamespacePair, run, until } from "../namespaces.ts";

/**
 * A redis-server in the sensor's namespace, at 127.0.0.1:6379 there. It is also reached through a
 * Unix socket, from whatever namespace, which no capture sees.
 */
export class RedisInNamespace implements AsyncDisposable {
  readonly url = "redis://127.0.0.1:6379";
  readonly #pair: NamespacePair;
  readonly #directory: string;
  readonly #arguments: readonly string[];
  #process: Deno.ChildProcess | null = null;

  private constructor(pair: NamespacePair, directory: string, args: readonly string[]) {
    this.#pair = pair;
    this.#directory = directory;
    this.#arguments = args;
  }

  /**
   * Starts a server and waits until it answers.
   *
   * @param args Options of redis-server.
   */
  static async start(pair: NamespacePair, args: readonly string[] = []): Promise<RedisInNamespace> {
    const directory = await Deno.makeTempDir({ prefix: "flosensor-redis-" });
    const redis = new RedisInNamespace(pair, directory, args);
    await redis.run();
    return redis;
  }

  /** Starts the server, also again after {@linkcode RedisInNamespace.halt}. */
  async run(): Promise<void> {
    this.#process = this.#pair.command("redis-server", [
      ...["--port", "6379", "--bind", "127.0.0.1", "--unixsocket", this.socket],
      ...["--save", "", "--appendonly", "no", "--dir", this.#directory, ...this.#arguments],
    ], { stdout: "null", stderr: "null" }).spawn();
    await until(async () => (await run("redis-cli", "-s", this.socket, "PING")).code === 0);
  }

  /** Ends the server, as a crash would. */
  async halt(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = null;
  }

  /** Stops the process without ending it: connections stay open and are not answered. */
  freeze(): void {
    this.#process!.kill("SIGSTOP");
  }

  /** Takes {@linkcode RedisInNamespace.freeze} back. */
  thaw(): void {
    this.#process!.kill("SIGCONT");
  }

  /** The Unix socket. */
  get socket(): string {
    return join(this.#directory, "redis.sock");
  }

  /** Runs one command, through the Unix socket. */
  async cli(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await run("redis-cli", "-s", this.socket, ...command);
    if (code !== 0) throw new Error(`redis-cli: ${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /** All keys of what was seen, sorted: those of sensors are left out. */
  async keys(...options: string[]): Promise<string[]> {
    const keys = (await this.cli(...options, "KEYS", "*")).split("\n");
    return keys.filter((key) => key !== "" && !key.startsWith("sensor;")).sort();
  }

  /** Waits until all of these keys are there. */
  async has(...keys: readonly string[]): Promise<void> {
    await until(async () => {
      const there = await this.keys();
      return keys.every((key) => there.includes(key));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.halt();
    await Deno.remove(this.#directory, { recursive: true });
  }
}
