import { spawnSync } from "node:child_process";
import { createServer } from "node:net";

/** Whether `redis-server` is installed. Tests that need it are ignored where it is not. */
export const HAS_REDIS_SERVER = spawnSync("redis-server", ["--version"]).status === 0;

/** Ends the name of a test that is ignored for want of `redis-server`. */
export const NO_REDIS_SERVER = HAS_REDIS_SERVER ? "" : " (ignored: redis-server is not installed)";

/** Whether Valkey is installed, which went on from Redis 7.2. */
export const HAS_VALKEY_SERVER = spawnSync("valkey-server", ["--version"]).status === 0;

/** How long, in milliseconds, a server may take to start: machines that run tests are busy. */
const START_PATIENCE = 20_000;

/** A redis-server of a test's own: on a free port of loopback, with a directory of its own. */
export class RedisServer {
  readonly port: number;
  /** The server's directory: sockets, certificates and the like go there. */
  readonly directory: string;
  readonly #arguments: string[];
  readonly #program: string;
  #process: Deno.ChildProcess | null = null;

  private constructor(
    port: number,
    directory: string,
    serverArguments: string[],
    program: string,
  ) {
    this.port = port;
    this.directory = directory;
    this.#arguments = serverArguments;
    this.#program = program;
  }

  /**
   * Starts a server and waits until it answers.
   *
   * @param serverArguments Options such as `["--requirepass", "secret"]`. `DIRECTORY` and `PORT` in
   * them stand for the server's directory and port.
   * @param program What is started: `valkey-server` is one as well.
   */
  static async start(
    serverArguments: string[] = [],
    program = "redis-server",
  ): Promise<RedisServer> {
    const server = new RedisServer(await unusedPort(), makeDirectory(), serverArguments, program);
    try {
      await server.run();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** URL of the server. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Process id, while it runs. */
  get pid(): number {
    return this.#process!.pid;
  }

  /** Starts the process, again with the same port after {@linkcode RedisServer.halt}. */
  async run(): Promise<void> {
    const own = ["--port", "PORT", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    const place = ["--dir", this.directory, "--daemonize", "no"];
    const all = [...own, ...place, ...this.#arguments].map((it) =>
      it.replaceAll("DIRECTORY", this.directory).replaceAll("PORT", String(this.port))
    );
    this.#process = new Deno.Command(this.#program, { args: all, stdout: "null", stderr: "null" })
      .spawn();
    const isTls = this.#arguments.includes("--tls-port");
    const hasEnded = { value: false };
    this.#process.status.then(() => hasEnded.value = true);
    await untilListening(isTls ? this.#tlsPort : this.port, hasEnded);
  }

  /** Ends the process, and keeps its port and directory. */
  async halt(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (process === null) return;
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await process.status;
  }

  /** Stops the process without ending it: connections stay open and are not answered. */
  freeze(): void {
    this.#process!.kill("SIGSTOP");
  }

  /** Takes {@linkcode RedisServer.freeze} back. */
  thaw(): void {
    this.#process!.kill("SIGCONT");
  }

  /** Runs one command with redis-cli and gives what it prints, without the last line feed. */
  async cli(...command: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("redis-cli", {
      args: ["-h", "127.0.0.1", "-p", String(this.port), ...command],
    }).output();
    const text = new TextDecoder().decode(stdout).replace(/\n$/, "");
    if (!success) throw new Error(`redis-cli: ${text}${new TextDecoder().decode(stderr)}`);
    return text;
  }

  /** Runs commands with one redis-cli, and gives the line that each prints. */
  async pipe(commands: readonly string[]): Promise<string[]> {
    const process = new Deno.Command("redis-cli", {
      args: ["-h", "127.0.0.1", "-p", String(this.port)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = process.stdin.getWriter();
    const written = writer.write(new TextEncoder().encode(commands.join("\n") + "\n"))
      .then(() => writer.close());
    const { stdout } = await process.output();
    await written;
    return new TextDecoder().decode(stdout).trimEnd().split("\n");
  }

  /** All keys of a database with their values. */
  async dump(...options: string[]): Promise<Map<string, string>> {
    const keys = (await this.cli(...options, "KEYS", "*")).split("\n").filter((key) => key !== "");
    if (keys.length === 0) return new Map();
    const values = (await this.cli(...options, "MGET", ...keys)).split("\n");
    return new Map(keys.map((key, i) => [key, values[i]]));
  }

  /** Removes all keys. */
  async flush(): Promise<void> {
    await this.cli("FLUSHALL");
  }

  /** Ends the process and removes the directory. */
  async stop(): Promise<void> {
    await this.halt();
    await Deno.remove(this.directory, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #tlsPort(): number {
    const text = this.#arguments[this.#arguments.indexOf("--tls-port") + 1];
    return text === "PORT" ? this.port : Number(text);
  }
}

/** A port of loopback on which nobody listens. */
export async function unusedPort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

/** The path must be short: that of a Unix socket has 107 bytes at most (unix(7)). */
function makeDirectory(): string {
  return Deno.makeTempDirSync({ prefix: "flosensor-redis-" });
}

async function untilListening(port: number, hasEnded: { value: boolean }): Promise<void> {
  const begin = performance.now();
  while (!hasEnded.value && performance.now() - begin < START_PATIENCE) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`redis-server does not listen on port ${port}`);
}
