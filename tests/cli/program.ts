/**
 * Runs the real program as a process of its own, with the permissions of
 * src/cli/permissions.txt and no others, and with V8 as src/cli/v8_options.txt has it.
 */
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const linesOf = (path: string) => Deno.readTextFileSync(`${ROOT}${path}`).trimEnd().split("\n");
/** What the task and `./flosensor` give it. */
export const PERMISSIONS: readonly string[] = linesOf("src/cli/permissions.txt");
/** How it uses memory. */
export const V8_OPTIONS: readonly string[] = linesOf("src/cli/v8_options.txt");
const MODULE = "src/cli/program.ts";

/** How long, in milliseconds, a test waits for what must come: machines that run tests are busy. */
const PATIENCE = 60_000;

/** How the program is run. */
export interface ProgramOptions {
  /** What standard input has. By default, nothing. */
  stdin?: Uint8Array;
  /** Permissions in the place of those of the task. */
  permissions?: readonly string[];
  /** A compiled file to run in the place of the program's source. */
  executable?: string;
  /** Runs a command, such as one in a network namespace. By default, `Deno.Command`. */
  command?: (program: string, args: string[], options: Deno.CommandOptions) => Deno.Command;
}

/** How the program ended, and what it wrote. */
export interface Ending {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
export async function flosensor(args: string[], options: ProgramOptions = {}): Promise<Ending> {
  const program = new RunningProgram(args, options);
  await program.feed(options.stdin ?? new Uint8Array());
  await program.endInput();
  return await program.ended;
}

/** The program while it runs. Its standard input is open until it is ended. */
export class RunningProgram implements AsyncDisposable {
  readonly ended: Promise<Ending>;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  stdout = "";
  stderr = "";
  /** Of standard output. */
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #isOver = false;
  #wake = Promise.withResolvers<void>();

  constructor(
    args: string[],
    { permissions, executable, command }: ProgramOptions = {},
  ) {
    const make = command ??
      ((program, parameters, options) =>
        new Deno.Command(program, { ...options, args: parameters }));
    // ip-netns(8) becomes the program it runs: signals arrive there.
    const source = [
      // Standard error is the program's alone: what Deno downloads is not told there.
      ...["run", "--quiet", "--config", `${ROOT}deno.json`, ...V8_OPTIONS],
      ...[...(permissions ?? PERMISSIONS), `${ROOT}${MODULE}`],
    ];
    this.#child = make(
      executable ?? Deno.execPath(),
      executable === undefined ? [...source, ...args] : args,
      { stdin: "piped", stdout: "piped", stderr: "piped", env: { NO_COLOR: "1" } },
    ).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.ended = this.#follow();
  }

  /** Writes to its standard input, as far as it reads. */
  async feed(bytes: Uint8Array): Promise<void> {
    // Whoever ends before it has read all says why by other means.
    await this.#input.write(Uint8Array.from(bytes)).catch(() => {});
  }

  /** Ends its standard input. */
  async endInput(): Promise<void> {
    await this.#input.close().catch(() => {});
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  /** Reads nothing more of standard output, as `head` does when it has enough. */
  async closeOutput(): Promise<void> {
    await this.#reader?.cancel();
  }

  /** Waits until standard error holds a text. */
  says(text: string, times = 1): Promise<void> {
    return this.#until(() => this.stderr.split(text).length > times, `${text} on standard error`);
  }

  /** Waits until standard output holds a text. */
  prints(text: string): Promise<void> {
    return this.#until(() => this.stdout.includes(text), `${text} on standard output`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.signal("SIGKILL");
    await this.endInput();
    await this.ended;
  }

  async #follow(): Promise<Ending> {
    const output = this.#collect(this.#child.stdout.getReader(), (text) => this.stdout += text);
    const errors = this.#child.stderr.getReader();
    await Promise.all([output, this.#collect(errors, (text) => this.stderr += text)]);
    const { code } = await this.#child.status;
    this.#isOver = true;
    this.#wake.resolve();
    return { status: code, stdout: this.stdout, stderr: this.stderr };
  }

  async #collect(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    add: (text: string) => void,
  ): Promise<void> {
    this.#reader ??= reader;
    const decoder = new TextDecoder();
    for (let chunk; !(chunk = await reader.read()).done;) {
      add(decoder.decode(chunk.value, { stream: true }));
      this.#wake.resolve();
      this.#wake = Promise.withResolvers<void>();
    }
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!isSo()) {
      const isLate = performance.now() > end;
      if (this.#isOver || isLate) {
        throw new Error(`no ${what}; there: ${this.stderr}${this.stdout}`);
      }
      const timer = Promise.withResolvers<void>();
      const alarm = setTimeout(timer.resolve, PATIENCE);
      await Promise.race([this.#wake.promise, timer.promise]);
      clearTimeout(alarm);
    }
  }
}
