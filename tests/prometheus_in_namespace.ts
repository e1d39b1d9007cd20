import { join } from "node:path";
import { isProgram } from "./installed.ts";
import { type NamespacePair, type Result, until } from "./namespaces.ts";

/** Whether `prometheus`, `promtool` and `curl` are installed. */
export const HAS_PROMETHEUS = isProgram("prometheus", "--version") &&
  isProgram("promtool", "--version") && isProgram("curl", "--version");

/** What to add to the name of a test that is skipped without them. */
export const WITHOUT_PROMETHEUS = HAS_PROMETHEUS
  ? ""
  : " (skipped: prometheus or curl is not installed)";

/** A sample of a query's answer: its labels and its value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus in the sensor's namespace that asks a sensor there, each half second. */
export class PrometheusInNamespace implements AsyncDisposable {
  readonly #pair: NamespacePair;
  readonly #directory: string;
  readonly #process: Deno.ChildProcess;

  private constructor(pair: NamespacePair, directory: string, process: Deno.ChildProcess) {
    this.#pair = pair;
    this.#directory = directory;
    this.#process = process;
  }

  /**
   * Starts it, and waits until it answers.
   *
   * @param target What it asks: host and port.
   * @param rules Files of rules.
   */
  static async start(
    pair: NamespacePair,
    target: string,
    rules: readonly string[] = [],
  ): Promise<PrometheusInNamespace> {
    const directory = await Deno.makeTempDir({ prefix: "flosensor-prometheus-" });
    const config = join(directory, "prometheus.yml");
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        global: { scrape_interval: "500ms", evaluation_interval: "500ms" },
        rule_files: rules,
        scrape_configs: [{ job_name: "flosensor", static_configs: [{ targets: [target] }] }],
      }),
    );
    const process = pair.command("prometheus", [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      "--web.listen-address=127.0.0.1:9090",
    ], { stdout: "null", stderr: "null" }).spawn();
    const prometheus = new PrometheusInNamespace(pair, directory, process);
    await until(async () => (await curl(pair, "http://127.0.0.1:9090/-/ready")).code === 0);
    return prometheus;
  }

  /** Asks a query of PromQL. @throws {Error} when it is none. */
  async query(query: string): Promise<Sample[]> {
    const { stdout } = await curl(
      this.#pair,
      ...["--get", "--data-urlencode", `query=${query}`, "http://127.0.0.1:9090/api/v1/query"],
    );
    const { status, error, data } = JSON.parse(stdout);
    if (status !== "success") throw new Error(`${query}: ${error}`);
    return data.result.map((
      { metric, value }: { metric: Sample["metric"]; value: [number, string] },
    ) => ({ metric, value: Number(value[1]) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** Runs curl in the sensor's namespace. */
export async function curl(pair: NamespacePair, ...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await pair.command("curl", ["--silent", ...args]).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** What `promtool` says of a text or a file: nothing where it finds nothing. */
export async function promtool(args: readonly string[], input = ""): Promise<Result> {
  const child = new Deno.Command("promtool", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
