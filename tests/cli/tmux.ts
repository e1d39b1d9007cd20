/** The program on a terminal of tmux(1), which says what a user would see. */
import { join } from "node:path";
import { isProgram } from "../installed.ts";

/** Whether tmux is there. Tests that need it are skipped if not. */
export const HAS_TMUX = isProgram("tmux", "-V");

/** How long, in milliseconds, a test waits for what must come. */
const PATIENCE = 60_000;

type MakeCommand = (
  program: string,
  args: string[],
  options?: Deno.CommandOptions,
) => Deno.Command;

/** A window of tmux with a command in it. */
export class Tmux implements AsyncDisposable {
  readonly #make: MakeCommand;
  readonly #socket: string;

  private constructor(socket: string, make: MakeCommand) {
    this.#socket = socket;
    this.#make = make;
  }

  /**
   * Starts a server of tmux with one window. When its command has ended it stays, and shows
   * `ended with status` and that.
   *
   * @param directory Where the server's socket may be.
   * @param command For a shell.
   * @param make Makes processes, such as ones in a network namespace.
   */
  static async start(
    directory: string,
    command: string,
    make: MakeCommand,
    { columns = 110, rows = 24, env = {} }: {
      columns?: number;
      rows?: number;
      env?: Record<string, string>;
    } = {},
  ): Promise<Tmux> {
    // One that was told to end may still be at its socket.
    const tmux = new Tmux(join(directory, `tmux-${crypto.randomUUID().slice(0, 8)}`), make);
    const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    await tmux.run(
      ...["-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows)],
      // That the pane is dead tmux may notice late.
      `${["env", ...words, command].join(" ")}; echo "ended with status $?"; exec sleep 600`,
      ...[";", "set-option", "-s", "escape-time", "0"],
    );
    return tmux;
  }

  /** What is on the screen, without blanks at the ends of lines. */
  async screen(...args: string[]): Promise<string> {
    return await this.run("capture-pane", "-p", ...args);
  }

  /** Presses keys, as tmux names them: `Tab`, `Up`, `C-c`. */
  async press(...keys: string[]): Promise<void> {
    await this.run("send-keys", ...keys);
  }

  /** Types a text as it is. */
  async type(text: string): Promise<void> {
    await this.run("send-keys", "-l", text);
  }

  /**
   * Gives a command to a shell whose prompt is `$`, once it waits for one: what is typed while
   * another program has the terminal is echoed by the terminal, and then by the shell.
   */
  async command(text: string): Promise<void> {
    await this.shows(/(?:^|\n)\$\n*$/);
    await this.type(`${text}\n`);
  }

  /** Waits until the screen matches, and gives what it shows. */
  async shows(pattern: RegExp, ...args: string[]): Promise<string> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const screen = await this.screen(...args);
      if (pattern.test(screen)) return screen;
      if (performance.now() > end) throw new Error(`no ${pattern} in:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Runs a command of tmux. */
  async run(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await this.#make("tmux", ["-S", this.#socket, ...args], {
      env: { TERM: "xterm-256color", LC_ALL: "C.UTF-8" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (!success) throw new Error(`tmux ${args.join(" ")}: ${text(stderr)}`);
    return text(stdout).replace(/[ \t]+$/gm, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("kill-server").catch(() => {});
  }
}
