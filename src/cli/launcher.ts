import { basename } from "node:path";
import { mayControlJob } from "../../ffi/job_control.ts";
import { KernelText } from "../../ffi/kernel_text.ts";

/** Processes between us and npx(1): the task runner, a shell, and what the npm package starts. */
const MOST_STEPS = 4;

/** A process, and the one that started it. */
interface Link {
  readonly pid: number;
  readonly parent: number;
}

/**
 * The programs that wait for us and pass signals on, or should: `deno task`, and npx if that started
 * it. A signal to npx ends the shell below it, which passes nothing on, and what that has started goes
 * on with nobody to end it. So we look whether all of them are still there.
 *
 * Whoever else started us may go: a shell, for a program in the background.
 */
export class Launcher {
  /** What it is called, for the user. */
  readonly name: string;
  readonly #links: readonly Link[];

  private constructor(name: string, links: readonly Link[]) {
    this.name = name;
    this.#links = links;
  }

  /** Looks for them; `null` where something else started us, or that can't be known. */
  static find(): Launcher | null {
    if (!mayControlJob() || !isTaskRunner(commandOf(Deno.ppid))) return null;
    const own = { pid: Deno.pid, parent: Deno.ppid };
    const links: Link[] = [own];
    for (let step = 0; step < MOST_STEPS; step++) {
      const pid = links.at(-1)!.parent;
      const parent = parentOf(pid);
      if (parent === null || parent <= 1) break;
      links.push({ pid, parent });
      const command = commandOf(parent);
      if (isNpx(command)) return new Launcher("npx", links);
      if (!isBelowNpx(command)) break;
    }
    return new Launcher("deno task", [own]);
  }

  /** Whether one of them has ended. */
  get isGone(): boolean {
    return this.#links.some(({ pid, parent }) => {
      // Nothing can be said of one that may not be looked at.
      const now = pid === Deno.pid ? Deno.ppid : parentOf(pid);
      return now !== null && now !== parent;
    });
  }
}

/** `deno task`, also with options in between. */
function isTaskRunner([program = "", ...parameters]: readonly string[]): boolean {
  return basename(program) === "deno" && parameters.find((it) => !it.startsWith("-")) === "task";
}

/** npm names its process after what it does: `npm exec deno@2.9.6 task …`. */
function isNpx(command: readonly string[]): boolean {
  return /^npm exec\b/.test(command.join(" ")) || command.some((it) => /^npx\b/.test(basename(it)));
}

/** What npx starts: a shell with a command, and the script by which a package starts its program. */
function isBelowNpx([program = "", ...parameters]: readonly string[]): boolean {
  return parameters[0] === "-c" || basename(program) === "node";
}

/** proc_pid_cmdline(5). */
function commandOf(pid: number): string[] {
  return KernelText.readShort(`/proc/${pid}/cmdline`)?.split("\0") ?? [];
}

/** proc_pid_stat(5): after the name, which is in parentheses and may hold some, state and parent. */
function parentOf(pid: number): number | null {
  const stat = KernelText.readShort(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 1).trim().split(" ");
  return fields?.[1] === undefined ? null : Number(fields[1]);
}
