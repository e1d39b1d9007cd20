/** Runs `live_child.ts` in a network namespace, and follows what it says. */
import { fileURLToPath } from "node:url";
import { FFI_PATHS } from "../../ffi/library.ts";
import { type NamespacePair, until } from "../namespaces.ts";
import type { Line } from "./live_child.ts";

const CHILD = fileURLToPath(new URL("live_child.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
/** What a capture needs, and nothing else. */
export const PERMISSIONS = ["--no-prompt", `--allow-ffi=${FFI_PATHS.join(",")}`];
/** The kernel of the test sends some packets of its own: none of them has this port. */
export const PORT = 4739;
/** The filter for them. */
export const OURS = `port ${PORT}`;

/** The child, and what it has said last. */
export class LiveCapture {
  line: Line = { state: "ready", sources: {}, log: [] };
  #hasSaid = false;
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<void>;

  constructor(command: Deno.Command) {
    this.#process = command.spawn();
    this.#read = this.#readLines();
  }

  static async start(
    pair: NamespacePair,
    interfaces: string,
    options: Record<string, unknown> = {},
    { prefix = [], permissions = PERMISSIONS, env = {} }: {
      prefix?: string[];
      permissions?: string[];
      env?: Record<string, string>;
    } = {},
  ): Promise<LiveCapture> {
    const [program, ...args] = [
      ...prefix,
      ...[Deno.execPath(), "run", "--quiet", "--config", CONFIG, ...permissions],
      ...[CHILD, interfaces, JSON.stringify({ filter: OURS, ...options })],
    ];
    const capture = new LiveCapture(pair.command(program, args, { stdout: "piped", env }));
    await capture.until(() => true);
    return capture;
  }

  /** Waits until the child has said something for which a condition holds. */
  async until(condition: (line: Line) => boolean): Promise<void> {
    try {
      await until(() => this.#hasSaid && condition(this.line));
    } catch (error) {
      throw new Error(`${error}\n${JSON.stringify(this.line)}`);
    }
  }

  packets(name = "veth0"): number {
    return this.line.sources[name].packets;
  }

  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  async stop(): Promise<Line> {
    this.signal("SIGTERM");
    await this.#read;
    await this.#process.status;
    return this.line;
  }

  async ended(): Promise<Line> {
    await this.#read;
    await this.#process.status;
    return this.line;
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      if (lines.length === 0) continue;
      this.line = JSON.parse(lines.at(-1)!);
      this.#hasSaid = true;
    }
    this.#hasSaid = true;
  }
}
