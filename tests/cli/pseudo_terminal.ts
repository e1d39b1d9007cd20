/** The program on a terminal, as somebody has it who types. */
import { fileURLToPath } from "node:url";
import { isProgram } from "../installed.ts";

/** script(1) makes pseudo terminals. */
export const HAS_SCRIPT = isProgram("script", "--version");

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** How long, in milliseconds, a test waits for what must come. */
const PATIENCE = 60_000;

/** That of a shell. */
const PROMPT = "$ ";

/** What the live view begins and ends with. */
const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l";
const LEAVE_SCREEN = "\x1b[?25h\x1b[?1049l";

/** The words of a task of deno.json for a shell. */
export function taskCommand(...args: string[]): string {
  const words = [Deno.execPath(), "task", "--config", `${ROOT}deno.json`, "flosensor", ...args];
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** A pseudo terminal with a command on it. */
export class PseudoTerminal implements AsyncDisposable {
  /** What the terminal was sent. */
  text = "";
  /** Resolves when the command has ended, with its exit status. */
  readonly ended: Promise<number>;
  readonly #script: Deno.ChildProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #isOver = false;

  /**
   * @param command For a shell.
   * @param make Makes the process, such as one in a network namespace.
   */
  constructor(
    command: string,
    make: (program: string, args: string[], options: Deno.CommandOptions) => Deno.Command,
  ) {
    const sized = `stty cols 100 rows 30; ${command}`;
    this.#script = make("script", ["--quiet", "--return", "--command", sized, "/dev/null"], {
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      env: { NO_COLOR: "1", TERM: "xterm", SHELL: "/bin/sh", PS1: PROMPT },
    }).spawn();
    this.#keyboard = this.#script.stdin.getWriter();
    this.ended = this.#follow();
  }

  /** Types something: `\x03` is Ctrl-C. */
  async type(text: string): Promise<void> {
    await this.#keyboard.write(new TextEncoder().encode(text));
  }

  /** Gives a command to a shell once it waits for one: what comes before may be lost with what ends. */
  async command(text: string): Promise<void> {
    await this.#until(() => this.text.endsWith(PROMPT), "prompt");
    await this.type(`${text}\n`);
  }

  /** Closes the terminal, as whoever closes its window. */
  hangUp(): void {
    this.#script.kill("SIGKILL");
  }

  /** Waits until it shows a text. */
  async shows(text: string, times = 1): Promise<void> {
    await this.#until(() => this.text.split(text).length > times, text);
  }

  /** How often the live view took the terminal, and gave it back. */
  get screens(): { entered: number; left: number } {
    const count = (sequence: string) => this.text.split(sequence).length - 1;
    return { entered: count(ENTER_SCREEN), left: count(LEAVE_SCREEN) };
  }

  /** What it shows after the live view. */
  get afterScreen(): string {
    return this.text.slice(this.text.lastIndexOf(LEAVE_SCREEN) + LEAVE_SCREEN.length)
      .replaceAll("\r\n", "\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.hangUp();
    await this.#keyboard.close().catch(() => {});
    await this.ended;
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!condition()) {
      if (this.#isOver || performance.now() > end) throw new Error(`no ${what} in: ${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #follow(): Promise<number> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#script.stdout) this.text += decoder.decode(bytes);
    const { code } = await this.#script.status;
    this.#isOver = true;
    return code;
  }
}
