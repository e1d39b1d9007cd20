import { spawnSync } from "node:child_process";
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
  /** A network namespace that it runs in, and an address there. */
  readonly at?: { readonly namespace: string; readonly address: string };
}

/**
 * A clickhouse-server of a test's own, on free ports of loopback or in a namespace; user `sensor` has a
 * password.
 */
export class ClickHouseServer {
  readonly directory: string;
  readonly port: number;
  readonly #isTls: boolean;
  readonly #at: ClickHouseServerOptions["at"];
  #process: Deno.ChildProcess | null = null;

  private constructor(directory: string, port: number, { tls, at }: ClickHouseServerOptions) {
    this.directory = directory;
    this.port = port;
    this.#isTls = tls !== undefined;
    this.#at = at;
  }

  static async start(options: ClickHouseServerOptions = {}): Promise<ClickHouseServer> {
    const directory = Deno.makeTempDirSync({ prefix: "flosensor-clickhouse-" });
    const port = await unusedPort();
    const server = new ClickHouseServer(directory, port, options);
    const data = options.data ?? `${directory}/data`;
    const { tls, at } = options;
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
  <listen_host>${at?.address ?? "127.0.0.1"}</listen_host>
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
      `<${name}><password>${its}</password><networks><ip>::/0</ip></networks>
      <profile>default</profile><quota>default</quota></${name}>`;
    Deno.writeTextFileSync(
      `${this.directory}/users.xml`,
      `<yandex><profiles><default/></profiles><quotas><default/></quotas>
    <users>${user("default", "")}${user("sensor", password)}</users></yandex>`,
    );
  }

  get url(): string {
    const host = this.#at?.address ?? "127.0.0.1";
    return `${this.#isTls ? "https" : "http"}://${host}:${this.port}`;
  }

  /** Starts the process, again after {@linkcode ClickHouseServer.halt}. */
  async run(): Promise<void> {
    this.#process = this.#command(PROGRAM, [`--config-file=${this.directory}/config.xml`], {
      stdout: "null",
      stderr: "null",
      stdin: "null",
    }).spawn();
    const until = performance.now() + START_PATIENCE;
    while (!await this.#answers()) {
      if (performance.now() > until) throw new Error("clickhouse-server did not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** ip-netns(8) becomes the program it runs: signals arrive there. */
  #command(program: string, args: string[], options: Deno.CommandOptions): Deno.Command {
    if (this.#at === undefined) return new Deno.Command(program, { ...options, args });
    const inNamespace = ["netns", "exec", this.#at.namespace, program, ...args];
    return new Deno.Command("ip", { ...options, args: inNamespace });
  }

  async #answers(): Promise<boolean> {
    try {
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

  /** Stops the process without ending it: connections stay open and are not answered. */
  freeze(): void {
    this.#process!.kill("SIGSTOP");
  }

  /** Takes {@linkcode ClickHouseServer.freeze} back. */
  thaw(): void {
    this.#process!.kill("SIGCONT");
  }

  /** The answer to a query, in lines. */
  async ask(query: string, database = "default"): Promise<string[]> {
    const url = `${this.url}/?database=${database}`;
    const text = this.#at === undefined ? await fetched(url, query) : await this.#curl(url, query);
    return text.split("\n").slice(0, -1);
  }

  /** What can't be fetched from here: it is in a namespace. */
  async #curl(url: string, query: string): Promise<string> {
    const args = ["--silent", "--show-error", "--fail-with-body", "--data-binary", query, url];
    const { success, stdout, stderr } = await this.#command("curl", args, {}).output();
    const text = new TextDecoder().decode(stdout);
    if (!success) throw new Error(`${text}${new TextDecoder().decode(stderr)}`);
    return text;
  }

  async stop(): Promise<void> {
    await this.halt();
    Deno.removeSync(this.directory, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function fetched(url: string, query: string): Promise<string> {
  const response = await fetch(url, { method: "POST", body: query });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}
