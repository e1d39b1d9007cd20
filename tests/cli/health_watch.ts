import { type NamespacePair, until } from "../namespaces.ts";

/** An answer to both. */
export interface Health {
  /** Whether `/healthz` says that the process is well. */
  readonly isAlive: boolean;
  /** Status of `/readyz`; 0 where nothing answers. */
  readonly status: number;
  /** What `/readyz` says. */
  readonly text: string;
}

const PROBE = new URL("health_probe.ts", import.meta.url).pathname;
const OK = "ok\n";

/** Asks a sensor on `/healthz` and `/readyz` all the time. */
export class HealthWatch implements AsyncDisposable {
  /** Answers, each another than the one before, the first one first. */
  readonly seen: Health[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#reading = this.#read();
  }

  /**
   * Starts to ask.
   *
   * @param place Host and port of `--metrics`.
   */
  static async start(pair: NamespacePair, place: string): Promise<HealthWatch> {
    const watch = new HealthWatch(
      pair.command(Deno.execPath(), [
        ...["run", "--quiet", "--no-config", `--allow-net=${place}`, PROBE, place],
      ], { stdin: "null", stdout: "piped" }).spawn(),
    );
    await until(() => watch.seen.length > 0);
    return watch;
  }

  /** Waits until `/readyz` has answered that. */
  async says(status: number, words: RegExp): Promise<void> {
    await this.#until(() => this.seen.some((it) => it.status === status && words.test(it.text)));
  }

  /** Waits until the last answer is that all is well. */
  async isReadyAgain(): Promise<void> {
    await this.#until(() => isWell(this.seen.at(-1)!));
  }

  /** Answers that say of something that it is wrong. */
  get troubles(): readonly Health[] {
    return this.seen.filter((it) => !isWell(it));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#reading;
  }

  async #until(condition: () => boolean): Promise<void> {
    await until(condition).catch(() => {
      throw new Error(`probes were told ${JSON.stringify(this.seen)}: ${condition}`);
    });
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const chunk of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (text + chunk).split("\n");
      text = lines.pop()!;
      this.seen.push(...lines.map((it) => JSON.parse(it) as Health));
    }
  }
}

function isWell({ isAlive, status, text }: Health): boolean {
  return isAlive && status === 200 && text === OK;
}
