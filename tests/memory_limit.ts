/**
 * Runs programs with no more memory than the unit of flosensor gives it, so that one that needs more is
 * killed as it would be by systemd.
 */
import { join } from "node:path";
import { memoryOf } from "./process_status.ts";

/** The unit's text. */
export const UNIT: string = Deno.readTextFileSync(
  new URL("../deploy/flosensor@.service", import.meta.url),
);

/** `MemoryMax` of the unit, in bytes. */
export const UNIT_MEMORY: number = Number(
  /^MemoryMax=(\d+)M$/m.exec(UNIT)![1],
) * 1024 * 1024;

/** Where cgroups are made, and how they are told how much memory there may be: cgroups(7). */
const HIERARCHIES = [
  { folder: "/sys/fs/cgroup", limit: "memory.max" },
  { folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
];

/** A cgroup of a test's own with so much memory, or `null` where none can be made. */
function makeCgroup(memory: number): string | null {
  for (const { folder, limit } of HIERARCHIES) {
    const path = join(folder, `flosensor-test-${crypto.randomUUID().slice(0, 8)}`);
    try {
      Deno.mkdirSync(path);
    } catch {
      continue;
    }
    try {
      // Below a mount that is no hierarchy, the file would be made.
      if (!Deno.statSync(join(path, limit)).isFile) continue;
      Deno.writeTextFileSync(join(path, limit), String(memory), { create: false });
      return path;
    } catch {
      Deno.removeSync(path);
    }
  }
  return null;
}

const first = makeCgroup(UNIT_MEMORY);
if (first !== null) Deno.removeSync(first);

/** Whether the limit is one of the kernel's. Otherwise it is compared with what was measured. */
export const CAN_LIMIT_MEMORY: boolean = first !== null;

/** What to add to the name of a test where the limit is not the kernel's. */
export const HOW_LIMITED = CAN_LIMIT_MEMORY ? "" : " (measured: no cgroup can be made here)";

/** A program that runs with so much memory. What it prints is not read before that is asked for. */
export class LimitedProgram implements AsyncDisposable {
  readonly memory: number;
  readonly #cgroup: string | null;
  readonly #child: Deno.ChildProcess;
  readonly #errors: string;
  readonly ended: Promise<Deno.CommandStatus>;

  /**
   * @param prefix A command that becomes the program that is named after it, such as `ip netns exec`.
   * @param memory In bytes.
   */
  constructor(
    program: string,
    args: readonly string[],
    prefix: readonly string[] = [],
    memory: number = UNIT_MEMORY,
  ) {
    this.memory = memory;
    this.#cgroup = makeCgroup(memory);
    this.#errors = Deno.makeTempFileSync({ prefix: "flosensor-memory-" });
    const script = `${
      this.#cgroup === null ? "" : 'echo $$ > "$1/cgroup.procs" && '
    }exec 2> "$0" && shift && exec "$@"`;
    this.#child = new Deno.Command("sh", {
      args: ["-c", script, this.#errors, this.#cgroup ?? "none", ...prefix, program, ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.ended = this.#child.status;
  }

  /** What it wrote on standard error. */
  get stderr(): string {
    return Deno.readTextFileSync(this.#errors);
  }

  get stdin(): WritableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdin;
  }

  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdout;
  }

  /** The most memory that was resident, in bytes, while it runs. */
  get mostResident(): number {
    return memoryOf(this.#child.pid, "VmHWM");
  }

  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.signal("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended;
    for (const stream of [this.#child.stdout, this.#child.stdin]) {
      if (!stream.locked) await ("cancel" in stream ? stream.cancel() : stream.abort());
    }
    Deno.removeSync(this.#errors);
    if (this.#cgroup !== null) Deno.removeSync(this.#cgroup);
  }
}
