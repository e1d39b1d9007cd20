import { spawnSync } from "node:child_process";
import type { NamespacePair } from "./namespaces.ts";
import { unusedPort } from "./redis_server.ts";

const PROGRAM = "clickhouse-server";

/** Whether `clickhouse-server` is installed. Tests that need it are ignored where it is not. */
export const HAS_CLICKHOUSE = spawnSync(PROGRAM, ["--help"]).error === undefined;

/** Ends the name of a test that is ignored for want of it. */
export const NO_CLICKHOUSE = HAS_CLICKHOUSE ? "" : ` (ignored: ${PROGRAM} is not installed)`;

/** How long, in milliseconds, a server may take to start. */
const START_PATIENCE = 60_000;

/** How a {@linkcode ClickHouseServer} is started. */
export interface ClickHouseServerOptions {
  /** Where its data lie; by default, in a folder of its own. */
  readonly data?: string;
  /** PEM files, for HTTPS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** The password of the user whose name is `sensor`. By default, `correct`. */
  readonly password?: string;
  /** It is in the sensor's namespace of these, where {@linkcode ClickHouseServer.ask} does not get. */
  readonly pair?: NamespacePair;
}

/** A clickhouse-server of a test's own, on free ports of loopback; user `sensor` has a password. */
export class ClickHouseServer {
  readonly directory: string;
  readonly port: number;
  readonly #isTls: boolean;
  readonly #pair: NamespacePair | null;
  #process: Deno.ChildProcess | null = null;

  private constructor(directory: string, port: number, { tls, pair }: ClickHouseServerOptions) {
    this.directory = directory;
    this.port = port;
    this.#isTls = tls !== undefined;
    this.#pair = pair ?? null;
  }

  static async start(options: ClickHouseServerOptions = {}): Promise<ClickHouseServer> {
    const directory = Deno.makeTempDirSync({ prefix: "flosensor-clickhouse-" });
    const port = await unusedPort();
    const server = new ClickHouseServer(directory, port, options);
    const data = options.data ?? `${directory}/data`;
    const { tls } = options;
    Deno.mkdirSync(`${data}/tmp`, { recursive: true });
    Deno.writeTextFileSync(
      `${directory}/config.xml`,
      `<yandex>
  <logger><level>error</level><log>${directory}/log</log><errorlog>${directory}/error.log</errorlog></logger>
  <${tls ? "https" : "http"}_port>${port}</${tls ? "https" : "http"}_port>
  ${
        tls
          ? `<openSSL><server><certificateFile>${tls.certificate}</certificateFile>
      <privateKeyFile>${tls.key}</privateKeyFile><verificationMode>none</verificationMode>
    </server></openSSL>`
          : ""
      }
  <tcp_port>${await unusedPort()}</tcp_port>
  <listen_host>127.0.0.1</listen_host>
  <path>${data}/</path><tmp_path>${data}/tmp/</tmp_path>
  <mark_cache_size>16777216</mark_cache_size>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
</yandex>`,
    );
    server.setPassword(options.password ?? "correct");
    try {
      await server.run();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Gives the user whose name is `sensor` a password, also while the server runs, which looks there. */
  setPassword(password: string): void {
    const user = (name: string, its: string) =>
      `<${name}><password>${its}</password><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota></${name}>`;
    Deno.writeTextFileSync(
      `${this.directory}/users.xml`,
      `<yandex><profiles><default/></profiles><quotas><default/></quotas>
    <users>${user("default", "")}${user("sensor", password)}</users></yandex>`,
    );
  }

  get url(): string {
    return `${this.#isTls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** Starts the process, again after {@linkcode ClickHouseServer.halt}. */
  async run(): Promise<void> {
    const args = [`--config-file=${this.directory}/config.xml`];
    const options = { stdout: "null", stderr: "null", stdin: "null" } as const;
    const command = this.#pair?.command(PROGRAM, args, options) ??
      new Deno.Command(PROGRAM, { args, ...options });
    this.#process = command.spawn();
    const until = performance.now() + START_PATIENCE;
    while (!await this.#answers()) {
      if (performance.now() > until) throw new Error("clickhouse-server did not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #answers(): Promise<boolean> {
    try {
      if (this.#pair !== null) {
        const { success } = await this.#pair.command("curl", ["--silent", "--fail", this.url], {
          stdout: "null",
          stderr: "null",
        }).output();
        return success;
      }
      if (this.#isTls) (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
      else await this.ask("SELECT 1");
      return true;
    } catch {
      return false;
    }
  }

  /** Kills the process, and keeps its data. */
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

  /** The answer to a query, in lines. */
  async ask(query: string, database = "default"): Promise<string[]> {
    const response = await fetch(`${this.url}/?database=${database}`, {
      method: "POST",
      body: query,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text.split("\n").slice(0, -1);
  }

  async stop(): Promise<void> {
    await this.halt();
    Deno.removeSync(this.directory, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
