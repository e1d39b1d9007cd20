/** What the kernel says of a process that runs, proc_pid_status(5). */

/** The lines of a process's status, or of one of its threads', by their names. */
export function processStatus(pid: number, thread?: string): ReadonlyMap<string, string> {
  const path = thread === undefined ? `/proc/${pid}/status` : `/proc/${pid}/task/${thread}/status`;
  const lines = Deno.readTextFileSync(path).trim().split("\n");
  return new Map(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
}

/** The same of each of its threads. */
export function threadStatuses(pid: number): ReadonlyMap<string, string>[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => processStatus(pid, name));
}

/** Processes of which a condition on their status is true. */
export function processesWith(
  condition: (status: ReadonlyMap<string, string>) => boolean,
): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    try {
      return pid > 0 && condition(processStatus(pid));
    } catch {
      // It has ended.
      return false;
    }
  });
}

/**
 * Memory of a process, in bytes.
 *
 * @param kind `VmRSS` is what is resident, `VmHWM` the most of it up to now, `RssAnon` what of it is the
 * process's own and not of files.
 */
export function memoryOf(pid: number, kind: "VmRSS" | "VmHWM" | "RssAnon"): number {
  return parseInt(processStatus(pid).get(kind)!) * 1024;
}
